"""The emulator's insides, driven without a server: one call in, status and JSON out."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from reconcile.emulator.app import close, make_app
from reconcile.emulator.desk import Desk
from reconcile.emulator.exchange import Call
from reconcile.emulator.settings import Settings, changed

PROJECT = "0123456789abcdef0123456789abcdef"
ALARM_ID = "ALM2025071417361705s6mUUrF"
JSON = {"content-type": "application/json"}


class Bench:
    """Calls on one desk."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk

    def call(self, method: str, target: str, body: Any = None, headers: Mapping[str, str] = JSON) -> tuple[int, Any]:
        """Execute a request. A body that is no bytes is sent as JSON; the answer's body is read as JSON where there is one."""
        path, _, query = target.partition("?")
        raw = b"" if body is None else body if isinstance(body, bytes) else json.dumps(body).encode()
        encoded = {name.lower(): value.encode() for name, value in headers.items()}
        answer = self.desk.answer(Call(method, path, query, encoded, raw))
        return answer.status, json.loads(answer.body) if answer.body else None

    def push(self, *events: Mapping[str, Any], method: str = "PUT", query: str = "", **headers: str) -> tuple[int, Any]:
        """Push events; `query` as in `action=clear`."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.call(method, f"/v2/{PROJECT}/push/events?{query}", {"events": list(events)}, JSON | named)

    def clear(self, *events: Mapping[str, Any]) -> tuple[int, Any]:
        """Clear alarms."""
        return self.push(*events, query="action=clear")

    def listed(self, query: str = "type=active_alert", headers: Mapping[str, str] = {}, **body: Any) -> tuple[int, Any]:
        """One page of ListEvents, over the last day unless told otherwise."""
        return self.call("POST", f"/v2/{PROJECT}/events?{query}", {"time_range": "-1.-1.1440"} | body, JSON | dict(headers))

    def active(self, **body: Any) -> list[dict[str, Any]]:
        """The active alarms."""
        status, page = self.listed(**body)
        assert status == 200
        events: list[dict[str, Any]] = page["events"]
        return events

    def shift(self, ms: int) -> None:
        """Move the server's clock."""
        store = self.desk.store
        with store.transaction():
            store.keep("clock_shift", int(store.kept("clock_shift") or 0) + ms)

    def event(self, name: str = "cpu", *, metadata: Mapping[str, Any] | None = None, **fields: Any) -> dict[str, Any]:
        """An alarm as it is reported now, for an hour."""
        core = {
            "event_name": name,
            "event_severity": "Major",
            "event_type": "alarm",
            "resource_provider": "ecs",
            "resource_type": "vm",
            "resource_id": "vm-1",
        }
        return {"starts_at": self.desk.now(), "timeout": 3_600_000, "metadata": core | dict(metadata or {})} | fields

    def ending(self, name: str = "cpu", *, metadata: Mapping[str, Any] | None = None, **fields: Any) -> dict[str, Any]:
        """The clear of `event`."""
        event = self.event(name, metadata=metadata)
        return {"ends_at": self.desk.now(), "metadata": event["metadata"]} | fields


@contextmanager
def bench(database: Path | None = None, *, environ: Mapping[str, str] | None = None, **settings: Any) -> Iterator[Bench]:
    """A desk over a database of its own."""
    app = make_app(database, changed(Settings(), settings), environ or {})
    try:
        yield Bench(app.state.desk)
    finally:
        close(app)
