"""Columns <-> bytes: a line of JSON that says what follows and how long it is, then one block a column. Runs nothing it reads."""

from __future__ import annotations

import json
import sys
from array import array
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from reconcile.model.outline import Outlines


@dataclass(frozen=True, slots=True)
class Sheet:
    """Outlines, what belongs to them as a whole, and further columns: 64-bit numbers, or bytes of a fixed width."""

    about: Mapping[str, Any]
    outlines: Outlines
    numbers: Mapping[str, array[int]] = field(default_factory=dict)
    marks: Mapping[str, bytes] = field(default_factory=dict)


def encode(sheet: Sheet) -> bytes:
    """The sheet as bytes of this machine's order."""
    rows = sheet.outlines
    blocks = ["\n".join(rows.addresses).encode(), rows.digests, rows.flags, rows.numbers.tobytes()]
    blocks += [sheet.numbers[name].tobytes() for name in sorted(sheet.numbers)]
    blocks += [sheet.marks[name] for name in sorted(sheet.marks)]
    head = {
        "order": sys.byteorder,
        "rows": len(rows),
        "lengths": [len(block) for block in blocks],
        "numbers": sorted(sheet.numbers),
        "marks": sorted(sheet.marks),
        "about": dict(sheet.about),
    }
    return b"\n".join([json.dumps(head).encode(), b"".join(blocks)])


def decode(content: bytes) -> Sheet | None:
    """The sheet, or None for anything but what `encode` makes on this kind of machine."""
    try:
        line, _, rest = content.partition(b"\n")
        head = json.loads(line)
        if head["order"] != sys.byteorder or sum(head["lengths"]) != len(rest):
            return None
        return _sheet(head, _blocks(rest, head["lengths"]))
    except (ValueError, KeyError, TypeError, IndexError, RecursionError):
        return None


def _blocks(rest: bytes, lengths: list[int]) -> list[bytes]:
    out, start = [], 0
    for length in lengths:
        if length < 0:
            raise ValueError(length)
        out.append(rest[start : start + length])
        start += length
    return out


def _sheet(head: Mapping[str, Any], blocks: list[bytes]) -> Sheet | None:
    addresses = blocks[0].decode().split("\n") if head["rows"] else []
    outlines = Outlines(addresses, blocks[1], blocks[2], _numbers(blocks[3]))
    numbers = {name: _numbers(block) for name, block in zip(head["numbers"], blocks[4:], strict=False)}
    marks = dict(zip(head["marks"], blocks[4 + len(numbers) :], strict=True))
    counts = {len(column) for column in numbers.values()} | {len(addresses)}
    return Sheet(head["about"], outlines, numbers, marks) if outlines.sound and counts == {head["rows"]} else None


def _numbers(block: bytes) -> array[int]:
    out = array("q")
    out.frombytes(block)
    return out
