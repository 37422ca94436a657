"""The resources of files that are not read again, as far as those that are read can clash with them or name them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property

from reconcile.model.address import Address, base_of

Identity = tuple[str, ...]


class Collision(Exception):
    """A file that was read and one that was not declare the same: read all, to say where."""


@dataclass(frozen=True)
class Others:
    """Their addresses with their digests."""

    digests: Mapping[Address, str] = field(default_factory=dict)

    @property
    def addresses(self) -> Iterable[Address]:
        """All addresses."""
        return self.digests.keys()

    @cached_property
    def _bases(self) -> frozenset[Address]:
        return frozenset(map(base_of, self.digests))

    def check_names(self, bases: Iterable[Address]) -> None:
        """Raise Collision where one of these is declared here, too."""
        if self.digests and not self._bases.isdisjoint(bases):
            raise Collision

    def alarms(self) -> Mapping[str, list[Address]]:
        """The alarms by NAME, for handlings to refer to."""
        found: dict[str, list[Address]] = {}
        for address in self.digests:
            if address.startswith("alarm."):
                found.setdefault(base_of(address).removeprefix("alarm."), []).append(address)
        return found
