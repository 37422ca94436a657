"""A local state read by its outlines: what a plan needs of untouched records, kept beside the digest of the very bytes that
were decoded and checked in full. Other bytes are decoded in full again. Builds a record from its place in the file."""

from __future__ import annotations

import hashlib
import json
import os
import weakref
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

from reconcile.errors import StateUnusable
from reconcile.kept import Kept, Sheet, encode
from reconcile.kept import decode as decode_sheet
from reconcile.model.address import Address
from reconcile.model.outline import WIDTH, Lazily, raw_digest
from reconcile.model.snapshot import AnyRecorded, Snapshot
from reconcile.state.codec import decode
from reconcile.state.files import Files
from reconcile.state.outlining import key_of, outline, record_of

SMALLEST = 256 * 1024  # bytes of state below which decoding it costs less than looking


@dataclass(frozen=True, slots=True)
class Outlined:
    """The outlines of one local state. A wrong one is as good as none."""

    kept: Kept
    path: Path

    def recall(self, files: Files, *, tool_version: str) -> Snapshot | None:
        """The snapshot, where the file's bytes are those that were outlined."""
        handle = files.open(self.path)
        reader = None if handle is None else _Reader(handle)
        if reader is None or reader.size < SMALLEST:
            return None
        content = self.kept.read(self._name)
        sheet = None if content is None else decode_sheet(content)
        if sheet is None or sheet.about.get("sha256") != reader.sha256():
            return None
        return _snapshot(sheet, reader, str(self.path), tool_version)

    def outline(self, files: Files, *, tool_version: str) -> Snapshot | None:
        """The snapshot of a file that is not known yet, outlined for the next time; None for one that the codec has to see."""
        handle = files.open(self.path)
        reader = None if handle is None else _Reader(handle)
        if reader is None or reader.size < SMALLEST:
            return None
        found = outline(reader.at)
        if found is None:
            return None
        outlines, starts, sizes = found
        sheet = Sheet({"sha256": reader.sha256()}, outlines, {"starts": starts, "sizes": sizes})
        snapshot = _snapshot(sheet, reader, str(self.path), tool_version)
        if snapshot is not None:
            self.kept.write(self._name, encode(sheet))
        return snapshot

    @property
    def _name(self) -> str:
        return "state-" + hashlib.sha256(os.fsencode(self.path.absolute())).hexdigest()[:20]


class _Reader:
    """An open file; closed when nobody holds it any more. A state is replaced, never rewritten, so it stays what it was."""

    def __init__(self, handle: int) -> None:
        self._handle = handle
        self.size = os.fstat(handle).st_size
        weakref.finalize(self, os.close, handle)

    def sha256(self) -> str:
        found, place = hashlib.sha256(), 0
        while part := os.pread(self._handle, 1 << 20, place):
            found.update(part)
            place += len(part)
        return found.hexdigest()

    def at(self, start: int, size: int) -> bytes:
        return os.pread(self._handle, min(size, self.size), start) if start >= 0 and size >= 0 else b""


class _Records:
    """Builds records from their places; where one is not what its outline says, the whole file is decoded instead."""

    def __init__(self, sheet: Sheet, reader: _Reader, whole: Callable[[], Snapshot]) -> None:
        self._sheet, self._reader = sheet, reader
        self._whole = cache(whole)

    def build(self, place: int) -> AnyRecorded:
        address = self._sheet.outlines.addresses[place]
        record = self._record(address, place)
        return self._whole().resources[address] if record is None else record

    def _record(self, address: Address, place: int) -> AnyRecorded | None:
        key = key_of(address)
        start, size = self._sheet.numbers["starts"][place], self._sheet.numbers["sizes"][place]
        content = self._reader.at(start - len(key), len(key) + size)
        if not content.startswith(key):
            return None
        try:
            record = record_of(json.loads(content[len(key) :]))
        except ValueError:
            return None
        digest = self._sheet.outlines.digests[place * WIDTH : place * WIDTH + WIDTH]
        return record if raw_digest(record.digest) in (digest, None) else None


def _snapshot(sheet: Sheet, reader: _Reader, where: str, tool_version: str) -> Snapshot | None:
    """The file without its records is a state like any other, and read like one."""
    starts, sizes = sheet.numbers.get("starts"), sheet.numbers.get("sizes")
    if not starts or not sizes:
        return None
    first, last = starts[0] - len(key_of(sheet.outlines.addresses[0])), starts[-1] + sizes[-1]
    rest = reader.at(0, first) + reader.at(last, reader.size - last)
    try:
        bare = decode(rest, where=where, tool_version=tool_version)
    except StateUnusable:
        return None

    def whole() -> Snapshot:
        return decode(reader.at(0, reader.size), where=where, tool_version=tool_version)

    return None if bare.resources else replace(bare, resources=Lazily(sheet.outlines, _Records(sheet, reader, whole).build))
