"""What an earlier run left open -> what is settled now. Pure functions; running them twice is the same as once.

- A report, update or renewal that was about to be sent: the state takes it as in doubt; the plan sends it again, or clears it.
- A clear: a resource still recorded is in doubt: the plan clears it again, or reports it where it is declared once more. Of a
  replaced one, it is a debt that the next apply pays.
- A trigger: decided by the alarm's histories (contract section 6.4); never resent by itself, unless `on_unknown: retrigger` and
  the settle time has passed without a row.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from reconcile.applier.records import in_doubt
from reconcile.model.address import Address
from reconcile.model.facts import Put, Settled, fold
from reconcile.model.snapshot import Intent, RecordedAlarm, RecordedHandling, Snapshot
from reconcile.ports import AnyFact, HistoryRow


def settle_pushes(snapshot: Snapshot) -> tuple[list[AnyFact], list[Intent]]:
    """(facts that settle open pushes, clears that are still owed)."""
    facts: list[AnyFact] = []
    owed: list[Intent] = []
    pushes = [i for _, i in sorted(snapshot.pending.items()) if i.op not in ("trigger", "clear")]
    for intent in pushes:
        entry = snapshot.resources.get(intent.address) if intent.changes_entry else None
        doubtful = entry or intent.record
        if doubtful is not None:
            facts.append(Put(address=intent.address, record=in_doubt(doubtful)))
        facts.append(Settled(intent_id=intent.id, how="in doubt"))
    resources = dict(snapshot.resources)
    fold(facts, resources, {})  # what a replacement may have put in the place of the one to be cleared
    for _, intent in sorted(snapshot.pending.items()):
        if intent.op != "clear":
            continue
        record = intent.record
        if isinstance(record, RecordedAlarm) and is_recorded(replace(snapshot, resources=resources), intent.address, record):
            facts += [Put(address=intent.address, record=in_doubt(record)), Settled(intent_id=intent.id, how="left to the plan")]
        else:
            owed.append(intent)
    return facts, owed


def is_recorded(snapshot: Snapshot, address: Address, owed: RecordedAlarm) -> bool:
    """Whether the record to be cleared is still the one in the state."""
    current = snapshot.resources.get(address)
    if not isinstance(current, RecordedAlarm):
        return False
    return (current.metadata, current.alarm_id, current.reported_at) == (owed.metadata, owed.alarm_id, owed.reported_at)


@dataclass(frozen=True, slots=True)
class Settlement:
    """How a trigger's intent ends: `ticket` adopted, or `not_run`, or neither: it stays unknown because of `why`."""

    ticket: str | None = None
    not_run: bool = False
    why: str = ""


def candidates(intent: Intent, rows: Sequence[HistoryRow], snapshot: Snapshot) -> list[HistoryRow]:
    """The rows that can be this intent's run: its task, not in the baseline, claimed by nobody, by our own user where known."""
    assert intent.run is not None
    claimed = _claimed(snapshot)
    ours = {row.create_name for row in rows if row.work_order_id in claimed and row.create_name}
    found: dict[str, HistoryRow] = {}
    for row in rows:
        new = row.work_order_id not in intent.baseline and row.work_order_id not in claimed
        if new and row.task_id == intent.run.task_id and (not ours or row.create_name is None or row.create_name in ours):
            found[row.work_order_id] = row
    return list(found.values())


def _claimed(snapshot: Snapshot) -> set[str]:
    handlings = (record for record in snapshot.resources.values() if isinstance(record, RecordedHandling))
    return {run.ticket for record in handlings for run in record.runs if run.ticket}


def settle_trigger(intent: Intent, rows: Sequence[HistoryRow], snapshot: Snapshot, *, now: int, settle_time: int) -> Settlement:
    """Decide an open trigger from all pages of its alarm's histories. Times in ms."""
    found = candidates(intent, rows, snapshot)
    if len(found) == 1:
        return Settlement(ticket=found[0].work_order_id)
    if len(found) > 1:
        return Settlement(
            why=f"{len(found)} work orders of the task appeared since: " + ", ".join(r.work_order_id for r in found)
        )
    if not isinstance(intent.record, RecordedHandling) or intent.record.content.get("on_unknown") != "retrigger":
        return Settlement(why=intent.why or "the run that sent it ended before an answer")
    if now < intent.at + settle_time:
        return Settlement(why="no work order appeared yet; too early to send it again")
    return Settlement(not_run=True)
