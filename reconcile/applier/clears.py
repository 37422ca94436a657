"""Clears: find missing ids, clear in batches, look whether anything is left. A failed clear stays in the state."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from reconcile.applier.batches import Delivery, deliver, nothing_to_secure
from reconcile.applier.readback import CORRECTIONS_MAX, as_record, leftovers
from reconcile.applier.recorder import Recorder, recording
from reconcile.applier.records import in_doubt
from reconcile.applier.recovery import is_recorded
from reconcile.applier.run import Run, describe
from reconcile.errors import Effect, TargetError
from reconcile.model.address import Address
from reconcile.model.change import Clear, Replace
from reconcile.model.facts import Drop, Opened, Put, Settled
from reconcile.model.snapshot import Intent, RecordedAlarm
from reconcile.ports import AlarmTarget, AnyFact, LiveAlarm, Sending

NOT_GRANTED = (
    "its id is not known and listing is not granted: grant aom:alarm:list, or set `clear_without_id: true` on the target"
)
NOT_LISTED = "what is active could not be listed; the next run looks again"


@dataclass(frozen=True, slots=True)
class Clearing:
    """One record on its way out. `drops` says that its address leaves the state with it; else only where it is still the one
    recorded there."""

    change: Clear | Replace
    record: RecordedAlarm
    drops: bool
    intent_id: str

    @property
    def address(self) -> Address:
        """The address it is, or was, recorded at."""
        return self.change.address


async def clear_wave(run: Run, changes: Sequence[Clear | Replace], *, quiet: bool = False) -> None:
    """Clear the recorded alarm of each change. `quiet` enters only failures: a replacement's row ends with its report."""
    by_target: dict[str, list[Clearing]] = {}
    for change in changes:
        by_target.setdefault(change.before.target, []).append(_clearing(change))
    _announce(run, [item for members in by_target.values() for item in members])
    for name, members in sorted(by_target.items()):
        await _clear_at(run, run.targets.alarms[name], members, quiet=quiet)


def _clearing(change: Clear | Replace) -> Clearing:
    return Clearing(change, change.before, isinstance(change, Clear), f"clear:{change.address}:{change.before.reported_at}")


def _announce(run: Run, clearings: Sequence[Clearing]) -> None:
    owed = run.session.snapshot.pending
    run.session.announce(Opened(intent=_intent(run, item)) for item in clearings if item.intent_id not in owed)


def _withdraw(run: Run, unsent: Sequence[Clearing]) -> None:
    """Take back what was announced and not sent; a debt stays one."""
    snapshot = run.session.snapshot
    kept = [i for i in unsent if i.intent_id in snapshot.pending and is_recorded(snapshot, i.address, i.record)]
    run.session.record([Settled(intent_id=item.intent_id, how="not sent") for item in kept])


def owe(run: Run, changes: Sequence[Replace]) -> None:
    """Make durable that the old alarms are still to be cleared, before the new ones take their place in the state."""
    run.session.record([Opened(intent=_intent(run, _clearing(change))) for change in changes])


def owe_no_more(run: Run, changes: Sequence[Replace]) -> None:
    """Take the debt back where the old alarm is still the one in the state: the next plan replaces it again."""
    kept = [change for change in changes if is_recorded(run.session.snapshot, change.address, change.before)]
    run.session.record([Settled(intent_id=_clearing(change).intent_id, how="left to the plan") for change in kept])


async def clear_owed(run: Run, change: Clear, intent: Intent) -> None:
    """Clear what a replacement left behind. The address itself is recorded anew, or gone, and stays as it is."""
    clearing = Clearing(change, change.before, drops=False, intent_id=intent.id)
    await _clear_at(run, run.targets.alarms[intent.target], [clearing], quiet=False)


async def _clear_at(run: Run, target: AlarmTarget, clearings: Sequence[Clearing], *, quiet: bool) -> None:
    ready, gone = await _with_ids(run, target, clearings)
    accepted = [*gone, *await _send(run, target, ready)]
    if target.readable:
        accepted = await _verified(run, target, accepted)
    snapshot = run.session.snapshot
    facts: list[AnyFact] = [Settled(intent_id=item.intent_id, how="cleared") for item in accepted]
    facts += [Drop(address=i.address) for i in accepted if i.drops or is_recorded(snapshot, i.address, i.record)]
    run.session.record(facts)
    if not quiet:
        for item in accepted:
            run.ended(item.change, "done", "cleared")


def _doubted(run: Run, item: Clearing) -> list[AnyFact]:
    """What may be cleared and is still recorded is in doubt: declared as it is, it would not be reported again else."""
    if not is_recorded(run.session.snapshot, item.address, item.record):
        return []
    return [Put(address=item.address, record=in_doubt(item.record))]


async def _with_ids(run: Run, target: AlarmTarget, clearings: Sequence[Clearing]) -> tuple[list[Clearing], list[Clearing]]:
    """(what can be sent, what is no longer active). Where a clear needs an id and none can be had, the step fails."""
    needs_id = target.readable and target.clear_needs_id
    lacking = [item for item in clearings if needs_id and item.record.remote_id is None]
    if not lacking:
        return list(clearings), []
    found = await _found(run, target, {item.address: item.record for item in lacking})
    ready, gone = [item for item in clearings if item.record.remote_id is not None], []
    for item in lacking:
        live = found.get(item.address) if found else None
        if live:
            ready.append(Clearing(item.change, as_record(item.record, live[0]), item.drops, item.intent_id))
        elif target.clear_without_id:
            ready.append(item)
        elif found is not None:
            gone.append(item)
        else:
            _withdraw(run, [item])
            run.ended(item.change, "failed", NOT_GRANTED if target.name in run.unlistable else NOT_LISTED)
    return ready, gone


async def _found(
    run: Run, target: AlarmTarget, records: Mapping[Address, RecordedAlarm]
) -> Mapping[Address, Sequence[LiveAlarm]] | None:
    """The live records, or None without a list; those reported a moment ago are given the time it may need to show them."""
    settled_at = max(record.reported_at for record in records.values()) + target.confirm_timeout
    found = await leftovers(run, target, records)
    while found is not None and len(found) < len(records) and run.clock.now() < settled_at:
        await run.clock.sleep(0.5)
        found = await leftovers(run, target, records)
    return found


async def _send(run: Run, target: AlarmTarget, clearings: Sequence[Clearing]) -> list[Clearing]:
    async with recording(run.session, beside=len(clearings) > target.batch_size) as recorder:
        accepted, unsent = await _deliver(run, target, clearings, recorder)
    _withdraw(run, unsent)
    for item in unsent:
        run.ended(item.change, "skipped", "stopped before it was sent")
    return accepted


async def _deliver(
    run: Run, target: AlarmTarget, clearings: Sequence[Clearing], recorder: Recorder
) -> tuple[list[Clearing], list[Clearing]]:
    accepted: list[Clearing] = []
    composed = {item.intent_id: _compose(run, target, item.address, item.record) for item in clearings}

    def failed(batch: Sequence[Clearing], error: TargetError) -> None:
        facts: list[AnyFact] = []
        for item in batch:
            facts += _doubted(run, item) if error.effect is Effect.UNKNOWN else []
            facts += [Settled(intent_id=item.intent_id, how=error.effect.value)] if item.drops else []
        recorder.note(facts)
        for item in batch:
            run.failed_with(item.change, error)

    delivery = Delivery[Clearing](
        size=target.batch_size,
        concurrency=target.concurrency,
        group=lambda item: composed[item.intent_id].group,
        send=lambda batch: target.clear([composed[item.intent_id] for item in batch]),
        secure=lambda batch: recorder.secure([Opened(intent=_intent(run, item)) for item in batch]),
        after=accepted.extend,
        failed=failed,
        halted=run.halted,
    )
    return accepted, await deliver(clearings, delivery)


def _intent(run: Run, item: Clearing) -> Intent:
    return Intent(
        id=item.intent_id,
        op="clear",
        address=item.address,
        at=run.clock.now(),
        target=item.record.target,
        record=item.record,
    )


async def _verified(run: Run, target: AlarmTarget, cleared: Sequence[Clearing]) -> list[Clearing]:
    """Look until nothing of them is active; clear what is left again, by the id and metadata it has there."""
    watched = {item.address: item for item in cleared}
    deadline = run.clock.now() + target.confirm_timeout
    corrections, pause, touched = 0, 0.1, run.clock.now()
    while watched:
        left = await leftovers(run, target, {address: item.record for address, item in watched.items()})
        if left is None:
            return [item for item in cleared if not _unseen(run, target, item)]
        if not left:
            break
        if run.clock.now() >= deadline:
            return [item for item in cleared if not _still_active(run, item, left)]
        patience = target.confirm_timeout // 2 if corrections else target.confirm_timeout // 4
        if run.clock.now() - touched >= patience and corrections < CORRECTIONS_MAX:
            await send_clears(
                run, target, {a: [as_record(watched[a].record, live) for live in lives] for a, lives in left.items()}
            )
            corrections, touched = corrections + 1, run.clock.now()
        await run.clock.sleep(pause)
        pause = min(pause * 1.6, 1.0)
    return list(cleared)


def _still_active(run: Run, item: Clearing, left: Mapping[Address, Sequence[object]]) -> bool:
    if item.address not in left:
        return False
    run.ended(item.change, "failed", "the clear was accepted, but it is still listed as active; the next run clears it again")
    return True


def _unseen(run: Run, target: AlarmTarget, item: Clearing) -> bool:
    """Whether more of it may be active than the one that was cleared: a sending in doubt, and no list to look at."""
    sure = item.record.digest and item.record.confirmation == "confirmed"
    if sure or target.name in run.unlistable:
        return False
    run.ended(item.change, "failed", f"the clear was accepted; {NOT_LISTED}")
    return True


async def send_clears(run: Run, target: AlarmTarget, clears: Mapping[Address, Sequence[RecordedAlarm]]) -> None:
    """Clear records beside the plan's own steps (twins, leftovers). A failure is told; the next look decides again."""
    sendings = [_compose(run, target, address, record) for address, records in clears.items() for record in records]

    def failed(batch: Sequence[Sending], error: TargetError) -> None:
        run.observer.told(f"{batch[0].address}: clearing a second record failed: {describe(error)}")

    delivery = Delivery[Sending](
        size=target.batch_size,
        concurrency=target.concurrency,
        group=lambda sending: sending.group,
        send=target.clear,
        secure=nothing_to_secure,
        after=lambda batch: None,
        failed=failed,
    )
    await deliver(sendings, delivery)


def _compose(run: Run, target: AlarmTarget, address: Address, record: RecordedAlarm) -> Sending:
    return target.compose_clear(address, record, ends_at=max(run.clock.now(), record.reported_at))
