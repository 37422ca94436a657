"""Outlines a state file record by record, so that it is checked in full without ever being held in full.

Only for a file as `encode` spells it: anything else, and anything wrong, is left to the codec, which says what and where.
"""

from __future__ import annotations

import json
from array import array
from collections.abc import Callable, Iterator
from functools import cache

from pydantic import TypeAdapter

from reconcile.model.address import Address
from reconcile.model.outline import Outlines
from reconcile.model.recorded import Outlining
from reconcile.model.snapshot import AnyRecorded, Recorded
from reconcile.state.codec import loads

CHUNK = 1 << 20
_OPENING, _CLOSING = b'\n  "resources": {', b"\n    }"


def key_of(address: Address) -> bytes:
    """How the file begins an entry."""
    return b"\n    " + json.dumps(address, ensure_ascii=False).encode("utf-8", "surrogatepass") + b": "


def outline(read: Callable[[int, int], bytes]) -> tuple[Outlines, array[int], array[int]] | None:
    """(the columns, where each record starts, how long it is) of the file that `read(start, size)` reads; None where it is not
    a sound one in the usual spelling."""
    outlining = Outlining()
    starts, sizes = array("q"), array("q")
    try:
        for address, record, start, size in _records(_Window(read)):
            outlining.take(address, record)
            starts.append(start)
            sizes.append(size)
    except (ValueError, RecursionError):
        return None
    outlines = outlining.whole()
    return (outlines, starts, sizes) if len(outlines) and outlines.sound else None


def _records(text: _Window) -> Iterator[tuple[Address, AnyRecorded, int, int]]:
    """Each entry in turn. Raises ValueError for what is not one, pydantic's included."""
    here, between = text.find(_OPENING, 0) + len(_OPENING), b""
    while True:
        end = text.find(_CLOSING, here) + len(_CLOSING)
        entry = text.part(here, end)
        raw = loads("{" + entry.removeprefix(between).decode("utf-8") + "}")
        (address,) = raw
        record = record_of(raw[address])
        key = between + key_of(address)
        if not entry.startswith(key) or address.partition(".")[0] != record.kind:
            raise ValueError(address)
        yield address, record, here + len(key), end - here - len(key)
        here, between = end, b","
        text.forget(here)
        if text.part(here, here + 6) == b"\n  },\n":
            return


class _Window:
    """The part of a file that is looked at; grows at its end, and is forgotten at its beginning."""

    def __init__(self, read: Callable[[int, int], bytes]) -> None:
        self._read = read
        self._start, self._held = 0, b""

    def find(self, wanted: bytes, start: int) -> int:
        """Where `wanted` begins, at or after `start`. Raises ValueError where it does not."""
        place = self._held.find(wanted, start - self._start)
        while place < 0:
            seen = max(start - self._start, len(self._held) - len(wanted))
            self._grow()
            place = self._held.find(wanted, seen)
        return self._start + place

    def part(self, start: int, end: int) -> bytes:
        """These bytes. Raises ValueError where the file ends before."""
        while self._start + len(self._held) < end:
            self._grow()
        return self._held[start - self._start : end - self._start]

    def forget(self, before: int) -> None:
        """Let go of what lies before, now and then."""
        if before - self._start > CHUNK:
            self._held, self._start = self._held[before - self._start :], before

    def _grow(self) -> None:
        more = self._read(self._start + len(self._held), CHUNK)
        if not more:
            raise ValueError("the file ends")
        self._held += more


def record_of(raw: object) -> AnyRecorded:
    """One entry's record. Raises ValueError for what is none."""
    return _adapter().validate_python(raw)


@cache
def _adapter() -> TypeAdapter[AnyRecorded]:
    return TypeAdapter(Recorded)
