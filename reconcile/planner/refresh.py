"""What `--refresh` adds to a plan: repairs of drift, adoption of what is ours, orphans, foreign ownership. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from reconcile.errors import Refused
from reconcile.model.address import Address
from reconcile.model.base import digest
from reconcile.model.change import Adopt, Change, Clear, Report, Update, Violation
from reconcile.model.config import Target
from reconcile.model.desired import Declared
from reconcile.model.live import Live, LiveAlarm
from reconcile.model.occurrence import occurrence_of
from reconcile.model.resources import Alarm
from reconcile.model.snapshot import AnyRecorded, RecordedAlarm, Snapshot
from reconcile.planner.diff import differences
from reconcile.planner.drift import Sight, sights
from reconcile.planner.live import Index, content_of, core_of, core_of_content, is_foreign, stack_key, stamped_address


@dataclass(slots=True)
class Seen:
    """The live side of one plan. `adopt_unstamped` is `--adopt`. Gathers violations; remembers which records were adopted."""

    live: Live
    stack: str
    sights: Mapping[Address, Sight]
    keys: frozenset[tuple[str, str]]
    adopt_unstamped: bool
    indexes: Mapping[str, Index]
    adopted: set[tuple[str, str]] = field(default_factory=set)
    violations: list[Violation] = field(default_factory=list)

    @classmethod
    def of(cls, live: Live, records: Mapping[Address, AnyRecorded], stack: str, *, adopt_unstamped: bool) -> Seen:
        """Set the live records against the recorded ones."""
        alarms = {a: r for a, r in records.items() if isinstance(r, RecordedAlarm)}
        keys = frozenset((r.target, r.metadata["reconcile_key"]) for r in alarms.values() if "reconcile_key" in r.metadata)
        indexes = {name: Index(found) for name, found in live.alarms.items()}
        return cls(live, stack, sights(alarms, live), keys, adopt_unstamped, indexes)


def refuse_foreign(declared: Declared, seen: Seen) -> None:
    """Note a violation where another stack's record has a declared identity: it is never overwritten or cleared."""
    index = seen.indexes.get(declared.resource.target)
    for live in index.of(declared.content) if index else ():
        if is_foreign(live, seen.stack):
            owner = live.metadata.get("reconcile_key", "?").partition("/")[0]
            text = f"{declared.address}: an active alarm of this identity belongs to stack `{owner}` (id {live.id})"
            hint = "give it another identity, or have that stack give it up"
            seen.violations.append(Violation("foreign", text, hint, declared.address))
            return


def adoption(base: dict[str, Any], declared: Declared, seen: Seen, target: Target) -> Adopt | None:
    """Take over the active record of this identity that bears our stamp and is in nobody's entry, or, asked for, no stamp."""
    index = seen.indexes.get(declared.resource.target)
    found = index.of(declared.content) if index else []
    ours = [live for live in found if _is_free(live, seen, target.name)]
    unstamped = [live for live in found if "managed_by" not in live.metadata and seen.adopt_unstamped]
    chosen = next(iter([*ours, *unstamped]), None)
    if chosen is None:
        return None
    if chosen in ours:
        seen.adopted.add((target.name, chosen.id))
    record = adopted_record(declared, chosen, seen.stack)
    differs = record.digest != declared.digest
    lacks_stamp = target.stamp and "managed_by" not in chosen.metadata
    reason = "stamped as ours" if chosen in ours else "asked for by --adopt"
    diff = differences(record.content, declared.content) if differs else ()
    sends = differs or lacks_stamp or len(ours) > 1
    return Adopt(**base, reason=reason, after=declared, record=record, diff=diff, sends=sends)


def _is_free(live: LiveAlarm, seen: Seen, target: str) -> bool:
    return stack_key(live, seen.stack) is not None and (target, live.metadata["reconcile_key"]) not in seen.keys


def adopted_record(declared: Declared, live: LiveAlarm, stack: str) -> RecordedAlarm:
    """The state's entry for a live record that is taken over; its content is what is live, in the words of the specs."""
    content = content_of(live, declared.content)
    same = not differences(content, declared.content)
    alarm = declared.resource
    return RecordedAlarm(
        target=alarm.target,
        digest=declared.digest if same else digest(content),
        content=dict(declared.content) if same else content,
        occurrence=occurrence_of(stack, declared.address, live.starts_at),
        starts_at=live.starts_at,
        reported_at=live.starts_at,
        expires_at=live.expires_at,
        confirmation="confirmed",
        remote_id=live.id,
        metadata=dict(live.metadata),
        protect=isinstance(alarm, Alarm) and alarm.lifecycle.protect,
    )


def import_alarm(declared: Declared, alarm_id: str, live: Iterable[LiveAlarm], stack: str) -> RecordedAlarm:
    """The state's entry for the record with this id, which must have the declared identity and no other stack's stamp."""
    found = next((alarm for alarm in live if alarm.id == alarm_id), None)
    if found is None:
        raise Refused(f"no active alarm has the id {alarm_id}", hint="see `reconcile import --unmanaged`")
    if is_foreign(found, stack):
        raise Refused(f"alarm {alarm_id} belongs to another stack ({found.metadata.get('reconcile_key')})")
    if core_of(found.metadata, found.enterprise_project_id) != core_of_content(declared.content):
        hint = "name, enterprise project and the resource's provider, type and id must be the same"
        raise Refused(f"alarm {alarm_id} is not {declared.address}: its identity differs", hint=hint)
    return adopted_record(declared, found, stack)


def unmanaged(live: Live, snapshot: Snapshot, stack: str) -> list[tuple[str, LiveAlarm]]:
    """(target, alarm) of what nobody declared: no stamp of anyone, and not recorded here."""
    ids = {(r.target, r.remote_id) for r in snapshot.resources.values() if isinstance(r, RecordedAlarm)}
    found = [(target, alarm) for target, alarms in sorted(live.alarms.items()) for alarm in alarms]
    return [(t, a) for t, a in found if "managed_by" not in a.metadata and (t, a.id) not in ids]


def repair(base: dict[str, Any], declared: Declared, before: RecordedAlarm, seen: Seen, changed: bool) -> Change | None:
    """What drift of a recorded alarm asks for; None where there is none."""
    sight = seen.sights.get(declared.address)
    if sight is None or before.confirmation == "cleared":
        return None
    if sight.kept is None:
        return _cleared_outside(base, declared, before, seen, changed)
    if not sight.diff and not sight.twins:
        return None
    diff = differences(content_of(sight.kept, before.content), declared.content)
    return Update(**base, reason="drift" if sight.diff else "twin", after=declared, before=before, diff=diff)


def _cleared_outside(base: dict[str, Any], declared: Declared, before: RecordedAlarm, seen: Seen, changed: bool) -> Change | None:
    alarm = declared.resource
    policy = alarm.lifecycle.on_external_clear if isinstance(alarm, Alarm) else "report"
    if before.confirmation == "unconfirmed":
        return Report(**base, reason="never seen", after=declared, before=before)
    if policy == "accept" and not changed:
        note = "cleared by somebody else, and that is accepted until its content changes"
        base = base | {"sends": False, "confirmation": "cleared", "note": note}
        return Update(**base, reason="cleared outside", after=declared, before=before)
    if policy == "fail":
        text = f"{declared.address} was cleared outside, and `on_external_clear: fail` forbids to go on"
        hint = "find out why; then report it again with `on_external_clear: report`, or remove it from the specs"
        seen.violations.append(Violation("external", text, hint, declared.address))
    diff = differences(before.content, declared.content) if changed else ()
    return Report(**base, reason="cleared outside", after=declared, before=before, diff=diff)


def orphans(seen: Seen, taken: set[Address]) -> dict[Address, Clear]:
    """Active records with this stack's stamp that neither state nor specs know: cleared, where their address is free."""
    found: dict[Address, Clear] = {}
    for target, index in sorted(seen.indexes.items()):
        for live in sorted(index.all(), key=lambda a: a.id):
            address = stamped_address(live, seen.stack)
            if address is None or address in taken or not _is_free(live, seen, target) or (target, live.id) in seen.adopted:
                continue
            content = content_of(live, {"target": target, "timeout": 0}, everything=True)
            if live.enterprise_project_id:
                content["enterprise_project_id"] = live.enterprise_project_id
            record = RecordedAlarm(
                target=target,
                digest=digest(content),
                content=content,
                occurrence=occurrence_of(seen.stack, address, live.starts_at),
                starts_at=live.starts_at,
                reported_at=live.starts_at,
                expires_at=live.expires_at,
                confirmation="confirmed",
                remote_id=live.id,
                metadata=dict(live.metadata),
            )
            found[address] = Clear(address=address, kind="alarm", target=target, reason="orphan", before=record)
    return found
