"""One change of a plan as a row of the plan document. Every view shows rows, so that a saved plan reads like a fresh one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeAlias, assert_never

from reconcile.model.change import (
    Adopt,
    Change,
    Clear,
    Defer,
    Difference,
    Drift,
    Forget,
    Move,
    Renew,
    Replace,
    Report,
    Trigger,
    Update,
    Violation,
)
from reconcile.model.instants import instant
from reconcile.model.snapshot import Intent, RecordedHandling, basis_of

Row: TypeAlias = dict[str, Any]


def change_row(change: Change) -> Row:
    """What the document says of a change. Contents are templates, so no secret is in them; optional keys only where set."""
    row: Row = {
        "address": change.address,
        "kind": change.kind,
        "target": change.target,
        "action": change.action,
        "reason": change.reason,
        "before": _content(change.before),
        "after": None,
        "diff": [],
        "source": None,
    }
    after = None if isinstance(change, Clear | Forget) else change.after
    if after is not None:
        row |= {"after": sorted_data(after.content), "source": {"file": after.source.file, "line": after.source.line}}
    if isinstance(change, Report | Update | Replace | Trigger | Adopt):
        row["diff"] = difference_rows(change.diff)
    if (basis := basis_of(change.before)) is not None:
        row["basis"] = basis
    row |= {key: value for key, value in (("note", change.note), ("moved_from", change.moved_from)) if value is not None}
    if after is not None and after.secrets:
        row["secret_paths"] = sorted(after.secrets)
    return row | _extra(change)


def _extra(change: Change) -> Row:
    match change:
        case Update(sends=sends):
            return {} if sends else {"sends": False}
        case Replace(before=before, clear_first=first):
            return {"since": instant(before.starts_at), "clear_first": first}
        case Clear(before=before):
            return {"since": instant(before.starts_at)}
        case Renew(before=before):
            return {} if before.expires_at is None else {"expires_at": instant(before.expires_at)}
        case Trigger(after_alarm=alarm, before=handling):
            return ({} if alarm is None else {"depends_on": alarm}) | _last_run(handling)
        case Report() | Adopt() | Move() | Forget() | Defer():
            return {}
        case _:
            assert_never(change)


def _last_run(handling: RecordedHandling | None) -> Row:
    if handling is None or not handling.runs:
        return {}
    run = handling.runs[-1]
    return {"last_run": {"at": instant(run.at), "outcome": run.outcome, "ticket": run.ticket}}


def difference_rows(diff: tuple[Difference, ...]) -> list[Row]:
    """Changed paths as the document says them."""
    return [{"path": d.path, "before": sorted_data(d.before), "after": sorted_data(d.after)} for d in diff]


def intent_row(intent: Intent) -> Row:
    """A pending operation, without what it would have sent."""
    return {
        "id": intent.id,
        "op": intent.op,
        "address": intent.address,
        "target": intent.target,
        "at": instant(intent.at),
        "phase": intent.phase,
        "why": intent.why,
    }


def drift_row(drift: Drift) -> Row:
    """One way in which live differs from recorded."""
    return {
        "address": drift.address,
        "kind": drift.kind,
        "target": drift.target,
        "note": drift.note,
        "diff": difference_rows(drift.diff),
        "remote_id": drift.remote_id,
        "extra": sorted_data(drift.extra),
    }


def violation_row(violation: Violation) -> Row:
    """What a guard or a protection forbids."""
    return {"kind": violation.kind, "address": violation.address, "message": violation.message, "hint": violation.hint}


def _content(before: Any) -> Any:
    return None if before is None else sorted_data(before.content)


def sorted_data(value: Any) -> Any:
    """Nested data with its keys in order, so that where it was read from leaves no trace in the bytes."""
    if isinstance(value, Mapping):
        return {key: sorted_data(value[key]) for key in sorted(value)}
    return [sorted_data(item) for item in value] if isinstance(value, list | tuple) else value
