"""`state mv`, `state rm`, `state unprotect`: a snapshot and addresses -> facts, or a refusal. Pure; nothing is sent."""

from __future__ import annotations

from collections.abc import Sequence

from reconcile.errors import CommandLineWrong, Refused
from reconcile.model.address import Address, kind_of, matches, parse_address
from reconcile.model.snapshot import Drop, Put, RecordedAlarm, RecordedHandling, Settled, Snapshot


def move(snapshot: Snapshot, old: Address, new: Address) -> list[Put | Drop]:
    """Give a recorded resource another address; its stamp, alarmId and runs stay."""
    _check(old, new)
    record = snapshot.resources.get(old)
    if record is None:
        raise Refused(f"{old} is not in the state", hint="see `reconcile state list`")
    if new in snapshot.resources:
        raise Refused(f"{new} is already in the state", hint=f"drop it first: `reconcile state rm '{new}'`")
    if any(intent.address == old for intent in snapshot.pending.values()):
        raise Refused(f"{old} has an open operation", hint=f"settle it first: an apply, or `reconcile resolve {old}`")
    return [Drop(address=old), Put(address=new, record=record)]


def _check(old: Address, new: Address) -> None:
    try:
        parse_address(old)
        parse_address(new)
    except ValueError as error:
        raise CommandLineWrong(str(error)) from None
    if kind_of(old) != kind_of(new):
        raise Refused(f"{old} and {new} are of different kinds", hint="a resource keeps its kind")


def remove(snapshot: Snapshot, globs: Sequence[str]) -> list[Put | Drop]:
    """Drop what the globs name from the state; the remote alarms are left alone."""
    found = _named(snapshot, globs)
    open_ones = sorted({intent.address for intent in snapshot.pending.values()} & set(found))
    if open_ones:
        raise Refused(f"{open_ones[0]} has an open operation", hint=f"settle it first: `reconcile resolve {open_ones[0]}`")
    return [Drop(address=address) for address in found]


def unprotect(snapshot: Snapshot, globs: Sequence[str]) -> list[Put | Drop]:
    """Lift the protection that the state remembers. Specs that say `protect: true` set it again."""
    facts: list[Put | Drop] = []
    for address in _named(snapshot, globs):
        record = snapshot.resources[address]
        if isinstance(record, RecordedAlarm) and record.protect:
            facts.append(Put(address=address, record=record.model_copy(update={"protect": False})))
    return facts


def resolve(snapshot: Snapshot, address: Address, *, ticket: str | None, retrigger: bool, now: int) -> list[Put | Drop | Settled]:
    """Close the open trigger of a handling by a person's word: it ran as `ticket`; it is to run again; or it did not run."""
    found = [i for i in snapshot.pending.values() if i.op == "trigger" and i.address == address]
    if not found:
        raise Refused(f"{address} has no unknown run", hint="see `reconcile show`: what is unknown stands there first")
    facts: list[Put | Drop | Settled] = []
    for intent in found:
        record = intent.record
        assert isinstance(record, RecordedHandling) and intent.run is not None
        if ticket is not None:
            run = intent.run.model_copy(update={"outcome": "started", "ticket": ticket, "how": "person"})
            facts.append(Put(address=address, record=record.model_copy(update={"runs": (*record.runs, run)})))
        elif retrigger:
            facts.append(Put(address=address, record=record.model_copy(update={"retrigger": True})))
        facts.append(Settled(intent_id=intent.id, how="by a person"))
    return facts


def _named(snapshot: Snapshot, globs: Sequence[str]) -> list[Address]:
    found: list[Address] = []
    for glob in globs:
        named = sorted(address for address in snapshot.resources if matches(glob, address))
        if not named:
            raise Refused(f"nothing in the state is named by `{glob}`", hint="see `reconcile state list`")
        found += named
    return list(dict.fromkeys(found))
