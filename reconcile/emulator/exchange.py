"""One request wholly read, one answer wholly made, and strict JSON between them. Knows no API and no server."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl

_ENCODER = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"))
MAX_BODY = 12 * 1024 * 1024  # the gateway's bound for signed bodies


@dataclass(frozen=True, slots=True)
class Call:
    """A request. Header names are lower-case; `parts` are the variable parts of the path."""

    method: str
    path: str
    query_string: str
    headers: Mapping[str, bytes]
    body: bytes
    parts: Mapping[str, str] = field(default_factory=dict)
    caller: str = ""

    def header(self, name: str) -> str | None:
        """A header's text, stripped; None when absent."""
        value = self.headers.get(name)
        return None if value is None else value.decode("utf-8", "replace").strip()

    @property
    def query(self) -> list[tuple[str, str]]:
        """The query's pairs as they came."""
        return parse_qsl(self.query_string, keep_blank_values=True)

    def asked(self, name: str) -> str | None:
        """The first value of a query parameter."""
        return next((value for key, value in self.query if key == name), None)


@dataclass(frozen=True, slots=True)
class Answer:
    """What is sent back."""

    status: int
    body: bytes = b""
    headers: tuple[tuple[str, str], ...] = ()


class Refusal(Exception):
    """Ends a request with a refusal; `words` are for the client. The spelling is the API's business."""

    def __init__(self, status: int, words: str, code: str | None = None) -> None:
        super().__init__(words)
        self.status = status
        self.words = words
        self.code = code


def as_json(status: int, body: Any, *headers: tuple[str, str]) -> Answer:
    """A JSON answer."""
    return Answer(status, dense(body).encode(), (("content-type", "application/json"), *headers))


def dense(value: Any) -> str:
    """JSON without spaces, in the order given."""
    return _ENCODER.encode(value)


def is_json(call: Call) -> bool:
    """Whether the request says that its body is JSON."""
    return (call.header("content-type") or "").split(";")[0].strip().lower() == "application/json"


def read_object(call: Call, words: str) -> dict[str, Any]:
    """The body as a JSON object; anything else, duplicate keys and NaN included, is a 400 with these words."""
    if not is_json(call):
        raise Refusal(400, "Content-Type must be application/json")
    try:
        value = json.loads(call.body, object_pairs_hook=_unique, parse_constant=_no_constant)
        if b"\\u" in call.body:
            dense(value).encode()  # an unpaired surrogate is no text
    except (ValueError, RecursionError) as error:
        raise Refusal(400, words) from error
    if not isinstance(value, dict):
        raise Refusal(400, words)
    return value


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result = dict(pairs)
    if len(result) != len(pairs):
        raise ValueError("duplicate key")
    return result


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")
