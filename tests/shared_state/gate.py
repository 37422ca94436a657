"""A gate before a server: bytes pass both ways until it is shut; then every connection breaks and none is accepted."""

from __future__ import annotations

import contextlib
import select
import socket
import threading


class Gate:
    """Listens on a port of its own on this machine; `shut` and `open` as often as one likes."""

    def __init__(self, port: int) -> None:
        self._behind = port
        self._guard = threading.Lock()
        self._pairs: set[tuple[socket.socket, socket.socket]] = set()
        self._shut = False
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._serve, daemon=True).start()

    def shut(self) -> None:
        """As if the server's network were gone."""
        with self._guard:
            self._shut = True
            for pair in self._pairs:
                for end in pair:
                    with contextlib.suppress(OSError):
                        end.shutdown(socket.SHUT_RDWR)

    def open(self) -> None:
        """Let through what comes from now on."""
        self._shut = False

    def close(self) -> None:
        """Stop listening."""
        self.shut()
        self._listener.close()

    def _serve(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                if self._shut:
                    client.close()
                else:
                    threading.Thread(target=self._pass, args=(client,), daemon=True).start()

    def _pass(self, client: socket.socket) -> None:
        with client, socket.create_connection(("127.0.0.1", self._behind)) as server:
            with self._guard:
                self._pairs.add((client, server))
            with contextlib.suppress(OSError):
                ends = {client: server, server: client}
                while True:
                    for end in select.select(list(ends), [], [])[0]:
                        content = end.recv(1 << 16)
                        if not content:
                            return
                        ends[end].sendall(content)
            with self._guard:
                self._pairs.discard((client, server))
