"""Failpoints: every operation on a disk and every request of a run, counted; at the chosen one the process dies of SIGKILL.

They are put around the methods of the tool's own seams, `Files` and `Http`, in the process that is to die; the tool itself has no
such switch.
"""

from __future__ import annotations

import functools
import os
import signal
from collections.abc import Callable
from typing import Any

from reconcile.state.files import Files
from reconcile.targets.http import client

DISK = ("create", "append", "write", "truncate", "sync", "sync_content", "close", "link", "replace", "remove", "sync_folder")


class Points:
    """Counts; kills at `at`. 0 never kills. `tell` hears each point's name."""

    def __init__(self, at: int, tell: Callable[[str], None]) -> None:
        self.at = at
        self.count = 0
        self._tell = tell

    def hit(self, name: str) -> None:
        self.count += 1
        self._tell(name)
        if self.count == self.at:
            os.kill(os.getpid(), signal.SIGKILL)


def install(points: Points) -> None:
    """Put them into this process, for good."""
    for name in DISK:
        setattr(Files, name, _around(getattr(Files, name), name, points))
    write = Files.write

    @functools.wraps(write)
    def torn(self: Files, handle: int, content: bytes) -> None:
        if points.count + 1 == points.at:
            os.write(handle, content[: len(content) // 2])
        points.hit("half of write")
        write(self, handle, content)

    Files.write = torn  # type: ignore[method-assign]
    send = client.Http.send

    async def sent(self: client.Http, request: Any, auth: Any = None) -> Any:
        points.hit(f"before {request.label}")
        try:
            return await send(self, request, auth)
        finally:
            points.hit(f"after {request.label}")

    client.Http.send = sent  # type: ignore[method-assign]
    trace = client._Leaving.trace

    async def traced(self: client._Leaving, event: str, info: dict[str, Any]) -> None:
        await trace(self, event, info)
        if event.endswith("send_request_body.complete"):
            points.hit("request gone, no answer yet")

    client._Leaving.trace = traced  # type: ignore[method-assign]


def _around(true: Callable[..., Any], name: str, points: Points) -> Callable[..., Any]:
    @functools.wraps(true)
    def method(self: Files, *args: Any) -> Any:
        points.hit(f"before {name}")
        result = true(self, *args)
        points.hit(f"after {name}")
        return result

    return method
