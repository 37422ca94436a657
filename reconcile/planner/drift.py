"""Snapshot against live: missing, changed, twin, expired, unconfirmed, orphan. Pure; decides nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from reconcile.model.address import Address, matches
from reconcile.model.change import Difference, Drift
from reconcile.model.live import Live, LiveAlarm
from reconcile.model.snapshot import RecordedAlarm, Snapshot
from reconcile.planner.live import Index, drift_of, is_ours, stack_key, stamped_address


@dataclass(frozen=True, slots=True)
class Sight:
    """What was seen of one recorded alarm. `kept` is its record, if any; `twins` are further ones of its stamp and identity."""

    kept: LiveAlarm | None = None
    twins: tuple[LiveAlarm, ...] = ()
    diff: tuple[Difference, ...] = ()
    ended_at: int | None = None


def sights(records: Mapping[Address, RecordedAlarm], live: Live) -> dict[Address, Sight]:
    """What was seen of each recorded alarm whose target could be listed."""
    indexes = {name: Index(alarms) for name, alarms in live.alarms.items()}
    found: dict[Address, Sight] = {}
    for address, record in records.items():
        index = indexes.get(record.target)
        if index is None:
            continue
        ours = [alarm for alarm in index.of(record.content) if is_ours(alarm, record)]
        if ours:
            ours.sort(key=lambda alarm: alarm.id != record.remote_id and alarm.starts_at <= record.reported_at)
            found[address] = Sight(ours[0], tuple(ours[1:]), drift_of(record, ours[0]))
        else:
            found[address] = Sight(ended_at=_ended_at(record, live.ended.get(record.target, ())))
    return found


def _ended_at(record: RecordedAlarm, ended: Sequence[LiveAlarm]) -> int | None:
    ends = [alarm.ends_at for alarm in ended if alarm.ends_at and (alarm.id == record.remote_id)]
    return max(ends, default=None)


def drifts(snapshot: Snapshot, live: Live, *, stack: str, now: int) -> tuple[Drift, ...]:
    """Every difference, by address; orphans last."""
    records = {a: r for a, r in snapshot.resources.items() if isinstance(r, RecordedAlarm)}
    found: list[Drift] = []
    for address, sight in sorted(sights(records, live).items()):
        found += _of_alarm(address, records[address], sight, now)
    return (*found, *_orphans(records, live, stack))


def _of_alarm(address: Address, record: RecordedAlarm, sight: Sight, now: int) -> list[Drift]:
    found = []
    if sight.kept is None:
        if record.confirmation != "cleared":
            kind, note = _absence(record, sight, now)
            found.append(Drift(address, kind, record.target, note, remote_id=record.remote_id, extra=_when(sight)))
        return found
    if sight.diff:
        note = "its content differs from what was last sent"
        found.append(Drift(address, "changed", record.target, note, sight.diff, sight.kept.id))
    for twin in sight.twins:
        found.append(Drift(address, "twin", record.target, "a second active record of it", remote_id=twin.id))
    return found


def _absence(record: RecordedAlarm, sight: Sight, now: int) -> tuple[str, str]:
    if record.expires_at is not None and record.expires_at <= now:
        return "expired", "its timeout ran out"
    if record.confirmation == "unconfirmed":
        return "unconfirmed", "it was sent and never seen in the list"
    return "missing", "it was cleared outside; the API does not say by whom"


def _when(sight: Sight) -> dict[str, int]:
    return {} if sight.ended_at is None else {"ended_at": sight.ended_at}


def _orphans(records: Mapping[Address, RecordedAlarm], live: Live, stack: str) -> list[Drift]:
    keys = {(record.target, record.metadata.get("reconcile_key")) for record in records.values()}
    found = []
    for target, alarms in sorted(live.alarms.items()):
        for alarm in sorted(alarms, key=lambda a: (a.metadata.get("reconcile_key", ""), a.id)):
            if stack_key(alarm, stack) is not None and (target, alarm.metadata["reconcile_key"]) not in keys:
                note = "it bears this stack's stamp and is not in the state"
                found.append(Drift(stamped_address(alarm, stack), "orphan", target, note, remote_id=alarm.id))
    return found


def without_ignored(found: Sequence[Drift], ignore: Sequence[str]) -> tuple[Drift, ...]:
    """Drift left after `--ignore GLOB[#path]`: an address, or only one path (and what is below it) of it."""
    kept = []
    for drift in found:
        left: Drift | None = drift
        for rule in ignore:
            glob, _, path = rule.partition("#")
            if left is not None and matches(glob, left.address or ""):
                left = _without_path(left, path) if path else None
        if left is not None:
            kept.append(left)
    return tuple(kept)


def _without_path(drift: Drift, path: str) -> Drift | None:
    if drift.kind != "changed":
        return drift
    diff = tuple(d for d in drift.diff if d.path != path and not d.path.startswith((path + ".", path + "[")))
    return replace(drift, diff=diff) if diff else None
