"""How an answer reaches the client, or does not: whole, in halves, dripping, or never. Knows ASGI and faults, no API."""

from __future__ import annotations

import asyncio
import gzip
from collections.abc import Awaitable, Callable, MutableMapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from reconcile.emulator.exchange import Answer
from reconcile.emulator.faults import Fault
from reconcile.emulator.spelling import refused

Message = MutableMapping[str, Any]
HTML = b"<html><head><title>502 Bad Gateway</title></head><body><h1>Bad Gateway</h1></body></html>\n"
NO_BODY = (204, 304)
SILENT = ("reset", "timeout")  # kinds after which the client is sent nothing


@dataclass(frozen=True, slots=True)
class Line:
    """The connection of one request. `cut` resets it; in-process there is none to cut."""

    receive: Callable[[], Awaitable[Message]]
    send: Callable[[Message], Awaitable[None]]
    cut: Callable[[], None] | None

    async def gone(self) -> None:
        """Return when the client has left."""
        while (await self.receive())["type"] != "http.disconnect":
            pass

    async def reset(self) -> None:
        """Cut the connection without a word."""
        if self.cut is None:
            raise ConnectionResetError("connection cut by a fault")
        self.cut()
        await self.gone()


def replaced(fault: Fault, path: str, answer: Answer | None) -> Answer | None:
    """What the client is to get under this fault: another answer, the executed one, or nothing."""
    match fault.kind:
        case "reset" | "timeout":
            return None
        case "status":
            made = refused(path, fault.status, "Injected by a fault.") if fault.status >= 300 else Answer(fault.status)
            return Answer(made.status, made.body, (*made.headers, *fault.headers))
        case "redirect":
            return Answer(fault.status, b"", fault.headers)
        case "empty":
            return Answer(200)
        case "html":
            return Answer(200, HTML, (("content-type", "text/html"),))
        case "gzip-bomb":
            return Answer(200, _bomb(int(fault.amount)), (("content-type", "application/json"), ("content-encoding", "gzip")))
        case _:
            return answer


@lru_cache(maxsize=2)
def _bomb(megabytes: int) -> bytes:
    """A JSON string of so many megabytes, packed."""
    return gzip.compress(b'"' + b"0" * (megabytes * 1024 * 1024) + b'"', compresslevel=1)


async def deliver(answer: Answer | None, fault: Fault | None, line: Line, stamp: tuple[tuple[str, str], ...]) -> None:
    """Send the answer the way the fault has it; None is answered by silence or a cut."""
    kind = "" if fault is None else fault.kind
    if answer is None:
        await _nothing(fault, line)
    elif kind in ("truncate", "truncate-silent"):
        await _half(answer, line, stamp, silent=kind == "truncate-silent")
    elif kind == "slow" and fault is not None:
        await _drip(answer, line, stamp, fault.amount)
    else:
        await _start(answer, line, stamp, len(answer.body))
        await line.send({"type": "http.response.body", "body": answer.body})


async def _nothing(fault: Fault | None, line: Line) -> None:
    if fault is not None and fault.kind == "timeout":
        try:
            async with asyncio.timeout(fault.amount):
                await line.gone()
            return
        except TimeoutError:
            pass
    await line.reset()


async def _half(answer: Answer, line: Line, stamp: tuple[tuple[str, str], ...], *, silent: bool) -> None:
    """Half the body. What has no body has nothing to halve: the connection is cut."""
    if not answer.body:
        await line.reset()
        return
    half = answer.body[: len(answer.body) // 2]
    await _start(answer, line, stamp, len(half if silent else answer.body))
    await line.send({"type": "http.response.body", "body": half, "more_body": not silent})
    if not silent:
        await asyncio.sleep(0.05)  # the half leaves before the connection does
        await line.reset()


async def _drip(answer: Answer, line: Line, stamp: tuple[tuple[str, str], ...], seconds: float) -> None:
    """The status at once, then the body byte by byte, spread over so many seconds."""
    await _start(answer, line, stamp, len(answer.body))
    pieces = max(1, min(len(answer.body), 100))
    size = -(-len(answer.body) // pieces) or 1
    for k in range(pieces):
        await asyncio.sleep(seconds / pieces)
        piece = answer.body[k * size : (k + 1) * size]
        await line.send({"type": "http.response.body", "body": piece, "more_body": k < pieces - 1})


async def _start(answer: Answer, line: Line, stamp: tuple[tuple[str, str], ...], size: int) -> None:
    headers = [*answer.headers, *stamp]
    if answer.status not in NO_BODY:
        headers.append(("content-length", str(size)))
    raw = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers]
    await line.send({"type": "http.response.start", "status": answer.status, "headers": raw})
