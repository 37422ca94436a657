"""A transaction pooler before a PostgreSQL: each transaction goes to whichever server connection is free, last used first.

It speaks as much of the protocol as a client without COPY needs, with logins that ask for no password.
"""

from __future__ import annotations

import contextlib
import socket
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager

PLEAS = (80877103, 80877104)  # for TLS, for GSSAPI


class Pooler:
    """Listens on a port of its own on this machine."""

    def __init__(self, port: int) -> None:
        self._behind = port
        self._guard = threading.Lock()
        self._free: list[tuple[socket.socket, bytes]] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._serve, daemon=True).start()

    def close(self) -> None:
        """Stop listening, and let go of the server."""
        self._listener.close()
        for server, _ in self._free:
            server.close()

    def _serve(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                threading.Thread(target=self._pass, args=(client,), daemon=True).start()

    def _pass(self, client: socket.socket) -> None:
        with client, contextlib.suppress(OSError, EOFError):
            while (plea := _startup(client))[0] in PLEAS:
                client.sendall(b"N")
            server, hello = self._taken(plea[1])
            client.sendall(hello)
            self._give_back(server, hello)
            while True:
                asked = _until(client, b"SQX")
                if asked.endswith(b"X\0\0\0\4"):
                    return
                server, hello = self._taken(plea[1])
                while True:
                    server.sendall(asked)
                    answer = _until(server, b"Z")
                    if answer.endswith(b"I"):  # no transaction is open: the next one may go elsewhere
                        self._give_back(server, hello)
                        client.sendall(answer)
                        break
                    client.sendall(answer)
                    asked = _until(client, b"SQX")

    def _taken(self, startup: bytes) -> tuple[socket.socket, bytes]:
        with self._guard:
            if self._free:
                return self._free.pop()
        server = socket.create_connection(("127.0.0.1", self._behind))
        server.sendall(startup)
        return server, _until(server, b"Z")

    def _give_back(self, server: socket.socket, hello: bytes) -> None:
        with self._guard:
            self._free.append((server, hello))


def _startup(client: socket.socket) -> tuple[int, bytes]:
    head = _exactly(client, 8)
    length, code = struct.unpack("!II", head)
    return code, head + _exactly(client, length - 8)


def _until(end: socket.socket, last: bytes) -> bytes:
    """Whole messages, up to one of these types."""
    said = b""
    while True:
        head = _exactly(end, 5)
        said += head + _exactly(end, struct.unpack("!I", head[1:])[0] - 4)
        if head[:1] in last:
            return said


def _exactly(end: socket.socket, count: int) -> bytes:
    said = b""
    while len(said) < count:
        more = end.recv(count - len(said))
        if not more:
            raise EOFError
        said += more
    return said


@contextmanager
def pooled(conn_str: str) -> Iterator[str]:
    """The connection string that goes through a pooler."""
    port = conn_str.split("port=")[1].split()[0]
    pooler = Pooler(int(port))
    try:
        yield conn_str.replace(f"port={port}", f"port={pooler.port}")
    finally:
        pooler.close()
