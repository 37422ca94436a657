"""The first step of every locking command: settle what an earlier run left open, and tell the user what was settled."""

from __future__ import annotations

from collections.abc import Sequence

from reconcile.applier.clears import clear_owed
from reconcile.applier.recovery import settle_pushes, settle_trigger
from reconcile.applier.run import Run, describe
from reconcile.applier.triggers import settle
from reconcile.applier.unconfirmed import confirm_earlier
from reconcile.errors import TargetError
from reconcile.model.change import Clear
from reconcile.model.facts import Opened, Settled
from reconcile.model.snapshot import Intent, RecordedAlarm


async def settle_pending(run: Run) -> None:
    """Settle open intents by what state, journal and histories say. Sends nothing but clears that are owed."""
    facts, owed = settle_pushes(run.session.snapshot)
    if facts:
        run.session.record(facts)
        run.observer.told(f"settled {_count(facts, owed)} left open by an earlier run")
    await _pay(run, owed)
    for intent in [i for i in run.session.snapshot.pending.values() if i.op == "trigger"]:
        await _settle_trigger(run, intent)
    await confirm_earlier(run)


def _count(facts: Sequence[object], owed: Sequence[Intent]) -> str:
    number = sum(isinstance(fact, Settled) for fact in facts) + len(owed)
    return f"{number} request{'s' if number != 1 else ''}"


async def _pay(run: Run, owed: Sequence[Intent]) -> None:
    for intent in owed:
        if not isinstance(intent.record, RecordedAlarm):
            continue
        change = Clear(
            address=intent.address, kind="alarm", target=intent.target, reason="left by a replacement", before=intent.record
        )
        await clear_owed(run, change, intent)


async def _settle_trigger(run: Run, intent: Intent) -> None:
    assert intent.run is not None
    target = run.targets.tasks[intent.target]
    try:
        rows = await target.histories(intent.run.alarm_id)
    except TargetError as error:
        run.observer.told(f"{intent.address}: still unknown; the histories could not be read: {describe(error)}")
        return
    settlement = settle_trigger(intent, rows, run.session.snapshot, now=run.clock.now(), settle_time=target.settle_time)
    if settlement.ticket is not None:
        settle(run, intent, settlement.ticket, how="history")
        run.observer.told(f"{intent.address}: it ran as {settlement.ticket}, says the alarm's history")
    elif settlement.not_run:
        run.session.record([Settled(intent_id=intent.id, how="not run")])
        run.observer.told(
            f"{intent.address}: no work order appeared in the settle time; it is planned again (on_unknown: retrigger)"
        )
    else:
        run.observer.told(f"{intent.address}: still unknown: {settlement.why}")
        if intent.phase != "unknown":
            run.session.record([Opened(intent=intent.model_copy(update={"phase": "unknown", "why": settlement.why}))])
