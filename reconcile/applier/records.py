"""Declared + what was sent -> what the state will hold. Pure, but for the salt it is handed."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from reconcile.model.address import Address
from reconcile.model.base import Value
from reconcile.model.desired import Declared
from reconcile.model.renewal import margin_of
from reconcile.model.resources import Alarm, AnyResource, Event
from reconcile.model.secret import is_salted_from, salted
from reconcile.model.snapshot import RecordedAlarm, RecordedEvent
from reconcile.model.template import fill, path_keys, put_at, references
from reconcile.ports import Sending

R = TypeVar("R", bound=Value)


def needed_secrets(declared: Declared) -> set[str]:
    """The environment variables a request for this resource needs."""
    return {reference.name for template in declared.secrets.values() for reference in references(template)}


def with_secrets(declared: Declared, environ: Mapping[str, str]) -> AnyResource:
    """The resource with its secrets filled in: for the wire and nowhere else."""
    if not declared.secrets:
        return declared.resource
    parts: dict[str, Any] = {}
    for path, template in declared.secrets.items():
        field = str(path_keys(path)[0])
        parts.setdefault(field, {field: getattr(declared.resource, field)})
        parts[field] = put_at(parts[field], path, fill(template, lambda reference: environ[reference.name]))
    return declared.resource.model_copy(update={field: value[field] for field, value in parts.items()})


def secret_digests(
    declared: Declared, before: Mapping[str, str], environ: Mapping[str, str], salt: Callable[[], str]
) -> dict[str, str]:
    """Variable -> salted digest of its value; what is unchanged keeps its salt, so that a no-op changes no byte."""
    digests = {}
    for name in sorted(needed_secrets(declared)):
        known = before.get(name)
        digests[name] = known if known and is_salted_from(known, environ[name]) else salted(environ[name], salt())
    return digests


def first_instant(alarm: Event, now: int) -> tuple[int, bool]:
    """(`starts_at` of an occurrence's first report, whether the spec's was too old and now is sent instead)."""
    if alarm.starts_at is None or not isinstance(alarm, Alarm):
        return alarm.starts_at or now, False
    if alarm.timeout is None or alarm.starts_at + alarm.timeout - margin_of(alarm) > now:
        return alarm.starts_at, False
    return now, True


def stamp_key(stack: str, address: Address, taken: set[str]) -> str:
    """`<stack>/<address>`, with a counter where the state already holds that value (a moved alarm keeps its first)."""
    key, count = f"{stack}/{address}", 1
    while key in taken:
        count += 1
        key = f"{stack}/{address}#{count}"
    return key


def alarm_id(stack: str, address: Address, taken: set[str]) -> str:
    """COC's alarmId: letters and digits, the same for an address for life, counted where the state already holds it."""
    count = 1
    while True:
        text = f"{stack}/{address}" if count == 1 else f"{stack}/{address}#{count}"
        candidate = "rec" + hashlib.sha256(text.encode()).hexdigest()[:32]
        if candidate not in taken:
            return candidate
        count += 1


def recorded_alarm(
    declared: Declared,
    sending: Sending,
    *,
    before: RecordedAlarm | None,
    occurrence: str,
    first_at: int,
    alarm_id: str | None,
    readable: bool,
    secrets: dict[str, str],
) -> RecordedAlarm:
    """The state's entry for an alarm that this sending reports. The id stays until the list says otherwise."""
    alarm = declared.resource
    assert isinstance(alarm, Alarm)
    return RecordedAlarm.trusted(  # it shares content with the declaration and metadata with what is sent
        kind="alarm",
        target=alarm.target,
        digest=declared.digest,
        content=declared.content,
        occurrence=occurrence,
        starts_at=first_at,
        reported_at=sending.starts_at,
        expires_at=None if alarm.timeout is None else sending.starts_at + alarm.timeout,
        confirmation="unconfirmed" if readable else "assumed",
        remote_id=before.remote_id if before else None,
        alarm_id=alarm_id,
        metadata=sending.metadata,
        secrets=secrets,
        protect=alarm.is_protected(sticky=before.protect if before else False),
    )


def recorded_event(declared: Declared, sending: Sending, *, secrets: dict[str, str]) -> RecordedEvent:
    """The state's entry for an event that this sending reports."""
    return RecordedEvent(
        target=declared.resource.target,
        digest=declared.digest,
        content=dict(declared.content),
        reported_at=sending.starts_at,
        metadata=dict(sending.metadata),
        secrets=secrets,
    )


def in_doubt(record: R) -> R:
    """The entry for a resource whose sending may or may not have arrived: the next plan sends it again, or clears it."""
    return record.model_copy(update={"digest": ""})
