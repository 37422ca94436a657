"""What is sent for a change, what the state will hold of it, and what says so before it leaves. Sends nothing."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from typing import Literal

from reconcile.applier.records import (
    alarm_id,
    first_instant,
    recorded_alarm,
    recorded_event,
    secret_digests,
    stamp_key,
    with_secrets,
)
from reconcile.applier.run import Run
from reconcile.model.change import Renew, Replace, Report, Update
from reconcile.model.facts import Announced, push_id
from reconcile.model.occurrence import occurrence_of
from reconcile.model.resources import Alarm, Event
from reconcile.model.snapshot import RecordedAlarm, RecordedEvent
from reconcile.ports import AlarmTarget, Sending, Stamp

Reporting = Report | Update | Renew | Replace


@dataclass(frozen=True, slots=True)
class Outgoing:
    """One report on its way: what is sent, and what the state holds once it arrived. `entry` is what it holds already."""

    change: Reporting
    sending: Sending
    record: RecordedAlarm | RecordedEvent
    entry: RecordedAlarm | None
    at: int  # when its wave began

    @property
    def op(self) -> Literal["report", "update", "renew"]:
        """What its intent says that it does."""
        return "update" if isinstance(self.change, Update) else "renew" if isinstance(self.change, Renew) else "report"

    @property
    def intent_id(self) -> str:
        """Its intent's."""
        return push_id(self.op, self.change.address, self.at)


class Wave:
    """What one target is sent in a wave, composed when it is about to leave, unless all of it had to be announced before."""

    def __init__(self, run: Run, target: AlarmTarget, changes: Sequence[Reporting], at: int) -> None:
        self.target = target
        self._composed = (compose(run, target, change, at) for change in changes)
        self._ready: list[Outgoing] = []
        self.many = len(changes) > target.batch_size

    def announce(self) -> Iterator[Announced]:
        """The facts that announce all of it."""
        self._ready = list(self._composed)
        return announced(self._ready)

    def __iter__(self) -> Iterator[Outgoing]:
        return chain(self._ready, self._composed)


def announced(outgoing: Iterable[Outgoing]) -> Iterator[Announced]:
    """What is made durable before these leave, all to one target."""
    by_op: dict[str, list[Outgoing]] = {}
    for item in outgoing:
        by_op.setdefault(item.op, []).append(item)
    for op, items in by_op.items():
        yield Announced.trusted(
            do="announced",
            op=op,
            at=items[0].at,
            target=items[0].record.target,
            records={item.change.address: item.record for item in items},
            changing=tuple(item.change.address for item in items if item.entry is not None),
        )


def compose(run: Run, target: AlarmTarget, change: Reporting, at: int) -> Outgoing:
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
    return Outgoing(change, sending, record, old, at)


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


def again(run: Run, target: AlarmTarget, item: Outgoing) -> Outgoing:
    """The same report, sent later; the occurrence and its first instant stay."""
    fresh = compose(run, target, item.change, item.at)
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
