"""The innermost wire: one httpx client, one request, one answer or one error that says what can have happened.

Follows no redirect, reads no proxy or netrc from the environment, ends at a total deadline, and reads at most 16 MiB of
an answer, counted after decompression. Knows neither retries nor credentials beyond the `auth` it is handed.
"""

from __future__ import annotations

import asyncio
import json
import ssl
import zlib
from collections.abc import Callable
from typing import Any

import httpx

from reconcile.errors import Effect
from reconcile.targets.http.errors import WireError, inert, refused, unusable
from reconcile.targets.http.wire import Request, Response

BODY_MAX = 16 * 1024 * 1024
ERROR_BODY_MAX = 64 * 1024
CONNECT_SECONDS = 10.0
IDLE_SECONDS = 3.0  # shorter than servers keep idle connections, so that a request seldom meets one that is closing


class BodyTooLarge(Exception):
    """The answer is larger than any honest one."""


NOT_SENT = (
    httpx.PoolTimeout,
    httpx.ConnectError,
    httpx.ConnectTimeout,
    httpx.ProxyError,
    httpx.UnsupportedProtocol,
    httpx.InvalidURL,
)
WORDS: tuple[tuple[type[BaseException], str], ...] = (
    (httpx.PoolTimeout, "no free connection in time"),
    (httpx.ConnectTimeout, "cannot connect in time"),
    (httpx.ConnectError, "cannot connect"),
    (httpx.ProxyError, "the proxy refused"),
    (httpx.TimeoutException, "no answer in time"),
    (TimeoutError, "no whole answer in time"),
    (httpx.DecodingError, "the answer's compression is broken"),
    (httpx.RemoteProtocolError, "the connection broke before the whole answer came"),
    (httpx.NetworkError, "the connection broke"),
)

FAILURES = (httpx.HTTPError, httpx.InvalidURL, httpx.StreamError, TimeoutError, ssl.SSLError, BodyTooLarge, zlib.error)
HOPELESS = (httpx.UnsupportedProtocol, httpx.InvalidURL, BodyTooLarge)


class Http:
    """Sends requests of one origin through a client that others may share.

    `seconds` is the deadline of a whole request. `traced` says that the client's transport tells its steps, so that
    a failure before the first byte is known to be one. `scrub` takes secrets out of what a server says in an error.
    """

    def __init__(
        self,
        client: httpx.AsyncClient,
        base: str,
        *,
        seconds: float,
        now: Callable[[], int],
        where: str,
        scrub: Callable[[str], str] = str,
        traced: bool = True,
    ) -> None:
        self._client = client
        self._base = base.rstrip("/")
        self._seconds = seconds
        self._now = now
        self._where = where
        self._scrub = scrub
        self._traced = traced

    async def send(self, request: Request, auth: httpx.Auth | None = None) -> Response:
        """Send once. Raises WireError for everything but an accepted answer."""
        leaving = _Leaving()
        built = self._built(request, leaving)
        try:
            async with asyncio.timeout(self._seconds):
                answer = await self._client.send(built, auth=auth, stream=True)
                try:
                    body = await _read(answer, BODY_MAX if answer.status_code in request.accepted else ERROR_BODY_MAX)
                finally:
                    await answer.aclose()
        except FAILURES as error:
            raise self._broken(request, error, leaving) from _safe(error)
        return self._judged(request, answer, body)

    def _built(self, request: Request, leaving: _Leaving) -> httpx.Request:
        headers = {"accept": "application/json", **request.headers}
        if any(part in ("", ".", "..") for part in request.path):
            raise self._unfit(request, "an id that is part of the path is empty or dots")
        if not all(value.isascii() and value.isprintable() for value in headers.values()):
            raise self._unfit(request, "a header's value has a character no header can carry")
        try:
            content = request.encoded()
            if content is not None:
                headers["content-type"] = "application/json"
            url = self._base + request.target()
            extensions = {"trace": leaving.trace, "timeout": self._timeouts()}
            return self._client.build_request(request.method, url, headers=headers, content=content, extensions=extensions)
        except (ValueError, TypeError, httpx.InvalidURL) as error:
            raise self._unfit(request, f"it cannot be written down: {inert(str(error))}") from error

    def _unfit(self, request: Request, why: str) -> WireError:
        return WireError(f"{request.label}: {why}; nothing was sent", effect=Effect.NOT_SENT, where=self._where)

    def _timeouts(self) -> dict[str, float]:
        total = self._seconds
        return {"connect": min(CONNECT_SECONDS, total), "read": total, "write": total, "pool": total}

    def _judged(self, request: Request, answer: httpx.Response, body: bytes) -> Response:
        headers = {name.lower(): value for name, value in answer.headers.items()}
        if answer.status_code not in request.accepted:
            said = {name: self._scrub(value) for name, value in headers.items()}
            text = self._scrub(body.decode("utf-8", "replace"))
            raise refused(request, answer.status_code, said, text, now=self._now() / 1000, where=self._where)
        if not request.expects_json:
            return Response(answer.status_code, headers, text=body.decode("utf-8", "replace"))
        text = self._scrub(body.decode("utf-8", "replace")) if len(body) <= ERROR_BODY_MAX else ""
        try:
            return Response(answer.status_code, headers, json.loads(body), text)
        except (ValueError, RecursionError) as error:
            why = f"the body is no whole JSON: {inert(text, 200) or 'empty or too large to show'}"
            raise unusable(request, answer.status_code, headers, why, where=self._where) from error

    def _broken(self, request: Request, error: BaseException, leaving: _Leaving) -> WireError:
        not_sent = isinstance(error, NOT_SENT) or (self._traced and not leaving.begun)
        certificate = _certificate_problem(error)
        words = certificate or _words(error)
        effect = Effect.NOT_SENT if not_sent else Effect.UNKNOWN
        doubt = "nothing was sent" if not_sent else "it may have taken effect"
        hint = "name the CA that signed it with `ca_file`" if certificate else None
        broken = WireError(f"{request.label}: {words}; {doubt}", effect=effect, where=self._where, hint=hint)
        broken.transient = certificate is None and not isinstance(error, HOPELESS)
        return broken


class _Leaving:
    """Whether any byte of the request can have left: told by the transport step by step."""

    def __init__(self) -> None:
        self.begun = False

    async def trace(self, event: str, _: dict[str, Any]) -> None:
        """Hear of one step of the transport."""
        self.begun = self.begun or event.endswith("send_request_headers.started")


async def _read(answer: httpx.Response, limit: int) -> bytes:
    """The body, decompressed in bounded steps, so that a small answer cannot grow into a large memory."""
    packed = answer.headers.get("content-encoding", "identity").lower() not in ("identity", "")
    unpacker = zlib.decompressobj(wbits=47) if packed else None
    body = bytearray()
    async for chunk in answer.aiter_raw():
        body += chunk if unpacker is None else unpacker.decompress(chunk, limit + 1 - len(body))
        if len(body) > limit:
            if answer.is_success:
                raise BodyTooLarge(f"the answer is larger than {limit} bytes")
            return bytes(body[:limit])
    if unpacker is not None and not unpacker.eof and answer.is_success and body:
        raise zlib.error("the compressed answer is cut off")
    return bytes(body)


def _words(error: BaseException) -> str:
    if isinstance(error, BodyTooLarge | zlib.error):
        return inert(str(error))
    return next((words for kind, words in WORDS if isinstance(error, kind)), "the request failed")


def _certificate_problem(error: BaseException | None) -> str | None:
    while error is not None:
        if isinstance(error, ssl.SSLCertVerificationError):
            return f"the server's certificate is not trusted: {inert(error.verify_message)}"
        error = error.__cause__ or error.__context__
    return None


def _safe(error: BaseException) -> BaseException | None:
    """The cause to chain; none where its text can quote a header's value."""
    return None if isinstance(error, httpx.LocalProtocolError) else error
