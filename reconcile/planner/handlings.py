"""One handling, declared and recorded -> trigger, update, defer or nothing (contract section 6: at most once).

A run belongs to an occurrence of the alarm and to an `alarm_id`. The order of the questions:
1. Is there an `alarm_id`? 2. Is a run of it unknown? 3. Did it run for this occurrence and `alarm_id`?
4. Was the `alarm_id` used by another occurrence? 5. Is the alarm there, or about to be?
"""

from __future__ import annotations

from collections.abc import Mapping
from shlex import quote
from typing import Any

from reconcile.model.address import Address
from reconcile.model.base import digest
from reconcile.model.change import Adopt, Change, Defer, Difference, Forget, Move, Replace, Report, Trigger, Update
from reconcile.model.desired import Declared
from reconcile.model.resources import Handling
from reconcile.model.snapshot import AnyRecorded, Intent, RecordedAlarm, RecordedHandling, Run
from reconcile.planner.alarms import Ground
from reconcile.planner.diff import differences

NEW_OCCURRENCE = "\0new"  # the occurrence that this plan's own report begins; no recorded one is spelled so


class Alarms:
    """What the plan has decided for the alarms, as handlings need it."""

    def __init__(self, changes: Mapping[Address, Change | None], records: Mapping[Address, AnyRecorded], left_out: set[Address]):
        self._changes, self._records, self._left_out = changes, records, left_out

    def occurrence(self, address: Address) -> str | None:
        """The occurrence the handling would run for; None when the alarm is not active and will not be."""
        change, record = self._changes.get(address), self._records.get(address)
        if isinstance(change, Defer):
            return None
        if isinstance(change, Adopt):
            return change.record.occurrence
        if isinstance(change, Replace) or (isinstance(change, Report) and change.before is None):
            return NEW_OCCURRENCE
        if not isinstance(record, RecordedAlarm) or (record.confirmation == "cleared" and not isinstance(change, Report)):
            return None
        return record.occurrence

    def why_absent(self, address: Address) -> str:
        """A sentence for a handling whose alarm has no occurrence."""
        if address in self._left_out:
            return f"{address} is not active yet and was left out of this plan"
        if isinstance(self._changes.get(address), Defer):
            return f"{address} is itself deferred"
        return f"{address} was cleared by somebody else and that is accepted"


def plan_handling(
    declared: Declared, before: RecordedHandling | None, alarms: Alarms, pending: Mapping[str, Intent], ground: Ground
) -> Change | None:
    """The verb for a declared handling."""
    handling = declared.resource
    assert isinstance(handling, Handling)
    base: dict[str, Any] = {
        "address": declared.address,
        "kind": declared.kind,
        "target": handling.target,
        "moved_from": ground.origins.get(declared.address),
    }
    if handling.alarm_id is None:
        note = "no API finds the COC alarm: set `alarm_id` once it is known"
        return Defer(**base, reason="no alarm_id", after=declared, before=before, note=note)
    if _is_unknown(declared.address, base["moved_from"], before, handling, pending):
        note = f"it may have run: `reconcile resolve {declared.address} --ticket ID | --not-run | --retrigger`"
        return Defer(**base, reason="unknown", after=declared, before=before, note=note)
    resolved = _resolved(handling, ground)
    if resolved is not None:
        return Defer(**base, reason=resolved[0], after=declared, before=before, note=resolved[1])
    occurrence = alarms.occurrence(handling.alarm) if handling.alarm else ""
    if occurrence is None:
        assert handling.alarm is not None
        note = alarms.why_absent(handling.alarm)
        return Defer(**base, reason="alarm not active", after=declared, before=before, note=note)
    return _decide(base, declared, before, handling, occurrence, ground)


def _resolved(handling: Handling, ground: Ground) -> tuple[str, str] | None:
    """Why COC's own view of the alarm forbids its task, where it was asked."""
    coc = ground.seen.live.coc if ground.seen else {}
    key = (handling.target, handling.alarm_id or "")
    if key not in coc:
        return None
    shown = coc[key]
    if shown is not None and shown.status == "resolved":
        name = shown.name or handling.alarm_id
        return "alarm resolved", f"COC says that {name} is resolved; give the id of the alarm that is active"
    return None


def _shown(handling: Handling, ground: Ground) -> str | None:
    coc = ground.seen.live.coc if ground.seen else {}
    key = (handling.target, handling.alarm_id or "")
    if key not in coc:
        return None
    shown = coc[key]
    if shown is None:
        return f"COC does not show {handling.alarm_id}: is it the id of an aggregated alarm?"
    parts = [f"COC alarm {shown.name or shown.id}", shown.status or "status not told"]
    return ", ".join([*parts, f"owner {shown.owner}"] if shown.owner else parts)


def _is_unknown(
    address: Address,
    moved_from: Address | None,
    before: RecordedHandling | None,
    handling: Handling,
    pending: Mapping[str, Intent],
) -> bool:
    if any(i.op == "trigger" and i.address in (address, moved_from) for i in pending.values()):
        return True
    runs = before.runs if before else ()
    return any(run.outcome == "unknown" and run.alarm_id == handling.alarm_id for run in runs)


def _decide(
    base: dict[str, Any],
    declared: Declared,
    before: RecordedHandling | None,
    handling: Handling,
    occurrence: str,
    ground: Ground,
) -> Change | None:
    runs = tuple(run for run in (before.runs if before else ()) if run.alarm_id == handling.alarm_id)
    same = [run for run in runs if run.occurrence == occurrence or not handling.alarm]
    diff = _diff(declared, before)
    trigger = {**base, "after": declared, "before": before, "after_alarm": handling.alarm, "diff": diff}
    trigger["note"] = _shown(handling, ground)
    if before is not None and before.retrigger:
        return Trigger(**trigger, reason="retrigger", forced=True)
    if ground.options.wants_rerun(declared.address):
        return Trigger(**trigger, reason="rerun", forced=True)
    if same:
        return _already_ran(base, declared, before, handling, same[-1], diff, trigger)
    if runs:
        note = f"{handling.alarm_id} was already handled as {runs[-1].ticket}; give the new occurrence's `alarm_id`, or `--rerun`"
        return Defer(**base, reason="alarm_id already used", after=declared, before=before, note=note)
    return Trigger(**trigger, reason="new alarm_id" if before and before.runs else "new")


def _already_ran(
    base: dict[str, Any],
    declared: Declared,
    before: RecordedHandling | None,
    handling: Handling,
    run: Run,
    diff: tuple[Difference, ...],
    trigger: dict[str, Any],
) -> Change | None:
    assert before is not None
    if handling.rerun == "change" and digest(handling.task()) != run.task_digest:
        return Trigger(**trigger, reason="task changed")
    if before.digest != declared.digest:
        reason = "moved" if base["moved_from"] else "edited"
        note = f"already ran as {run.ticket}; not run again unless `--rerun {quote(declared.address)}`"
        return Update(**base, reason=reason, after=declared, before=before, diff=diff, sends=False, note=note)
    return Move(**base, reason="moved", after=declared, before=before) if base["moved_from"] else None


def _diff(declared: Declared, before: RecordedHandling | None) -> tuple[Difference, ...]:
    return differences(before.content, declared.content) if before and before.digest != declared.digest else ()


def plan_removed_handling(address: Address, before: RecordedHandling, ground: Ground, *, reason: str) -> Change:
    """A removed handling is only forgotten: what ran, ran."""
    return Forget(
        address=address,
        kind="handling",
        target=before.target,
        moved_from=ground.origins.get(address),
        reason=reason,
        before=before,
    )
