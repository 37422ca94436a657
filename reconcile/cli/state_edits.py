"""Changing a state by hand, as facts: rename and drop. Pure; refuses what would lose track of something."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from reconcile.errors import CommandLineWrong, ReconcileError
from reconcile.model.address import Address, base_of, matches, parse_address
from reconcile.model.snapshot import Drop, Put, Snapshot


def check_move(old: Address, new: Address) -> None:
    """Refuse what can never be a move, whatever the state holds."""
    try:
        kinds = {parse_address(address).kind for address in (old, new)}
    except ValueError as error:
        raise CommandLineWrong(str(error)) from None
    if len(kinds) > 1:
        raise CommandLineWrong(f"{old} cannot become {new}: an address keeps its kind")


def moved(snapshot: Snapshot, old: Address, new: Address) -> list[Put | Drop]:
    """Give a resource another address; an address without a key means all its instances."""
    pairs = {address: new + address.removeprefix(old) for address in matching(snapshot, [old])}
    taken = sorted(target for target in pairs.values() if target in snapshot.resources)
    if taken:
        raise ReconcileError(f"the state already holds {taken[0]}", hint=f"drop it first: reconcile state rm {taken[0]}")
    _refuse_pending(snapshot, pairs)
    puts = [Put(address=target, record=snapshot.resources[address]) for address, target in pairs.items()]
    return [*puts, *(Drop(address=address) for address in pairs)]


def dropped(snapshot: Snapshot, globs: Sequence[str]) -> list[Put | Drop]:
    """Drop what the globs name; every glob must name something."""
    found = matching(snapshot, globs)
    _refuse_pending(snapshot, found)
    return [Drop(address=address) for address in found]


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
                hint="run `reconcile apply` first; if it stays unknown, `reconcile resolve ADDRESS` closes it",
            )


def _closest(snapshot: Snapshot, glob: str) -> str:
    from difflib import get_close_matches

    close = get_close_matches(glob, [*snapshot.resources, *map(base_of, snapshot.resources)], 1)
    return f"did you mean {close[0]}?" if close else "`reconcile state list` shows what it holds"
