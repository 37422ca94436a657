"""The emulator over HTTP, on the loopback interface only. Knows uvicorn, sockets and signals, no API."""

from __future__ import annotations

import asyncio
import contextlib
import json
import signal
import socket
import struct
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, TextIO

import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from reconcile.emulator.app import close, make_app
from reconcile.emulator.credentials import (
    FIXED_AK,
    FIXED_DOMAIN,
    FIXED_PASSWORD,
    FIXED_PROJECT_ID,
    FIXED_SK,
    FIXED_TOKEN,
    FIXED_USER,
    find_credentials,
)
from reconcile.emulator.front import CUT
from reconcile.emulator.settings import Settings

HOST = "127.0.0.1"
GRACE = 2  # seconds that hanging requests are given when the server ends


class _Cuttable(H11Protocol):
    """Puts into each request's scope what resets its connection."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        inner = self.app
        plug = transport.get_extra_info("socket")
        with contextlib.suppress(OSError):  # the client may have gone by now
            plug.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # head and body leave apart: without it, 40 ms each

        def cut() -> None:
            with contextlib.suppress(OSError):
                plug.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            transport.abort()

        async def app(scope: Any, receive: Any, send: Any) -> None:
            scope[CUT] = cut
            with contextlib.suppress(asyncio.CancelledError):  # the server ends, and cuts who still waits
                await inner(scope, receive, send)

        self.app = app


class _Server(uvicorn.Server):
    """Says when it accepts connections, and ends on SIGTERM and SIGINT without passing them on: exit code 0."""

    def __init__(self, config: uvicorn.Config, ready: Callable[[], None]) -> None:
        super().__init__(config)
        self._ready = ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self._ready()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        for connection in list(self.server_state.connections):
            connection.transport.close()  # whoever is kept waiting by a fault learns that the wait is over
        await super().shutdown(sockets)

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        before = {number: signal.signal(number, self.handle_exit) for number in (signal.SIGINT, signal.SIGTERM)}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)


def serve(
    port: int, *, database: Path | None, settings: Settings, environ: Mapping[str, str], as_json: bool, out: TextIO
) -> None:
    """Serve until SIGTERM or SIGINT; port 0 is any free one. Credentials are asked for, and bodies logged.

    The first line on `out` says where, once connections are accepted. Raises OSError when the port is taken.
    """
    with socket.create_server((HOST, port), backlog=2048) as listener:
        url = f"http://{HOST}:{listener.getsockname()[1]}"
        app = make_app(database, replace(settings, auth_required=True, keep_bodies=True), environ)
        app.state.desk.store.db.execute("SELECT 1")  # a database that cannot be used is found before the URL is told
        config = uvicorn.Config(
            app, http=_Cuttable, ws="none", lifespan="off", log_config=None, access_log=False, server_header=False,
            date_header=False, timeout_graceful_shutdown=GRACE, loop="asyncio", timeout_keep_alive=60, proxy_headers=False,
        )  # fmt: skip

        def ready() -> None:
            print(json.dumps({"url": url}) if as_json else _greeting(url, environ), file=out, flush=True)

        try:
            asyncio.run(_Server(config, ready).serve(sockets=[listener]))
        finally:
            close(app)


def _greeting(url: str, environ: Mapping[str, str]) -> str:
    """Where it listens and, with none in the environment, which credentials it takes."""
    if find_credentials(environ).from_environment:
        return f"emulator on {url}, with the credentials of the environment"
    names = {
        "HUAWEICLOUD_SDK_AK": FIXED_AK,
        "HUAWEICLOUD_SDK_SK": FIXED_SK,
        "HUAWEICLOUD_SDK_PROJECT_ID": FIXED_PROJECT_ID,
        "HW_AUTH_TOKEN": FIXED_TOKEN,
        "HW_USER_NAME": FIXED_USER,
        "HW_USER_PASSWORD": FIXED_PASSWORD,
        "HW_DOMAIN_NAME": FIXED_DOMAIN,
    }
    lines = [f"  {name}={value}" for name, value in names.items()]
    keys = "  and any integration key of 32 letters and digits" if not environ.get("COC_INTEGRATION_KEY") else ""
    return "\n".join([f"emulator on {url}; it takes", *lines, *([keys] if keys else [])])
