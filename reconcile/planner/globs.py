"""Many globs over many addresses. What holds no `*` and no `?` is looked up, so that a list of ten thousand names stays quick."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator

from reconcile.model.address import Address, base_of, matches


class Globs:
    """Whether one of the globs names an address."""

    def __init__(self, globs: Iterable[str]) -> None:
        self._wild = [glob for glob in globs if _is_wild(glob)]
        self._plain = {glob for glob in globs if not _is_wild(glob)}

    def __bool__(self) -> bool:
        return bool(self._wild or self._plain)

    def name(self, address: Address) -> bool:
        """As `matches` has it, for any of them."""
        if address in self._plain or base_of(address) in self._plain:
            return True
        return any(matches(glob, address) for glob in self._wild)


def naming_nothing(globs: Iterable[str], addresses: Collection[Address]) -> Iterator[str]:
    """The globs that name none of the addresses, in their order."""
    known = {*addresses, *map(base_of, addresses)}
    for glob in globs:
        if glob not in known and not (_is_wild(glob) and any(matches(glob, address) for address in addresses)):
            yield glob


def _is_wild(glob: str) -> bool:
    return "*" in glob or "?" in glob
