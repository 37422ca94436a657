"""Which recorded resource each address stands for: explicit `moved`, and renames recognised by identity."""

from __future__ import annotations

from collections.abc import Mapping

from reconcile.model.address import Address, base_of, kind_of
from reconcile.model.config import Target
from reconcile.model.desired import Desired, Moved
from reconcile.model.snapshot import AnyRecorded
from reconcile.planner.identity import Identity, identity_of


def relocate(
    desired: Desired, resources: Mapping[Address, AnyRecorded], targets: Mapping[str, Target]
) -> tuple[dict[Address, AnyRecorded], dict[Address, Address]]:
    """(records by the address they have now, new address -> old address).

    1. `moved`, followed to its end; it gives way where the new address already has a record.
    2. A removed and a new alarm or event with one identity on one target are one.
    """
    records, origins = _explicit(desired.moved, resources)
    for new, old in sorted(_same_identity(desired, records, targets).items()):
        records[new] = records.pop(old)
        origins[new] = origins.pop(old, old)
    return records, origins


def _explicit(
    moves: tuple[Moved, ...], resources: Mapping[Address, AnyRecorded]
) -> tuple[dict[Address, AnyRecorded], dict[Address, Address]]:
    if not moves:
        return dict(resources), {}
    rules = {move.old: move.new for move in moves}
    goals = {address: _follow(address, rules) for address in resources}
    staying = {address for address, goal in goals.items() if goal == address}
    records, origins = {}, {}
    for address in resources:
        goal = goals[address]
        if goal != address and (goal in staying or goal in records):
            goal = address
        records[goal] = resources[address]
        if goal != address:
            origins[goal] = address
    return records, origins


def _follow(address: Address, rules: Mapping[Address, Address]) -> Address:
    for _ in range(len(rules)):
        base = base_of(address)
        if address in rules:
            address = rules[address]
        elif base in rules:
            address = rules[base] + address[len(base) :]
        else:
            break
    return address


def _same_identity(
    desired: Desired, records: Mapping[Address, AnyRecorded], targets: Mapping[str, Target]
) -> dict[Address, Address]:
    forgotten = {entry.address for entry in desired.forget}
    removed: dict[tuple[str, Identity], Address] = {}
    for address in sorted(records.keys() - desired.declared.keys()):
        record = records[address]
        if record.kind != "handling" and address not in forgotten and base_of(address) not in forgotten:
            removed[(record.kind, identity_of(record.target, record.content, address, targets))] = address
    if not removed:
        return {}
    found: dict[Address, Address] = {}
    for address in sorted(desired.declared.keys() - records.keys()):
        declared = desired.declared[address]
        if kind_of(address) == "handling":
            continue
        old = removed.pop((declared.kind, identity_of(declared.resource.target, declared.content, address, targets)), None)
        if old is not None:
            found[address] = old
    return found
