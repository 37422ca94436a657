"""Triggers, at most once (contract section 6). A wave: baseline, intent durable here and in the backend, then one POST each.

A wave holds the n-th handling of each alarm, so that several handlings of one alarm run one after the other, by address.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from reconcile.applier.records import secret_digests, with_secrets
from reconcile.applier.recovery import candidates
from reconcile.applier.run import Run, describe
from reconcile.applier.together import together
from reconcile.errors import Effect, TargetError
from reconcile.model.base import digest
from reconcile.model.change import Trigger
from reconcile.model.facts import Opened, Put, Settled
from reconcile.model.resources import Handling
from reconcile.model.snapshot import Intent, RecordedAlarm, RecordedHandling
from reconcile.model.snapshot import Run as TaskRun
from reconcile.ports import HistoryRow, TaskTarget


@dataclass(frozen=True, slots=True)
class Start:
    """One task about to start: its durable intent and the rows that were there before."""

    change: Trigger
    handling: Handling
    intent: Intent


async def trigger_waves(run: Run, changes: Sequence[Trigger]) -> None:
    """Start the tasks whose alarm's own change succeeded."""
    for wave in _waves(changes):
        if run.halted():
            for change in wave:
                run.ended(change, "skipped", "stopped before it was sent")
            continue
        starts = [start for start in [await _prepared(run, change) for change in wave] if start is not None]
        if starts:
            run.session.record([Opened(intent=start.intent) for start in starts])
            run.session.publish()
            await together(_start(run, start) for start in starts)


def _waves(changes: Sequence[Trigger]) -> Iterator[list[Trigger]]:
    queues: dict[str, list[Trigger]] = {}
    for change in sorted(changes, key=lambda c: c.address):
        handling = change.after.resource
        assert isinstance(handling, Handling)
        queues.setdefault(handling.alarm or f"\0{handling.alarm_id}", []).append(change)
    for rank in range(max((len(queue) for queue in queues.values()), default=0)):
        yield [queue[rank] for queue in queues.values() if rank < len(queue)]


async def _prepared(run: Run, change: Trigger) -> Start | None:
    handling = with_secrets(change.after, run.environ)
    assert isinstance(handling, Handling) and handling.alarm_id is not None
    occurrence = _occurrence(run, handling)
    if change.after_alarm in run.failed or occurrence is None:
        run.ended(
            change, "skipped", f"{change.after_alarm} was not reported, so its task is not started; the next run tries again"
        )
        return None
    try:
        rows = await run.targets.tasks[change.target].histories(handling.alarm_id)
    except TargetError as error:
        run.failed_with(change, error)
        return None
    before = change.before.runs if isinstance(change.before, RecordedHandling) else ()
    known = any(run.alarm_id == handling.alarm_id for run in before)  # runs for another alarm say nothing of this one's
    earlier = [row for row in rows if row.task_id == handling.associated_task_id]
    if earlier and not known and not change.forced:
        detail = f"already ran as {earlier[-1].work_order_id}, says the alarm's history; run it anyway: --rerun {change.address}"
        run.ended(change, "skipped", detail)
        return None
    return Start(change, handling, _intent(run, change, handling, occurrence, rows))


def _occurrence(run: Run, handling: Handling) -> str | None:
    if handling.alarm is None:
        return ""
    record = run.record_of(handling.alarm)
    return record.occurrence if isinstance(record, RecordedAlarm) else None


def _intent(run: Run, change: Trigger, handling: Handling, occurrence: str, rows: Sequence[HistoryRow]) -> Intent:
    assert handling.alarm_id is not None
    declared = change.after.resource
    assert isinstance(declared, Handling)
    now = run.clock.now()
    before = change.before
    record = RecordedHandling(
        target=handling.target,
        digest=change.after.digest,
        content=dict(change.after.content),
        runs=before.runs if before else (),
        secrets=secret_digests(change.after, before.secrets if before else {}, run.environ, run.salt),
    )
    started = TaskRun(
        occurrence=occurrence,
        alarm_id=handling.alarm_id,
        task_id=handling.associated_task_id,
        task_digest=digest(declared.task()),
        at=now,
        outcome="unknown",
    )
    generation = len(record.runs)
    identity = digest([change.address, occurrence, handling.alarm_id, handling.associated_task_id, generation])
    return Intent(
        id=f"trigger:{change.address}:{identity[7:23]}",
        op="trigger",
        address=change.address,
        at=now,
        target=change.target,
        record=record,
        run=started,
        baseline=tuple(row.work_order_id for row in rows),
    )


async def _start(run: Run, start: Start) -> None:
    target = run.targets.tasks[start.change.target]
    assert start.handling.alarm_id is not None
    try:
        ticket = await target.trigger(start.handling.alarm_id, start.handling)
    except TargetError as error:
        if error.effect is Effect.UNKNOWN:
            await _look(run, target, start, error)
        else:
            run.session.record([Settled(intent_id=start.intent.id, how=error.effect.value)])
            run.failed_with(start.change, error)
    else:
        settle(run, start.intent, ticket, how="answered")
        run.ended(start.change, "done", f"work order {ticket}")


def settle(run: Run, intent: Intent, ticket: str, *, how: str) -> None:
    """Enter a run that is now known to have started."""
    assert isinstance(intent.record, RecordedHandling) and intent.run is not None
    run.started[intent.address] = ticket
    started = intent.run.model_copy(update={"outcome": "started", "ticket": ticket, "how": how})
    record = intent.record.model_copy(update={"runs": (*intent.record.runs, started)})
    run.session.record([Put(address=intent.address, record=record), Settled(intent_id=intent.id, how=how)])


async def _look(run: Run, target: TaskTarget, start: Start, error: TargetError) -> None:
    """The answer was lost: one new row of the task in the history is it; otherwise it stays unknown, and is never resent."""
    assert start.handling.alarm_id is not None
    try:
        rows = await target.histories(start.handling.alarm_id)
    except TargetError:
        rows = []
    found = candidates(start.intent, rows, run.session.snapshot)
    if len(found) == 1:
        settle(run, start.intent, found[0].work_order_id, how="history")
        run.ended(start.change, "done", f"work order {found[0].work_order_id}, found in the history after a lost answer")
        return
    why = describe(error)
    run.session.record([Opened(intent=start.intent.model_copy(update={"phase": "unknown", "why": why}))])
    address = start.change.address
    hint = f"it will not be sent again until you say so: reconcile resolve {address} --ticket ID | --not-run | --retrigger"
    run.ended(start.change, "unknown", f"it may have run: {why}", hint)
