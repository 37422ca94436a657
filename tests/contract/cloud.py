"""A cloud of its own, written from the API documents: strict, recording, with every hypothesis about it switchable.

It shares nothing with the tool or its emulator. What a request looked like on the wire is kept byte for byte in `seen`.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

PROJECT = "0123456789abcdef0123456789abcdef"
KEY = "abcdefghijklmnopqrstuvwxyz012345"
ALM = "ALM2025071417361705s6mUUrF"
CORE = ("event_name", "resource_provider", "resource_type", "resource_id")
NEEDED = (*CORE, "event_severity", "event_type")


@dataclass(frozen=True)
class Seen:
    """One request as it arrived. `at` is the server's clock in ms."""

    method: str
    target: str
    headers: list[tuple[str, str]]
    raw: bytes
    at: int

    @property
    def path(self) -> str:
        """Without the query."""
        return urlsplit(self.target).path

    @property
    def query(self) -> str:
        """As it was spelled."""
        return urlsplit(self.target).query

    @property
    def body(self) -> Any:
        """The JSON sent."""
        return json.loads(self.raw) if self.raw else None

    def header(self, name: str) -> str | None:
        """One header, whatever its case; twice is a fault."""
        found = [value for key, value in self.headers if key.lower() == name.lower()]
        assert len(found) <= 1, f"{name} was sent {len(found)} times"
        return found[0] if found else None


@dataclass
class Reply:
    """What to answer. `cut` closes the connection instead of answering, after `delay` seconds."""

    status: int = 200
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)
    cut: bool = False
    delay: float = 0.0
    text: str | None = None


@dataclass
class Cloud:
    """The world, and how it behaves where the documents are silent."""

    identity: str = "core"
    repeat: str = "update"
    clear_by: str = "id"
    dialect: str = "current"
    page_info: bool = True
    listing: bool = True
    page: int = 1000
    lag: float = 0.0
    numeric_ids: bool = False
    poisoned: str | None = None
    max_batch: int = 10_000
    token: str | None = None
    history_page: int = 100
    alarm_status: str = "alarming"
    before: Callable[[Seen], Reply | None] = lambda seen: None
    seen: list[Seen] = field(default_factory=list)
    records: list[dict[str, Any]] = field(default_factory=list)
    ended: list[dict[str, Any]] = field(default_factory=list)
    histories: list[dict[str, Any]] = field(default_factory=list)
    raised: dict[str, dict[str, Any]] = field(default_factory=dict)
    numbers: int = 9_007_199_254_740_993
    url: str = ""
    lock: Any = field(default_factory=threading.RLock)

    def of(self, method: str, end: str) -> list[Seen]:
        """The requests of this method whose path ends so."""
        return [seen for seen in self.seen if seen.method == method and seen.path.endswith(end)]

    @property
    def pushes(self) -> list[Seen]:
        """Reports, without clears."""
        return [seen for seen in self.seen if seen.path.endswith("/push/events") and seen.query == ""]

    @property
    def clears(self) -> list[Seen]:
        """Clears."""
        return [seen for seen in self.seen if seen.path.endswith("/push/events") and seen.query != ""]

    @property
    def posts(self) -> list[Seen]:
        """Tasks started, or asked to."""
        return self.of("POST", "/auto-process")

    @property
    def lists(self) -> list[Seen]:
        """ListEvents."""
        return [
            seen for seen in self.seen if seen.method == "POST" and seen.path.endswith("/events") and "/push/" not in seen.path
        ]

    def active(self) -> list[dict[str, Any]]:
        """What is active now, events apart."""
        now = _now()
        return [r for r in self.records if r["metadata"]["event_type"] == "alarm" and r["starts_at"] + r["timeout"] > now]

    def plant(self, **metadata: str) -> dict[str, Any]:
        """An active record that somebody else reported."""
        known = {
            "event_name": "planted",
            "event_severity": "Major",
            "event_type": "alarm",
            "resource_provider": "ecs",
            "resource_type": "vm",
            "resource_id": "vm-1",
        }
        event = {"starts_at": _now() - 1000, "timeout": 86_400_000, "metadata": known | metadata, "annotations": {"message": "m"}}
        return self._add(event, "0")

    # -- what is answered ------------------------------------------------------------------------------------------

    def answer(self, seen: Seen) -> Reply:
        """Any request."""
        with self.lock:
            self.seen.append(seen)
            early = self.before(seen)
            if early is not None:
                return early
            asked = self.token is not None and "/custom/" not in seen.path and "/auth/" not in seen.path
            if asked and seen.header("X-Auth-Token") != self.token:
                return Reply(401, {"error_code": "APIGW.0301", "error_msg": "Incorrect IAM authentication information"})
            return self._route(seen)

    def _route(self, seen: Seen) -> Reply:
        parts = seen.path.strip("/").split("/")
        if parts[0] == "v2" and parts[2:] == ["push", "events"]:
            return self._push(seen)
        if parts[0] == "v2" and parts[2:] == ["events"] and seen.method == "POST":
            return self._list(seen)
        if parts[:4] == ["v1", "event", "huawei", "custom"] and seen.method == "POST":
            return self._custom(seen, parts[4])
        if parts[:3] == ["v1", "alarm-mgmt", "alarm"]:
            return self._coc(seen, parts[3:])
        return Reply(404, {"error_code": "APIGW.0101", "error_msg": "The API does not exist"})

    def _push(self, seen: Seen) -> Reply:
        allowed = ("PUT", "POST") if self.dialect == "cn-2021" else ("PUT",)
        if seen.method not in allowed or seen.query not in ("", "action=clear"):
            return _bad(f"{seen.method} {seen.target}")
        if set(seen.body) != {"events"} or not isinstance(seen.body["events"], list):
            return _bad("body")
        project = seen.header("enterprise-project-id")
        if (project is not None) != (self.dialect == "current"):
            return _bad("enterprise-project-id")
        events = seen.body["events"]
        if len(events) > self.max_batch:
            return Reply(413, {"error_code": "AOM.0413", "error_msg": "too large"})
        clear = seen.query == "action=clear"
        for event in events:
            problem = self._problem(event, clear)
            if problem:
                return _bad(problem)
        for event in events:
            self._clear(event) if clear else self._report(event, project or "0")
        return Reply(200, {"error_code": "AOM.0200"}) if self.dialect == "cn-2021" else Reply(204)

    def _problem(self, event: dict[str, Any], clear: bool) -> str | None:
        known = {"starts_at", "ends_at", "timeout", "metadata", "annotations", "id"}
        known |= {"current": {"attach_rule"}, "legacy": set(), "cn-2021": {"resource_group_id"}}[self.dialect]
        metadata = event.get("metadata", {})
        if set(event) - known:
            return f"unknown field {sorted(set(event) - known)}"
        if any(not metadata.get(key) for key in NEEDED):
            return "metadata is invalid"
        if not all(isinstance(v, str) and 1 <= len(v) <= 2048 for v in metadata.values()):
            return "metadata value"
        if self.poisoned and metadata["resource_id"] == self.poisoned:
            return "poisoned"
        if clear:
            if not isinstance(event.get("ends_at"), int) or (("id" in event) != (self.dialect == "current")):
                return "clear: id, ends_at"
            return None
        whole = isinstance(event.get("starts_at"), int) and isinstance(event.get("timeout"), int)
        return None if whole and "id" not in event and "ends_at" not in event else "report: starts_at, timeout"

    def _key(self, metadata: dict[str, str], project: str) -> Any:
        names = CORE if self.identity == "core" else sorted(metadata)
        return (project, *((name, metadata[name]) for name in names))

    def _add(self, event: dict[str, Any], project: str) -> dict[str, Any]:
        self.numbers += 2
        record = json.loads(json.dumps(event))
        record |= {"id": str(self.numbers), "ends_at": 0, "arrives_at": _now(), "enterprise_project_id": project}
        self.records.append(record)
        return record  # type: ignore[no-any-return]

    def _report(self, event: dict[str, Any], project: str) -> None:
        key = self._key(event["metadata"], project)
        same = [r for r in self.active() if self._key(r["metadata"], r["enterprise_project_id"]) == key]
        if not same or self.repeat == "second":
            self._add(event, project)
        elif self.repeat == "update":
            same[0].update(json.loads(json.dumps(event)), arrives_at=_now())

    def _clear(self, event: dict[str, Any]) -> None:
        metadata = event["metadata"]
        by_id = self.clear_by == "id" and "id" in event

        def hit(record: dict[str, Any]) -> bool:
            if by_id:
                return bool(record["id"] == event["id"])
            project = record["enterprise_project_id"]
            return bool(self._key(record["metadata"], project) == self._key(metadata, project))

        gone = [record for record in self.records if hit(record)]
        self.records = [record for record in self.records if record not in gone]
        self.ended += [record | {"ends_at": event["ends_at"]} for record in gone]

    def _list(self, seen: Seen) -> Reply:
        query = dict(parse_qsl(seen.query, keep_blank_values=True))
        if set(query) != {"type", "limit", "marker"} or not isinstance(seen.body.get("time_range"), str):
            return _bad("query")
        if not self.listing:
            said = {"error_code": "AOM.0403", "error_msg": "Policy doesn't allow aom:alarm:list to be performed."}
            return Reply(403, said)
        history = query["type"] == "history_alert"
        found = list(self.ended if history else self.active())
        shown_until = _now() - self.lag * 1000
        found = [record for record in found if record["arrives_at"] <= shown_until]
        for wanted in seen.body.get("metadata_relation", []):
            found = [r for r in found if r["metadata"].get(wanted["key"]) in wanted["value"]]
        start = int(query["marker"])
        size = len(found) if not self.page_info else self.page
        rows = [self._row(record) for record in found[start : start + size]]
        body: dict[str, Any] = {"events": rows}
        if self.page_info:
            marker = str(start + len(rows)) if start + len(rows) < len(found) else ""
            body["page_info"] = {"current_count": len(rows), "previous_marker": query["marker"], "next_marker": marker}
        return Reply(200, body)

    def _row(self, record: dict[str, Any]) -> dict[str, Any]:
        return record | {"id": int(record["id"]) if self.numeric_ids else record["id"], "policy": {}, "event_sn": record["id"]}

    def _custom(self, seen: Seen, key: str) -> Reply:
        body = seen.body
        needed = ("alarmId", "alarmName", "alarmLevel", "time", "nameSpace", "applicationId", "alarmDesc", "alarmSource")
        if key != KEY or any(not body.get(name) for name in needed):
            lacking = [name for name in needed if not body.get(name)]
            return Reply(400, {"error_code": "COC.00000001", "error_msg": f"{lacking} must not be null", "provider_code": "049"})
        if body.get("alarmStatus") == "ok":
            self.raised.pop(body["alarmId"], None)
        else:
            self.raised[body["alarmId"]] = body
        return Reply(200, {"error_code": "COC.00000000", "error_msg": "success", "data": None, "provider_code": "049"})

    def _coc(self, seen: Seen, rest: list[str]) -> Reply:
        query = dict(parse_qsl(seen.query))
        if rest[1:] == ["handle-histories"]:
            start, limit = int(query["offset"]), min(int(query["limit"]), self.history_page)
            return Reply(200, {"count": len(self.histories), "alarm_handle_histories": self.histories[start : start + limit]})
        if rest[1:] == ["auto-process"] and seen.method == "POST":
            return Reply(200, {"errorCode": "200", "errorMsg": "Success", "data": self.ran(seen)})
        if len(rest) == 1 and seen.method == "GET":
            return Reply(200, {"data": {"id": rest[0], "name": "cpu", "status": self.alarm_status, "owner": "ann"}})
        return Reply(404, {"error_code": "COC.00040404", "error_msg": "not found"})

    def ran(self, seen: Seen, who: str = "me") -> str:
        """A task really starts: one more row in the histories."""
        ticket = f"SCT{len(self.histories):022d}"
        row = {
            "work_order_id": ticket,
            "create_name": who,
            "task_type": seen.body["task_type"],
            "start_time": _now(),
            "end_time": None,
            "status": "PROCESSING",
            "associated_task_id": seen.body["associated_task_id"],
            "associated_task_name": seen.body["associated_task_name"],
        }
        self.histories.append(row)
        return ticket


def _bad(what: str) -> Reply:
    return Reply(
        400, {"error_code": "AOM.0400", "error_msg": f"invalid: {what}", "error_type": "BadRequest", "trace_id": "tr-77"}
    )


def _now() -> int:
    return time.time_ns() // 1_000_000


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    cloud: Cloud

    def _serve(self) -> None:
        raw = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        reply = self.cloud.answer(Seen(self.command, self.path, list(self.headers.items()), raw, _now()))
        if reply.delay:
            time.sleep(reply.delay)
        if reply.cut:
            self.close_connection = True
            return
        text = reply.text if reply.text is not None else "" if reply.body is None else json.dumps(reply.body)
        self.send_response(reply.status)
        for name, value in reply.headers.items():
            self.send_header(name, value)
        if reply.status != 204:
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(text.encode())))
        self.end_headers()
        self.wfile.write(text.encode())

    do_GET = do_PUT = do_POST = do_DELETE = _serve

    def log_message(self, format: str, *args: Any) -> None:
        """Quiet."""


@contextmanager
def running(cloud: Cloud) -> Iterator[Cloud]:
    """Serve the cloud on loopback while the block runs."""
    handler = type("Handler", (_Handler,), {"cloud": cloud})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    server.block_on_close = False
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    cloud.url = f"http://127.0.0.1:{server.server_port}"
    try:
        yield cloud
    finally:
        server.shutdown()
        server.server_close()
        thread.join(5)
