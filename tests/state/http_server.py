"""A strict server of the Terraform state protocol, with faults to order: plain, or with the habits of GitLab or Gitea."""

from __future__ import annotations

import base64
import hashlib
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

FIELDS = {"ID", "Operation", "Info", "Who", "Version", "Created", "Path"}


@dataclass
class Kept:
    """One state: its document, its lock, and what GitLab remembers of serials."""

    content: bytes | None = None
    lock: dict[str, Any] | None = None
    serials: set[int] = field(default_factory=set)


@dataclass
class StateServer:
    """`faults` maps a method to what its next requests meet: `lost` (done, no answer), `500 after`, `500 before`,
    `twice`, `short` (half of it), `altered`, a status. One that is `nameless` does not say who holds a lock."""

    url: str = ""
    gitlab: bool = False
    gitea: bool = False
    nameless: bool = False
    states: dict[str, Kept] = field(default_factory=dict)
    faults: dict[str, list[str]] = field(default_factory=dict)
    log: list[tuple[str, str, int]] = field(default_factory=list)
    login: str | None = None
    guard: threading.Lock = field(default_factory=threading.Lock)

    def answer(self, method: str, target: str, headers: dict[str, str], body: bytes) -> tuple[int, bytes]:
        """What a correct server does."""
        if self.login is not None and headers.get("authorization") != self.login:
            return 401, b'{"message": "401 Unauthorized"}'
        parts = urlsplit(target)
        id = parse_qs(parts.query).get("ID", [None])[0]
        path, _, last = parts.path.rpartition("/")
        if last == "lock":
            return self._lock(method, self.states.setdefault(path, Kept()), body, id)
        kept = self.states.setdefault(parts.path, Kept())
        match method:
            case "GET":
                return (404, b"") if kept.content is None else (200, kept.content)
            case "POST":
                return self._write(kept, headers, body, id)
        return 405, b"method not allowed"

    def _write(self, kept: Kept, headers: dict[str, str], body: bytes, id: str | None) -> tuple[int, bytes]:
        if headers.get("content-type") != "application/json":
            return 415, b"application/json, please"
        if headers.get("content-md5") != base64.b64encode(hashlib.md5(body).digest()).decode():
            return 400, b"Content-MD5 does not match"
        if self.gitea:
            return self._create(kept, body, id)
        if (kept.lock or {}).get("ID") != id:
            return 409, json.dumps(kept.lock or {}).encode()
        serial = json.loads(body).get("serial")
        if not isinstance(serial, int):
            return 422, b"No serial in payload"
        if self.gitlab and serial in kept.serials:
            return 422, b"Version has already been taken"
        kept.serials.add(serial)
        kept.content = body
        return 200, b""

    def _create(self, kept: Kept, body: bytes, id: str | None) -> tuple[int, bytes]:
        """Each serial is a version of a package; a lock that nobody holds keeps nobody out."""
        if kept.lock is not None and kept.lock["ID"] != id:
            return 423, json.dumps(kept.lock).encode()
        said = json.loads(body)
        if not said.get("serial") or not said.get("lineage"):
            return 400, b"state serial or lineage is missing"
        if said["serial"] in kept.serials:
            return 409, b"package file already exists"
        kept.serials.add(said["serial"])
        kept.content = body
        return 201, b""

    def _lock(self, method: str, kept: Kept, body: bytes, id: str | None) -> tuple[int, bytes]:
        asked = json.loads(body or b"{}")
        if method in ("LOCK", "POST"):
            if set(asked) != FIELDS or not all(isinstance(value, str) for value in asked.values()):
                return 400, b"a field is missing"
            if kept.lock is not None and self.nameless:
                return 409, b"it is locked"
            if kept.lock is not None:
                theirs = {**asked, **{k: kept.lock[k] for k in ("ID", "Who", "Created")}} if self.gitlab else kept.lock
                return (409 if self.gitlab else 423), json.dumps(theirs).encode()
            kept.lock = asked
            return 200, b""
        if method in ("UNLOCK", "DELETE"):
            if not asked and id is None and not self.gitea:  # so Terraform's `force-unlock` asks, and so GitLab understands it
                kept.lock = None
                return 200, b""
            if not asked.get("ID") or id not in (None, asked["ID"]):
                return 400, b"the id must stand in the body, and no other in the query"
            if self.gitlab and (kept.lock or {}).get("ID") != asked["ID"]:  # also where nobody holds it
                return 409, b""
            if kept.lock is not None and kept.lock["ID"] != asked["ID"]:
                return (423, b"lock ID mismatch") if self.gitea else (409, json.dumps(kept.lock).encode())
            kept.lock = None
            return 200, b""
        return 405, b"method not allowed"


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    state: StateServer

    def _any(self) -> None:
        body = self._body()
        with self.state.guard:
            faults = self.state.faults.get(self.command, [])
            fault = faults.pop(0) if faults else ""
            if fault == "500 before" or fault.isdigit():
                status, content = (500, b"before") if fault == "500 before" else (int(fault), b"as ordered")
            else:
                headers = {name.lower(): value for name, value in self.headers.items()}
                status, content = self.state.answer(self.command, self.path, headers, body)
                if fault == "twice":  # a proxy that repeats what it had no answer for
                    status, content = self.state.answer(self.command, self.path, headers, body)
            self.state.log.append((self.command, self.path, status))
        if fault == "lost":
            self.close_connection = True
            return
        if fault == "500 after":
            status, content = 500, b"after"
        self.send_response(status)
        if status == 302:
            self.send_header("Location", "http://127.0.0.1:1/elsewhere")
        if self.command == "GET" and status == 200:
            self.send_header("Content-MD5", base64.b64encode(hashlib.md5(content).digest()).decode())
        if fault == "altered":
            content = content.replace(b"full", b"void")
        self.send_header("Content-Length", str(len(content) or 10 * (fault == "short")))
        self.end_headers()
        self.wfile.write(content[: len(content) // 2] if fault == "short" else content)
        self.close_connection = self.close_connection or fault == "short"

    def _body(self) -> bytes:
        """Whole, also where its length is not told beforehand."""
        if self.headers.get("Transfer-Encoding") != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length") or 0))
        parts = []
        while size := int(self.rfile.readline(), 16):
            parts.append(self.rfile.read(size))
            self.rfile.readline()
        self.rfile.readline()
        return b"".join(parts)

    do_GET = do_POST = do_LOCK = do_UNLOCK = do_DELETE = _any

    def log_message(self, format: str, *args: Any) -> None:
        """Quiet."""


@contextmanager
def serving(*, gitlab: bool = False, gitea: bool = False) -> Iterator[StateServer]:
    """A server on this machine for as long as the block lasts."""
    state = StateServer(gitlab=gitlab, gitea=gitea)
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (_Handler,), {"state": state}))
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    state.url = f"http://127.0.0.1:{server.server_address[1]}"
    try:
        yield state
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
