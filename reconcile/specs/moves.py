"""`moved` and `forget`, checked against what is declared. Moves nothing."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from reconcile.model.address import Address, base_of, kind_of, parse_address
from reconcile.model.desired import Forgotten, Moved, Source
from reconcile.specs import codes
from reconcile.specs.closest import did_you_mean
from reconcile.specs.sections import Found
from reconcile.specs.source import Spot
from reconcile.specs.variables import say_not_text


class Declarations:
    """The addresses that the specs declare, well or badly."""

    def __init__(self, addresses: Collection[Address]) -> None:
        self.addresses = frozenset(addresses)
        self._bases = frozenset(base_of(address) for address in addresses)

    def declares(self, address: Address) -> bool:
        """Whether the address, or an instance of it, is declared."""
        return address in self.addresses or address in self._bases


def check_moves(found: Found, declarations: Declarations) -> tuple[tuple[Moved, ...], tuple[Forgotten, ...]]:
    """All moves and forgets, in the order of the files; problems are reported at their place."""
    moves = [(move, spot) for entry, spot in found.moved if (move := _moved(entry, spot)) is not None]
    forgets = [(forgotten, spot) for entry, spot in found.forget if (forgotten := _forgotten(entry, spot)) is not None]
    _against_declared(moves, declarations)
    _against_each_other(moves)
    olds = {move.old: move for move, _ in moves}
    for forgotten, spot in forgets:
        if declarations.declares(forgotten.address):
            spot.problem((), codes.FORGET, f"`{forgotten.address}` is still declared, so it cannot be forgotten")
        elif forgotten.address in olds:
            what = f"`{forgotten.address}` is moved at {_at(olds[forgotten.address])}, so it cannot be forgotten"
            spot.problem((), codes.FORGET, what)
    return tuple(move for move, _ in moves), tuple(forgotten for forgotten, _ in forgets)


def _moved(entry: Any, spot: Spot) -> Moved | None:
    if not isinstance(entry, dict):
        spot.problem((), codes.MOVED, "an entry of `moved` is {from: ADDRESS, to: ADDRESS}")
        return None
    for key in entry:
        if key not in ("from", "to"):
            hint = did_you_mean(key, ("from", "to"))
            spot.problem((key,), codes.UNKNOWN_KEY, f"`moved` has no `{key[:80]}`", hint, key=True)
    old, new = _end(entry, "from", spot), _end(entry, "to", spot)
    if old is None or new is None:
        return None
    if kind_of(old) != kind_of(new):
        spot.problem(("to",), codes.MOVED, f"`{old}` cannot become `{new}`: a move keeps the kind")
        return None
    return Moved(old, new, _source(spot))


def _end(entry: dict[str, Any], key: str, spot: Spot) -> Address | None:
    if key in entry:
        return _address(entry[key], key, codes.MOVED, spot)
    spot.problem((), codes.REQUIRED, f"`{key}` of a move is required")
    return None


def _forgotten(entry: Any, spot: Spot) -> Forgotten | None:
    address = _address(entry, None, codes.FORGET, spot)
    return None if address is None else Forgotten(address, _source(spot))


def _address(value: Any, key: str | None, code: str, spot: Spot) -> Address | None:
    path = () if key is None else (key,)
    if not isinstance(value, str):
        say_not_text(spot, path, value)
        return None
    try:
        parse_address(value)
    except ValueError as error:
        spot.problem(path, code, str(error))
        return None
    return value


def _source(spot: Spot) -> Source:
    return Source(spot.file.name, spot.file.places.find(spot.document, spot.base).key.line)


def _at(move: Moved) -> str:
    return f"{move.source.file}:{move.source.line}"


def _against_declared(moves: list[tuple[Moved, Spot]], declarations: Declarations) -> None:
    for move, spot in moves:
        splits = base_of(move.new) == move.old != move.new  # `alarm.web` becomes an instance of its new for_each
        declared = move.old in declarations.addresses if splits else declarations.declares(move.old)
        if declared and move.old != move.new:
            spot.problem(("from",), codes.MOVED, f"`{move.old}` is still declared, so it cannot have moved")


def _against_each_other(moves: list[tuple[Moved, Spot]]) -> None:
    olds: dict[Address, Moved] = {}
    news: dict[Address, Moved] = {}
    for move, spot in moves:
        if move.old in olds:
            spot.problem(("from",), codes.MOVED, f"`{move.old}` moves twice; first at {_at(olds[move.old])}")
        if move.new in news:
            spot.problem(("to",), codes.MOVED, f"two moves lead to `{move.new}`; the first at {_at(news[move.new])}")
        olds.setdefault(move.old, move)
        news.setdefault(move.new, move)
    for move, spot in moves:
        if _circles(move, olds):
            spot.problem((), codes.MOVED, f"the moves from `{move.old}` lead in a circle")


def _circles(move: Moved, olds: dict[Address, Moved]) -> bool:
    seen: set[Address] = set()
    address = move.new
    while address in olds and address not in seen:
        if address == move.old:
            return True
        seen.add(address)
        address = olds[address].new
    return address == move.old
