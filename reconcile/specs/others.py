"""The resources of files that are not read again, as far as those that are read can clash with them or name them."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from reconcile.model.address import Address


class Collision(Exception):
    """A file that was read and one that was not declare the same: read all, to say where."""


@dataclass(frozen=True)
class Others:
    """Their addresses, sorted."""

    addresses: Sequence[Address] = ()

    def check_names(self, bases: Iterable[Address]) -> None:
        """Raise Collision where one of these, or an instance of it, is declared here, too."""
        if self.addresses and any(self._has(base, base) or self._has(base + "[", base) for base in bases):
            raise Collision

    def _has(self, beginning: str, base: Address) -> bool:
        place = bisect_left(self.addresses, beginning)
        found = self.addresses[place] if place < len(self.addresses) else ""
        return found == base or found.startswith(base + "[")
