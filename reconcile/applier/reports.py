"""Reports, updates, renewals and the reporting half of replacements: compose, send in batches, read back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from reconcile.applier.batches import Delivery, deliver, nothing_to_secure
from reconcile.applier.clears import send_clears
from reconcile.applier.foreign import HINT, foreign_words
from reconcile.applier.readback import Correction, Seen, confirm
from reconcile.applier.recorder import Recorder, recording
from reconcile.applier.records import (
    alarm_id,
    first_instant,
    in_doubt,
    recorded_alarm,
    recorded_event,
    secret_digests,
    stamp_key,
    with_secrets,
)
from reconcile.applier.run import Run, describe
from reconcile.applier.together import together
from reconcile.errors import Effect, TargetError
from reconcile.model.address import Address
from reconcile.model.change import Renew, Replace, Report, Update
from reconcile.model.occurrence import occurrence_of
from reconcile.model.resources import Alarm, Event
from reconcile.model.snapshot import Accepted, Confirmed, Intent, Opened, Put, RecordedAlarm, RecordedEvent, Settled
from reconcile.ports import AlarmTarget, AnyFact, Sending, Stamp

Reporting = Report | Update | Renew | Replace


@dataclass(frozen=True, slots=True)
class Outgoing:
    """One report on its way: what is sent, and what the state holds once it arrived. `entry` is what it holds already."""

    change: Reporting
    sending: Sending
    record: RecordedAlarm | RecordedEvent
    entry: RecordedAlarm | None
    intent_id: str


async def report_wave(run: Run, changes: Sequence[Reporting]) -> None:
    """Report these changes, all targets at once; every one of them is in the account afterwards."""
    by_target: dict[str, list[Reporting]] = {}
    for change in changes:
        by_target.setdefault(change.after.resource.target, []).append(change)
    wave = [(run.targets.alarms[name], members) for name, members in sorted(by_target.items())]
    composed = [(target, [compose(run, target, change) for change in members]) for target, members in wave]
    run.session.announce(Opened(intent=_intent(run, item)) for _, outgoing in composed for item in outgoing)
    await together(_report_to(run, target, outgoing) for target, outgoing in composed)


async def _report_to(run: Run, target: AlarmTarget, outgoing: Sequence[Outgoing]) -> None:
    arrived = await _send(run, target, outgoing)
    alarms = {o.change.address: o for o in arrived if isinstance(o.record, RecordedAlarm)}
    confirmed = await _confirm(run, target, alarms) if target.readable else {}
    for item in arrived:
        address = item.change.address
        id = confirmed.get(address)
        if address in run.foreign:
            run.ended(item.change, "failed", foreign_words(address, run.foreign[address]), HINT)
        elif id is not None:
            run.ended(item.change, "done", f"id {id}")
        elif address in alarms and target.readable:
            run.ended(item.change, "unconfirmed", "sent, not seen in the list yet; the next run looks again")
        else:
            run.ended(item.change, "done", "assumed: no read-back exists here" if address in alarms else "")


async def _send(run: Run, target: AlarmTarget, outgoing: Sequence[Outgoing]) -> list[Outgoing]:
    async with recording(run.session, beside=len(outgoing) > target.batch_size) as recorder:
        arrived, unsent = await _deliver(run, target, outgoing, recorder)
        announced = run.session.snapshot.pending
        recorder.note([Settled(intent_id=i.intent_id, how="not sent") for i in unsent if i.intent_id in announced])
    for item in unsent:
        run.ended(item.change, "skipped", "stopped before it was sent")
    return arrived


async def _deliver(
    run: Run, target: AlarmTarget, outgoing: Sequence[Outgoing], recorder: Recorder
) -> tuple[list[Outgoing], list[Outgoing]]:
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
        secure=lambda batch: recorder.secure([Opened(intent=_intent(run, item)) for item in batch]),
        after=after,
        failed=failed,
        halted=run.halted,
    )
    return arrived, await deliver(outgoing, delivery)


def _intent(run: Run, item: Outgoing) -> Intent:
    change = item.change
    return Intent(
        id=item.intent_id,
        op="update" if isinstance(change, Update) else "renew" if isinstance(change, Renew) else "report",
        address=change.address,
        at=run.clock.now(),
        target=item.record.target,
        record=item.record,
        changes_entry=item.entry is not None,
    )


def compose(run: Run, target: AlarmTarget, change: Reporting) -> Outgoing:
    """Build what is sent for a change and what is recorded of it. Secrets go into the sending only."""
    declared, resource = change.after, with_secrets(change.after, run.environ)
    assert isinstance(resource, Event)
    before = change.before
    old = before if isinstance(before, RecordedAlarm) and not isinstance(change, Replace) else None
    now = max(run.clock.now(), old.reported_at + 1 if old else 0)
    starts_at = now if old else _first(run, change, resource, now)
    mark = _mark(run, target, change)
    sending = target.compose(
        resource,
        address=change.address,
        starts_at=starts_at,
        stamp=None if target.readable is False or mark is None else Stamp(mark),
        alarm_id=None if target.readable else mark,
    )
    digests = secret_digests(declared, before.secrets if before else {}, run.environ, run.salt)
    record: RecordedAlarm | RecordedEvent
    if isinstance(resource, Alarm):
        record = recorded_alarm(
            declared,
            sending,
            before=old,
            occurrence=old.occurrence if old else occurrence_of(run.stack, change.address, now),
            first_at=old.starts_at if old else starts_at,
            alarm_id=None if target.readable else mark,
            readable=target.readable,
            secrets=digests,
        )
    else:
        record = recorded_event(declared, sending, secrets=digests)
    return Outgoing(change, sending, record, old, f"{change.action}:{change.address}:{now}")


def _first(run: Run, change: Reporting, resource: Event, now: int) -> int:
    starts_at, too_old = first_instant(resource, now)
    if too_old:
        run.observer.told(f"{change.address}: its `starts_at` is so old that the alarm would expire at once; now is sent instead")
    return starts_at


def _mark(run: Run, target: AlarmTarget, change: Reporting) -> str | None:
    """The stamp key (AOM) or alarmId (COC): as first reported, else a new one that nobody holds."""
    before = change.before
    if isinstance(before, RecordedAlarm) and before.target == change.after.resource.target:
        known = before.metadata.get("reconcile_key") if target.readable else before.alarm_id
        if known is not None:
            return known
    make = stamp_key if target.readable else alarm_id
    key = make(run.stack, change.address, run.taken)
    run.taken.add(key)
    return key


async def _confirm(run: Run, target: AlarmTarget, sent: Mapping[Address, Outgoing]) -> dict[Address, str]:
    records = {address: item.record for address, item in sent.items() if isinstance(item.record, RecordedAlarm)}
    if not records:
        return {}
    again = dict(sent)

    async def resend(addresses: Sequence[Address]) -> Mapping[Address, RecordedAlarm]:
        items = [_again(run, target, again[address]) for address in addresses]
        renewed = await _resend(run, target, items)
        again.update(renewed)
        return {address: item.record for address, item in renewed.items() if isinstance(item.record, RecordedAlarm)}

    correction = Correction(
        clear=lambda clears: send_clears(run, target, clears),
        resend=resend,
        sent=lambda address: again[address].sending.body,
    )
    confirmed = await confirm(run, target, records, correction)
    run.session.note(_facts(run, confirmed))
    return {address: seen.id for address, seen in confirmed.items()}


def _facts(run: Run, confirmed: Mapping[Address, Seen]) -> list[AnyFact]:
    """The ids of entries that stand as they were sent, in one fact; whole entries where a correction put them in doubt."""
    standing = {a: seen.id for a, seen in confirmed.items() if run.record_of(a) is seen.record}
    others = [Put(address=a, record=seen.confirmed()) for a, seen in confirmed.items() if a not in standing]
    return [*([Confirmed(ids=standing)] if standing else []), *others]


def _again(run: Run, target: AlarmTarget, item: Outgoing) -> Outgoing:
    """The same report, sent later; the occurrence and its first instant stay."""
    fresh = compose(run, target, item.change)
    assert isinstance(fresh.record, RecordedAlarm) and isinstance(item.record, RecordedAlarm)
    now = max(run.clock.now(), item.record.reported_at + 1)
    body = {**fresh.sending.body, "starts_at": now}
    timeout = (fresh.record.expires_at or 0) - fresh.record.reported_at
    kept = {
        "occurrence": item.record.occurrence,
        "starts_at": item.record.starts_at,
        "reported_at": now,
        "expires_at": now + timeout if fresh.record.expires_at is not None else None,
        "metadata": item.record.metadata,
    }
    record = fresh.record.model_copy(update=kept)
    sending = replace(fresh.sending, body={**body, "metadata": item.record.metadata}, starts_at=now)
    return replace(fresh, sending=sending, record=record)


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
