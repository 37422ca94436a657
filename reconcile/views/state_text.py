"""The state as text: addresses, one resource, the whole. Pure: Snapshot -> str."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from reconcile.model.instants import instant, to_seconds
from reconcile.model.snapshot import AnyRecorded, RecordedAlarm, RecordedEvent, RecordedHandling, Run, Snapshot
from reconcile.views.inert import cells, inert
from reconcile.views.layout import hanging
from reconcile.views.plan_text import resolve_command
from reconcile.views.style import Style
from reconcile.views.units import counted
from reconcile.views.values import flat, value_text


def render_addresses(addresses: list[str]) -> str:
    """One address a line."""
    return "".join(inert(address) + "\n" for address in addresses)


def render_entries(entries: Mapping[str, AnyRecorded]) -> str:
    """Entries of the state as JSON, by address."""
    return json.dumps({address: record.model_dump(mode="json") for address, record in entries.items()}, indent=2) + "\n"


def render_resource(address: str, record: AnyRecorded, *, style: Style, width: int = 100) -> str:
    """One recorded resource: what we know of it, then its content as last sent."""
    facts = [(name, inert(text)) for name, text in _facts(record)]
    content = [(inert(path), value_text(path, value)) for path, value in flat(record.content)]
    lines = [style.bold(inert(address)), *_columns(facts, 2, width), "  content", *_columns(content, 4, width)]
    return "\n".join(lines) + "\n"


def _columns(rows: list[tuple[str, str]], indent: int, width: int) -> Iterator[str]:
    column = max((cells(name) for name, _ in rows), default=0)
    for name, text in rows:
        yield from hanging(name, text, indent=indent, width=width, label_width=column)


def _facts(record: AnyRecorded) -> Iterator[tuple[str, str]]:
    yield "target", record.target
    match record:
        case RecordedAlarm():
            yield from _alarm_facts(record)
        case RecordedEvent():
            yield "reported", instant(record.reported_at)
        case RecordedHandling(runs=runs):
            yield "runs", str(len(runs))
            yield from (("run", _run(run)) for run in runs)


def _alarm_facts(record: RecordedAlarm) -> Iterator[tuple[str, str]]:
    yield "confirmation", record.confirmation
    yield "id", record.remote_id or record.alarm_id or "not known"
    yield "since", instant(record.starts_at)
    yield "reported", instant(record.reported_at)
    yield "expires", "never" if record.expires_at is None else instant(record.expires_at)
    yield "occurrence", record.occurrence
    if record.protect:
        yield "protected", "yes"


def _run(run: Run) -> str:
    status = f", {run.status}" if run.status else ""
    return f"{instant(run.at)} {run.outcome}, ticket {run.ticket or 'unknown'}{status} (alarm {run.alarm_id}, task {run.task_id})"


def render_state(snapshot: Snapshot, *, where: str, style: Style, width: int = 100) -> str:
    """The whole state: head, what is pending, a line per resource, the counts last."""
    lines = [*_head(snapshot, where, style), *_pending(snapshot, style)]
    column = max((cells(inert(address)) for address in snapshot.resources), default=0)
    for address in sorted(snapshot.resources):
        text = inert(_brief(snapshot.resources[address]))
        lines += hanging(inert(address), text, indent=2, width=width, label_width=column)
    pending = f", {counted(len(snapshot.pending), 'operation')} pending" if snapshot.pending else ""
    return "\n".join([*lines, style.bold(f"{counted(len(snapshot.resources), 'resource')}{pending}.")]) + "\n"


def _pending(snapshot: Snapshot, style: Style) -> Iterator[str]:
    """What has no answer yet, and what settles it: the first thing to be seen."""
    for intent in snapshot.pending.values():
        yield style.danger(inert(f"  ? {intent.op} {intent.address}: sent {instant(intent.at)}, {intent.phase}"))
        if intent.phase == "unknown" and intent.op == "trigger":
            yield f"      {inert(resolve_command(intent.address))}"


def _head(snapshot: Snapshot, where: str, style: Style) -> Iterator[str]:
    if snapshot.lineage is None:
        yield f"No state yet at {inert(where)}."
        return
    yield f"{style.bold('Stack ' + inert(snapshot.stack or '(unnamed)'))}   serial {snapshot.serial}   {inert(where)}"
    if (last := snapshot.last_run) is not None:
        yield inert(f"Last run {to_seconds(last.at)} by {last.who}: {last.command}, exit code {last.exit_code}")
    yield ""


def _brief(record: AnyRecorded) -> str:
    match record:
        case RecordedAlarm(expires_at=expires):
            until = "" if expires is None else f", expires {to_seconds(expires)}"
            return f"{_severity(record.content)}, {record.confirmation}{until}"
        case RecordedEvent():
            return f"{_severity(record.content)}, reported {to_seconds(record.reported_at)}"
        case RecordedHandling(runs=runs):
            return _last(runs[-1]) if runs else "never run"


def _last(run: Run) -> str:
    status = f", {run.status}" if run.status else ""
    return f"ran {to_seconds(run.at)}, {run.outcome}, ticket {run.ticket or 'unknown'}{status}"


def _severity(content: dict[str, Any]) -> str:
    return str(content.get("severity", "?"))
