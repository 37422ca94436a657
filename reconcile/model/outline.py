"""Many resources in columns: what decides an untouched one, without building it; and a mapping that builds on demand.

Pure: where the bodies lie, and how one is built, is the affair of whoever hands in `build`.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from reconcile.model.address import Address

T = TypeVar("T")
WIDTH = 32  # bytes of a digest
NEVER = 2**62  # the instant of what does not expire
PLAIN, ALARM, HANDLING = 1, 2, 4  # flags: decided by digest and time alone · its kind


@dataclass(frozen=True, slots=True)
class Outlines:
    """One entry a resource and column: address, raw digest, flags, and a number in ms.

    The number of a declared resource is its renewal margin, of a recorded one the instant it expires.
    """

    addresses: list[Address] = field(default_factory=list)
    digests: bytes = b""
    flags: bytes = b""
    numbers: array[int] = field(default_factory=lambda: array("q"))

    def __len__(self) -> int:
        return len(self.addresses)

    @property
    def sound(self) -> bool:
        """Whether the columns are of one length and name nothing twice."""
        count = len(self.addresses)
        lengths = {len(self.flags), len(self.numbers), len(self.digests) / WIDTH}
        return lengths == {count} and len(set(self.addresses)) == count


def raw_digest(digest: str) -> bytes | None:
    """The 32 bytes of `sha256:…`, or None for anything else."""
    try:
        raw = bytes.fromhex(digest.removeprefix("sha256:"))
    except ValueError:
        return None
    return raw if digest.startswith("sha256:") and len(raw) == WIDTH else None


class Lazily(Mapping[Address, T], Generic[T]):
    """A mapping whose values are built when they are asked for, once each; its keys and outlines are there at once."""

    def __init__(self, outlines: Outlines, build: Callable[[int], T]) -> None:
        self.outlines = outlines
        self.places: dict[Address, int] = dict(zip(outlines.addresses, range(len(outlines)), strict=True))
        self._build = build
        self._built: dict[Address, T] = {}

    def __getitem__(self, address: Address) -> T:
        if address not in self._built:
            self._built[address] = self._build(self.places[address])
        return self._built[address]

    def special(self) -> Iterator[T]:
        """Those that digest and time alone do not decide."""
        flags, addresses = self.outlines.flags, self.outlines.addresses
        return (self[addresses[place]] for place, flag in enumerate(flags) if not flag & PLAIN)

    def __contains__(self, address: object) -> bool:
        return address in self.places

    def __iter__(self) -> Iterator[Address]:
        return iter(self.places)

    def __len__(self) -> int:
        return len(self.places)


def agreeing(declared: Outlines, recorded: Lazily[T], now: int) -> set[Address]:
    """What is recorded with the same digest as it is declared, and not due for a renewal."""
    theirs = recorded.outlines
    if _all_agree(declared, theirs, now):
        return set(declared.addresses)
    return {declared.addresses[here] for here in _agreeing(declared, theirs, recorded.places, now)}


def _all_agree(declared: Outlines, recorded: Outlines, now: int) -> bool:
    """The usual case, decided column by column."""
    same = declared.addresses == recorded.addresses and declared.digests == recorded.digests
    if not same or not all(flag & PLAIN for flag in {*declared.flags, *recorded.flags}):
        return False
    return min(recorded.numbers, default=NEVER) - now > max(declared.numbers, default=0)


def _agreeing(declared: Outlines, recorded: Outlines, places: Mapping[Address, int], now: int) -> Iterator[int]:
    theirs, their_flags, ends = recorded.digests, recorded.flags, recorded.numbers
    ours, flags, margins = declared.digests, declared.flags, declared.numbers
    for here, address in enumerate(declared.addresses):
        there = places.get(address)
        if there is None or not flags[here] & their_flags[there] & PLAIN or ends[there] - now <= margins[here]:
            continue
        if ours[here * WIDTH : here * WIDTH + WIDTH] == theirs[there * WIDTH : there * WIDTH + WIDTH]:
            yield here
