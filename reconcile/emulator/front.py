"""The front: ASGI in, one `Call` and one `Answer` per request, faults between. Knows no API.

A request is executed without a single await, so that its transaction never meets another on the same connection.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import Any

from starlette.routing import Match, Route

from reconcile.emulator.delivery import Line, Message, deliver, replaced
from reconcile.emulator.desk import Desk, Handler
from reconcile.emulator.exchange import Answer, Call, Refusal
from reconcile.emulator.faults import Fault

CUT = "reconcile.cut"  # where the server leaves, in a request's scope, what cuts its connection


def finder(routes: Sequence[Route]) -> Callable[[Call], tuple[Handler, Mapping[str, str]]]:
    """A function that finds a call's handler; it raises a Refusal with 404 or 405."""

    def find(call: Call) -> tuple[Handler, Mapping[str, str]]:
        scope = {"type": "http", "method": call.method, "path": call.path, "root_path": ""}
        partial = False
        for route in routes:
            match, child = route.matches(scope)
            if match is Match.FULL:
                return child["endpoint"], child["path_params"]
            partial = partial or match is Match.PARTIAL
        if partial:
            raise Refusal(405, "The API does not support this method", "APIGW.0106")
        raise Refusal(404, "The API does not exist or has not been published in the environment", "APIGW.0101")

    return find


class Front:
    """The ASGI application behind every path that is an API's."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    async def __call__(
        self, scope: Any, receive: Callable[[], Awaitable[Message]], send: Callable[[Message], Awaitable[None]]
    ) -> None:
        if scope["type"] != "http":
            return
        line = Line(receive, send, scope.get(CUT))
        body = await _whole_body(receive)
        if body is None:
            return
        call = _call(scope, body)
        fault = self._desk.faults.hit(call.method, call.path, call.query_string)
        answer = self._desk.answer(call) if fault is None else await self._suffer(call, fault)
        await deliver(answer, fault, line, (("date", self._date()), ("server", "reconcile-emulator")))

    async def _suffer(self, call: Call, fault: Fault) -> Answer | None:
        """Execute as often as the fault has it, and log what the client is sent."""
        if fault.kind == "delay":
            await asyncio.sleep(fault.amount)
        made = replaced(fault, call.path, None)
        sent = None if made is None else made.status
        if not fault.executes:
            self._desk.note(call, fault, sent=sent)
            return made
        for _ in range(1 if fault.kind == "duplicate" else 0):
            self._desk.answer(call)
        if fault.kind in ("truncate", "truncate-silent", "slow", "delay", "duplicate"):
            return self._desk.answer(call, fault)
        self._desk.answer(call, fault, sent=sent, as_is=False)
        return made

    def _date(self) -> str:
        """The server's own time, shifted as its clock is."""
        return format_datetime(datetime.fromtimestamp(self._desk.now() / 1000, UTC), usegmt=True)


def _call(scope: Any, body: bytes) -> Call:
    return Call(
        method=scope["method"],
        path=scope["path"],
        query_string=scope["query_string"].decode("latin-1"),
        headers={name.decode("latin-1").lower(): value for name, value in scope["headers"]},
        body=body,
    )


async def _whole_body(receive: Callable[[], Awaitable[Message]]) -> bytes | None:
    """The request's body; None when the client left before it was complete."""
    parts: list[bytes] = []
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            return None
        parts.append(message.get("body", b""))
        if not message.get("more_body", False):
            return b"".join(parts)
