"""`state mv`, `rm`, `unprotect` and `resolve`: a snapshot and addresses -> facts, or a refusal. Pure; nothing is sent."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from difflib import get_close_matches

from reconcile.errors import CommandLineWrong, ReconcileError
from reconcile.model.address import Address, base_of, matches, parse_address
from reconcile.model.facts import Drop, Put, Settled
from reconcile.model.snapshot import Intent, RecordedAlarm, RecordedHandling, Snapshot


def check_move(old: Address, new: Address) -> None:
    """Refuse what can never be a move, whatever the state holds."""
    kinds = {check_address(address) for address in (old, new)}
    if len(kinds) > 1:
        raise CommandLineWrong(f"{old} cannot become {new}: an address keeps its kind")


def check_address(address: str) -> str:
    """The kind of an address as it was typed. Raises CommandLineWrong."""
    try:
        return parse_address(address).kind
    except ValueError as error:
        raise CommandLineWrong(str(error)) from None


def move(snapshot: Snapshot, old: Address, new: Address) -> list[Put | Drop]:
    """Give a resource another address; an address without a key means all its instances. Stamps, ids and runs stay."""
    pairs = {address: new + address.removeprefix(old) for address in matching(snapshot, [old])}
    taken = sorted(target for target in pairs.values() if target in snapshot.resources)
    if taken:
        raise ReconcileError(f"the state already holds {taken[0]}", hint=f"drop it first: reconcile state rm {taken[0]}")
    _refuse_pending(snapshot, pairs)
    puts = [Put(address=target, record=snapshot.resources[address]) for address, target in pairs.items()]
    return [*puts, *(Drop(address=address) for address in pairs)]


def remove(snapshot: Snapshot, globs: Sequence[str]) -> list[Put | Drop]:
    """Drop what the globs name from the state; every glob must name something. The live alarms are left alone."""
    found = matching(snapshot, globs)
    _refuse_pending(snapshot, found)
    return [Drop(address=address) for address in found]


def unprotect(snapshot: Snapshot, globs: Sequence[str]) -> list[Put | Drop]:
    """Lift the protection that the state remembers. Specs that say `protect: true` set it again."""
    facts: list[Put | Drop] = []
    for address in matching(snapshot, globs):
        record = snapshot.resources[address]
        if isinstance(record, RecordedAlarm) and record.protect:
            facts.append(Put(address=address, record=record.model_copy(update={"protect": False})))
    return facts


def resolve(snapshot: Snapshot, address: Address, *, ticket: str | None, retrigger: bool) -> list[Put | Drop | Settled]:
    """Close the open trigger of a handling by a person's word: it ran as `ticket`; it is to run again; or it did not run."""
    found = [intent for intent in snapshot.pending.values() if intent.op == "trigger" and intent.address == address]
    if not found:
        raise ReconcileError(f"{address} has no run without an answer", hint="`reconcile show` names what is unknown")
    return [fact for intent in found for fact in _closed(intent, ticket, retrigger=retrigger)]


def _closed(intent: Intent, ticket: str | None, *, retrigger: bool) -> list[Put | Drop | Settled]:
    record = intent.record
    assert isinstance(record, RecordedHandling) and intent.run is not None
    settled = Settled(intent_id=intent.id, how="by a person")
    if ticket is not None:
        run = intent.run.model_copy(update={"outcome": "started", "ticket": ticket, "how": "person"})
        return [Put(address=intent.address, record=record.model_copy(update={"runs": (*record.runs, run)})), settled]
    if retrigger:
        return [Put(address=intent.address, record=record.model_copy(update={"retrigger": True})), settled]
    return [settled]


def matching(snapshot: Snapshot, globs: Sequence[str]) -> list[Address]:
    """The addresses of the state that the globs name, sorted. Raises when one of them names nothing."""
    found: set[Address] = set()
    for glob in globs:
        named = {address for address in snapshot.resources if matches(glob, address)}
        if not named:
            raise ReconcileError(f"the state holds nothing at {glob}", hint=_closest(snapshot, glob))
        found |= named
    return sorted(found)


def _refuse_pending(snapshot: Snapshot, addresses: Collection[Address]) -> None:
    for intent in snapshot.pending.values():
        if intent.address in addresses:
            raise ReconcileError(
                f"{intent.address} has an operation without an answer ({intent.op})",
                hint=f"run `reconcile apply` first; if it stays unknown, `reconcile resolve {intent.address}` closes it",
            )


def _closest(snapshot: Snapshot, glob: str) -> str:
    close = get_close_matches(glob, [*snapshot.resources, *map(base_of, snapshot.resources)], 1)
    return f"did you mean {close[0]}?" if close else "`reconcile state list` shows what it holds"
