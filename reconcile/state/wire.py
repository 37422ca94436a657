"""Wire: one HTTP request for the state, over the standard library. Never follows a redirect; every doubt is a Doubt."""

from __future__ import annotations

import ipaddress
import ssl
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass, field
from http.client import HTTPException, HTTPMessage
from typing import IO, Any
from urllib.parse import urlsplit

from reconcile.errors import ReconcileError
from reconcile.state.place import Doubt

MOST = 1 << 30  # bytes of a state


@dataclass(frozen=True, slots=True)
class Reply:
    """What a server answered, whatever the status."""

    status: int
    content: bytes
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def words(self) -> str:
        """The status and the server's own words, shortened, fit for one line."""
        text = " ".join(self.content[:400].decode("utf-8", "replace").split())
        return f"{self.status} {text}".strip()


class _Stay(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, req: Any, fp: IO[bytes], code: int, msg: str, headers: HTTPMessage, newurl: str) -> None:
        return None


class Wire:
    """Sends requests to one server. Credentials are in `headers`, which nothing shows."""

    def __init__(
        self, *, headers: Mapping[str, str], timeout: float, tls: ssl.SSLContext | None, proxy: str | None = None
    ) -> None:
        proxies = {"http": proxy, "https": proxy} if proxy else {}
        handlers: list[urllib.request.BaseHandler] = [_Stay(), urllib.request.ProxyHandler(proxies)]
        if tls is not None:
            handlers.append(urllib.request.HTTPSHandler(context=tls))
        self._opener = urllib.request.build_opener(*handlers)
        self._headers = dict(headers)
        self._timeout = timeout

    def send(self, method: str, url: str, content: bytes | None = None, headers: Mapping[str, str] | None = None) -> Reply:
        """One request, one answer, within the deadline. Raises Doubt when the answer did not come whole."""
        request = urllib.request.Request(url, data=content, headers={**self._headers, **(headers or {})}, method=method)
        end = time.monotonic() + self._timeout
        try:
            try:
                answer = self._opener.open(request, timeout=self._timeout)
            except urllib.error.HTTPError as error:
                answer = error
            with answer:
                reply = Reply(answer.status, _all(answer, end), {k.lower(): v for k, v in answer.headers.items()})
        except (OSError, HTTPException) as error:
            raise Doubt(f"{method} {shown(url)}: {getattr(error, 'reason', error)}") from error
        if reply.status in (408, 429) or reply.status >= 500:
            raise Doubt(f"{method} {shown(url)}: {reply.words}")
        return reply


def _all(answer: Any, end: float) -> bytes:
    parts, size = [], 0
    while part := answer.read1(1 << 20):
        parts.append(part)
        size += len(part)
        if size > MOST:
            raise ReconcileError(f"the answer is larger than {MOST} bytes")
        if time.monotonic() > end:
            raise TimeoutError("the answer comes too slowly")
    expected = answer.headers.get("Content-Length")
    if expected is not None and expected.isdigit() and int(expected) != size:
        raise HTTPException(f"the answer ended after {size} of {expected} bytes")
    return b"".join(parts)


def shown(url: str) -> str:
    """A URL as people may see it: without query."""
    return url.partition("?")[0]


def refusal(url: str) -> str | None:
    """Why nothing is sent to this URL, or None: credentials in it, or http beyond this machine."""
    parts = urlsplit(url)
    if parts.scheme not in ("https", "http") or not parts.hostname:
        return "is no http or https URL"
    if parts.username or parts.password:
        return "holds credentials; use `username` and `password`"
    if parts.scheme == "http" and not _loopback(parts.hostname):
        return "is not encrypted; http is for this machine only"
    return None


def _loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
