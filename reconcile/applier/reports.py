"""Reports, updates, renewals and the reporting half of replacements: send in batches, read back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from reconcile.applier.batches import Delivery, deliver, nothing_to_secure
from reconcile.applier.clears import send_clears
from reconcile.applier.foreign import HINT, foreign_words
from reconcile.applier.outgoing import Outgoing, Reporting, Wave, again, announced
from reconcile.applier.readback import Correction, Seen, confirm
from reconcile.applier.recorder import Recorder, recording
from reconcile.applier.records import in_doubt
from reconcile.applier.run import Run, describe
from reconcile.applier.together import together
from reconcile.errors import Effect, TargetError
from reconcile.model.address import Address
from reconcile.model.facts import Accepted, Confirmed, Put, Settled
from reconcile.model.snapshot import RecordedAlarm
from reconcile.ports import AlarmTarget, AnyFact


async def report_wave(run: Run, changes: Sequence[Reporting]) -> None:
    """Report these changes, all targets at once; every one of them is in the account afterwards."""
    by_target: dict[str, list[Reporting]] = {}
    for change in changes:
        by_target.setdefault(change.after.resource.target, []).append(change)
    wave = [Wave(run, run.targets.alarms[name], members, run.clock.now()) for name, members in sorted(by_target.items())]
    run.session.announce(fact for part in wave for fact in part.announce())
    await together(_report_to(run, part) for part in wave)


async def _report_to(run: Run, wave: Wave) -> None:
    target, arrived = wave.target, await _send(run, wave)
    alarms = {o.change.address: o for o in arrived if isinstance(o.record, RecordedAlarm)}
    confirmed = await _confirm(run, target, alarms) if target.readable else {}
    facts = _facts(run, confirmed)
    ids = {address: seen.id for address, seen in confirmed.items()}
    sent = [(o.change, isinstance(o.record, RecordedAlarm)) for o in arrived]
    del arrived, alarms, confirmed  # bodies and records as they were sent: the state's own take their place
    run.session.note(facts)
    for change, is_alarm in sent:
        _ended(run, target, change, ids.get(change.address), is_alarm=is_alarm)


def _ended(run: Run, target: AlarmTarget, change: Reporting, id: str | None, *, is_alarm: bool) -> None:
    address = change.address
    if address in run.foreign:
        run.ended(change, "failed", foreign_words(address, run.foreign[address]), HINT)
    elif id is not None:
        run.ended(change, "done", f"id {id}")
    elif is_alarm and target.readable:
        run.ended(change, "unconfirmed", "sent, not seen in the list yet; the next run looks again")
    else:
        run.ended(change, "done", "assumed: no read-back exists here" if is_alarm else "")


async def _send(run: Run, wave: Wave) -> list[Outgoing]:
    async with recording(run.session, beside=wave.many) as recorder:
        arrived, unsent = await _deliver(run, wave, recorder)
        announced = run.session.snapshot.pending
        recorder.note([Settled(intent_id=i.intent_id, how="not sent") for i in unsent if i.intent_id in announced])
    for item in unsent:
        run.ended(item.change, "skipped", "stopped before it was sent")
    return arrived


async def _deliver(run: Run, wave: Wave, recorder: Recorder) -> tuple[list[Outgoing], list[Outgoing]]:
    target = wave.target
    arrived: list[Outgoing] = []

    def after(batch: Sequence[Outgoing]) -> None:
        recorder.note([Accepted(intent_ids=tuple(item.intent_id for item in batch))])
        arrived.extend(batch)

    def failed(batch: Sequence[Outgoing], error: TargetError) -> None:
        facts: list[AnyFact] = [Settled(intent_id=item.intent_id, how=error.effect.value) for item in batch]
        if error.effect is Effect.UNKNOWN:
            facts += [Put(address=item.change.address, record=in_doubt(item.entry or item.record)) for item in batch]
        recorder.note(facts)
        for item in batch:
            run.failed_with(item.change, error)

    delivery = Delivery[Outgoing](
        size=target.batch_size,
        concurrency=target.concurrency,
        group=lambda item: item.sending.group,
        send=lambda batch: target.report([item.sending for item in batch]),
        secure=lambda batch: recorder.secure(list(announced(batch))),
        after=after,
        failed=failed,
        halted=run.halted,
    )
    return arrived, await deliver(wave, delivery)


async def _confirm(run: Run, target: AlarmTarget, latest: dict[Address, Outgoing]) -> dict[Address, Seen]:
    """Look until they are right. `latest` is what was last sent for each, and becomes what is sent again."""
    if not latest:
        return {}

    async def resend(addresses: Sequence[Address]) -> Mapping[Address, RecordedAlarm]:
        items = [again(run, target, latest[address]) for address in addresses]
        renewed = await _resend(run, target, items)
        latest.update(renewed)
        return {address: item.record for address, item in renewed.items() if isinstance(item.record, RecordedAlarm)}

    correction = Correction(
        clear=lambda clears: send_clears(run, target, clears),
        resend=resend,
        sent=lambda address: latest[address].sending.body,
    )
    records = ((a, item.record) for a, item in latest.items() if isinstance(item.record, RecordedAlarm))
    return await confirm(run, target, records, correction)


def _facts(run: Run, confirmed: Mapping[Address, Seen]) -> list[AnyFact]:
    """The ids of entries that stand as they were sent, in one fact; whole entries where a correction put them in doubt."""
    standing = {a: seen.id for a, seen in confirmed.items() if run.record_of(a) is seen.record}
    others = [Put(address=a, record=seen.confirmed()) for a, seen in confirmed.items() if a not in standing]
    return [*([Confirmed(ids=standing)] if standing else []), *others]


async def _resend(run: Run, target: AlarmTarget, items: Sequence[Outgoing]) -> dict[Address, Outgoing]:
    done: dict[Address, Outgoing] = {}

    def after(batch: Sequence[Outgoing]) -> None:
        run.session.record([Put(address=item.change.address, record=item.record) for item in batch])
        done.update({item.change.address: item for item in batch})

    def failed(batch: Sequence[Outgoing], error: TargetError) -> None:
        run.session.record([Put(address=item.change.address, record=in_doubt(item.record)) for item in batch])
        run.observer.told(f"{batch[0].change.address}: reporting it again failed: {describe(error)}")

    delivery = Delivery[Outgoing](
        size=target.batch_size,
        concurrency=target.concurrency,
        group=lambda item: item.sending.group,
        send=lambda batch: target.report([item.sending for item in batch]),
        secure=nothing_to_secure,
        after=after,
        failed=failed,
    )
    await deliver(items, delivery)
    return done
