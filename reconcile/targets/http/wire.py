"""The seam of the wire: a request, a response, and whoever sends one for the other.

The adapters above build requests; retry, rate limit, log and log-in wrap each other below. Knows neither httpx nor the APIs.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol
from urllib.parse import quote

Params = tuple[tuple[str, str], ...]


class Masked(str):
    """A part of a path that is a secret: sent as it is, shown as `***`."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "'***'"


@dataclass(frozen=True, slots=True)
class Request:
    """One request. `label` is the API's name of the call, for people.

    `path` holds the parts between the slashes, unescaped. `body` is plain data, sent as JSON; it may hold secrets.
    `repeatable` promises that the server does no harm when it gets the same request twice: only then is a doubtful
    answer asked for again. `accepted` are the statuses that mean success; `expects_json` that the answer must be JSON.
    """

    method: str
    path: tuple[str, ...]
    label: str
    params: Params = ()
    headers: Mapping[str, str] = field(default_factory=dict)
    body: Any = field(default=None, repr=False)
    repeatable: bool = False
    accepted: frozenset[int] = frozenset({200})
    expects_json: bool = True
    permission: str | None = None

    def target(self) -> str:
        """Path and query as they stand on the wire."""
        return self._spelled([quote(part, safe="") for part in self.path])

    def shown(self) -> str:
        """Path and query for people: secret parts masked."""
        return self._spelled(["***" if isinstance(part, Masked) else quote(part, safe="") for part in self.path])

    def _spelled(self, parts: list[str]) -> str:
        query = "&".join(f"{quote(key, safe='~')}={quote(value, safe='~')}" for key, value in self.params)
        return "/" + "/".join(parts) + (f"?{query}" if query else "")

    def encoded(self) -> bytes | None:
        """The body's bytes: compact UTF-8. Raises ValueError for what JSON cannot say (NaN, infinity)."""
        if self.body is None:
            return None
        text = json.dumps(self.body, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
        try:
            return text.encode()
        except UnicodeEncodeError:  # half a surrogate pair: JSON can still say it, escaped
            return json.dumps(self.body, separators=(",", ":"), allow_nan=False).encode()


@dataclass(frozen=True, slots=True)
class Response:
    """An accepted answer. Header names are in lower case; `json` is the parsed body where the request expects one. `text` is
    then what may be quoted of it; where no JSON is expected, the body as it came.
    """

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    json: Any = None
    text: str = field(default="", repr=False)


class Wire(Protocol):
    """Sends a request and returns the accepted answer; everything else is a WireError with its effect."""

    async def send(self, request: Request) -> Response:
        """Send, once as far as the caller can tell."""
        ...
