"""What needs no decision: declared as recorded, digest for digest, and not due. The rest is planned one by one.

Where anything but digests and times can decide (a choice, a force, a move, what is live), nothing is settled beforehand.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import TypeVar

from reconcile.model.address import Address, kind_of
from reconcile.model.desired import Desired
from reconcile.model.outline import HANDLING, Lazily, agreeing
from reconcile.model.recorded import outlined
from reconcile.model.resources import Handling
from reconcile.model.snapshot import AnyRecorded
from reconcile.planner.options import PlanOptions

T = TypeVar("T")


def settled(desired: Desired, resources: Mapping[Address, AnyRecorded], options: PlanOptions, now: int) -> set[Address]:
    """The addresses that need nothing. Alarms that a handling waits for are not among them."""
    declared = desired.declared
    if not isinstance(declared, Lazily) or desired.moved or not _is_plain(options):
        return set()
    recorded = resources if isinstance(resources, Lazily) else outlined(resources)
    return agreeing(declared.outlines, recorded, now) - _waited_for(declared)


def alarms_among(addresses: Collection[Address]) -> int:
    """How many of them are alarms."""
    return sum(kind_of(address) == "alarm" for address in addresses)


def without(mapping: Mapping[Address, T], addresses: set[Address]) -> Mapping[Address, T]:
    """The mapping less these addresses; the others are built."""
    if not addresses:
        return mapping
    names = mapping.places.keys() if isinstance(mapping, Lazily) else mapping.keys()
    return {address: mapping[address] for address in sorted(names - addresses)}


def _is_plain(options: PlanOptions) -> bool:
    chosen = (options.targets, options.excludes, options.on, options.replace, options.rerun)
    return not any(chosen) and not (options.destroy or options.refresh or options.adopt)


def _waited_for(declared: Lazily[object]) -> set[Address]:
    flags, addresses = declared.outlines.flags, declared.outlines.addresses
    places = [place for place, flag in enumerate(flags) if flag & HANDLING] if HANDLING in flags else []
    handlings = [declared[addresses[place]] for place in places]
    resources = [getattr(handling, "resource", None) for handling in handlings]
    return {one.alarm for one in resources if isinstance(one, Handling) and one.alarm is not None}
