"""What is live against what is recorded, as text and as a document. Pure: Drift -> str."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

from reconcile import __version__
from reconcile.model.change import Drift
from reconcile.model.instants import instant
from reconcile.model.rows import drift_row
from reconcile.model.snapshot import Snapshot
from reconcile.ports import TaskStatus
from reconcile.views.inert import cells, inert
from reconcile.views.layout import hanging
from reconcile.views.plan_document import FORMAT_VERSION
from reconcile.views.steps import step_lines, step_sides
from reconcile.views.style import Style
from reconcile.views.units import counted

Tasks = Mapping[str, tuple[str, TaskStatus]]
KINDS = ("missing", "changed", "twin", "expired", "unconfirmed", "orphan")
MOST_ROWS = 200


def drift_document(found: Sequence[Drift], snapshot: Snapshot, *, as_of: int, tasks: Tasks | None = None) -> str:
    """The drift as JSON, in the words of the plan document; with how the last task of each handling stands."""
    counts = Counter(drift.kind for drift in found)
    document = {
        "format_version": FORMAT_VERSION,
        "tool_version": __version__,
        "as_of": instant(as_of),
        "stack": snapshot.stack,
        "state": {"lineage": snapshot.lineage, "serial": snapshot.serial},
        "summary": {kind: counts[kind] for kind in KINDS},
        "drift": [drift_row(drift) for drift in found],
        "tasks": [
            {"address": address, "ticket": ticket, "status": status.word, "ended": status.ended, "succeeded": status.succeeded}
            for address, (ticket, status) in (tasks or {}).items()
        ],
    }
    return json.dumps(document, indent=2, allow_nan=False) + "\n"


def render_drift(
    found: Sequence[Drift], snapshot: Snapshot, *, as_of: int, style: Style, width: int, tasks: Tasks | None = None
) -> str:
    """A row per difference with what differs, a row per task; the counts last."""
    head = f"{style.bold('Stack ' + inert(snapshot.stack or '(none)'))}   state serial {snapshot.serial}   as of {instant(as_of)}"
    lines = [head, ""]
    for drift in found[:MOST_ROWS]:
        lines += _row(drift, style, width)
    if len(found) > MOST_ROWS:
        lines.append(f"  ... and {len(found) - MOST_ROWS:,} more: --json holds them all")
    lines += _tasks(tasks or {}, style, width)
    return "\n".join([*lines, *([""] if found or tasks else []), style.bold(drift_summary(found, snapshot))]) + "\n"


def _tasks(tasks: Tasks, style: Style, width: int) -> Iterator[str]:
    for address, (ticket, status) in tasks.items():
        paint = style.danger if status.ended and not status.succeeded else style.dim
        yield f"  {paint('task'.ljust(13))}  {style.bold(inert(address))}"
        yield from hanging("", inert(task_words(ticket, status)), indent=8, width=width)


def task_words(ticket: str, status: TaskStatus) -> str:
    """How a work order stands, in the server's own word."""
    end = "" if not status.ended else ", ended well" if status.succeeded else ", FAILED"
    return f"work order {ticket}: {status.word or 'no status yet'}{end}"


def _row(drift: Drift, style: Style, width: int) -> list[str]:
    name = inert(drift.address or drift.remote_id or "?")
    record = f" (id {drift.remote_id})" if drift.address and drift.remote_id else ""
    lines = [f"  {style.danger(f'! {drift.kind:<11}')}  {style.bold(name)}"]
    lines += hanging("", inert(drift.note + record), indent=8, width=width)
    label_width = min(max((cells(inert(d.path)) for d in drift.diff), default=0), 36)
    for d in drift.diff:
        text, then = step_sides(d.path, d.before, d.after)
        if then is None:
            lines += hanging(inert(d.path), text, indent=8, width=width, label_width=label_width)
        else:
            lines += step_lines(inert(d.path), text, then, indent=8, width=width, label_width=label_width, limit=None)
    return lines


def drift_summary(found: Sequence[Drift], snapshot: Snapshot) -> str:
    """The counts, in a sentence."""
    alarms = sum(1 for record in snapshot.resources.values() if record.kind == "alarm")
    if not found:
        return f"No drift. {counted(alarms, 'alarm')} looked at."
    counts = Counter(drift.kind for drift in found)
    return (
        f"Drift: {', '.join(f'{counts[kind]:,} {kind}' for kind in KINDS if counts[kind])}. {counted(alarms, 'alarm')} looked at."
    )
