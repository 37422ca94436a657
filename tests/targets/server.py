"""A small HTTP server on loopback that records what arrives, byte for byte, and answers as it is told, or breaks off."""

from __future__ import annotations

import asyncio
import json
import ssl
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, unquote


@dataclass(frozen=True)
class Seen:
    """One request as it came."""

    method: str
    target: str
    headers: dict[str, str]
    body: bytes

    @property
    def path(self) -> str:
        return unquote(self.target.partition("?")[0])

    @property
    def query(self) -> dict[str, str]:
        return dict(parse_qsl(self.target.partition("?")[2], keep_blank_values=True))

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass(frozen=True)
class Reply:
    """An answer. `cut` sends only so many bytes of it and closes; `delay` waits first; `reset` aborts without a byte."""

    status: int = 200
    json: Any = None
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    cut: int | None = None
    delay: float = 0.0
    drip: float = 0.0
    reset: bool = False
    sized: bool = True

    def encoded(self) -> bytes:
        body = self.body if self.json is None else json.dumps(self.json).encode()
        headers = {"content-type": "application/json", **self.headers}
        if self.sized and self.status != 204:
            headers["content-length"] = str(len(body))
        if not self.sized:
            headers["connection"] = "close"
        lines = [f"HTTP/1.1 {self.status} X", *(f"{k}: {v}" for k, v in headers.items())]
        return "\r\n".join(lines).encode() + b"\r\n\r\n" + (b"" if self.status == 204 else body)


Script = Callable[[Seen], Reply]


class Server:
    """Answers by a script: a function of the request, or a list of replies in order (the last one repeats)."""

    def __init__(self, script: Script | list[Reply] | Reply, *, tls: ssl.SSLContext | None = None) -> None:
        self.seen: list[Seen] = []
        self.connections = 0
        self._script = script
        self._tls = tls
        self._server: asyncio.Server | None = None
        self._open: set[asyncio.StreamWriter] = set()

    async def __aenter__(self) -> Server:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0, ssl=self._tls)
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._server is not None
        self._server.close()
        for writer in list(self._open):
            writer.transport.abort()
        await asyncio.sleep(0)

    @property
    def url(self) -> str:
        assert self._server is not None
        return f"http{'s' if self._tls else ''}://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"

    def _reply(self, seen: Seen) -> Reply:
        if isinstance(self._script, Reply):
            return self._script
        if isinstance(self._script, list):
            return self._script[min(len(self.seen), len(self._script)) - 1]
        return self._script(seen)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        self._open.add(writer)
        try:
            while await self._one(reader, writer):
                pass
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass
        finally:
            self._open.discard(writer)
            writer.close()

    async def _one(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        method, target, _ = head[0].split(" ")
        headers = {k.lower(): v.strip() for k, _, v in (line.partition(":") for line in head[1:] if line)}
        body = await reader.readexactly(int(headers.get("content-length", "0")))
        seen = Seen(method, target, headers, body)
        self.seen.append(seen)
        reply = self._reply(seen)
        await asyncio.sleep(reply.delay)
        if reply.reset:
            writer.transport.abort()
            return False
        whole = reply.encoded()
        part = whole if reply.cut is None else whole[: reply.cut]
        for piece in [part] if not reply.drip else [part[i : i + 1] for i in range(len(part))]:
            writer.write(piece)
            await writer.drain()
            await asyncio.sleep(reply.drip)
        return reply.cut is None and reply.sized


def run(scenario: Coroutine[Any, Any, Any]) -> Any:
    """Run a scenario to its end, and never longer than a test may take."""

    async def bounded() -> Any:
        async with asyncio.timeout(20):
            return await scenario

    return asyncio.run(bounded())


class SteppingClock:
    """A clock that stands at a fixed instant and moves by what is slept."""

    def __init__(self, now: int = 1_795_161_600_000) -> None:
        self.instant = now
        self.slept: list[float] = []

    def now(self) -> int:
        return self.instant

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.instant += round(seconds * 1000)
        await asyncio.sleep(0)
