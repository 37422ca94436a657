"""Journal: what happened since the state was last written, one durable line per call, each chained to the line before.

A line is `length crc32 sha256-of-the-previous-line JSON`. The first one binds the journal to a lineage and a serial.
Only the last line can be torn by a crash, and a torn one was never acknowledged: it is dropped. Any other damage is refused.
"""

from __future__ import annotations

import hashlib
import json
import re
import zlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, Literal, TypeVar

from pydantic import Field, TypeAdapter, ValidationError

from reconcile.errors import StateUnusable
from reconcile.model.base import Value
from reconcile.model.facts import AnyFact, Fact
from reconcile.model.snapshot import Snapshot
from reconcile.state.codec import spell, uncollected
from reconcile.state.files import Files

T = TypeVar("T", bound=Value)
START = "0" * 64
_HEAD = re.compile(rb"([0-9a-f]{8}) ([0-9a-f]{8}) ([0-9a-f]{64}) ")
_HEAD_LENGTH = 8 + 1 + 8 + 1 + 64 + 1


class Header(Value):
    """The first line: which state this journal continues, whose run began it, and the facts of its first call."""

    journal: Literal[1] = 1
    lineage: str
    serial: int
    tool_version: str
    operation: str = ""
    facts: list[Fact] = Field(default_factory=list)


class Entry(Value):
    """Any other line: the facts of one call, all or none."""

    facts: list[Fact]


@dataclass(frozen=True, slots=True)
class Written:
    """What a journal holds. `length` is up to where it is whole, `head` the digest of its last whole line."""

    header: Header | None = None
    facts: list[AnyFact] = field(default_factory=list)
    length: int = 0
    head: str = START
    torn: bool = False


def line_of(payload: dict[str, Any], previous: str) -> bytes:
    """Spell one line. Raises ValueError for what JSON cannot hold."""
    body = spell(payload, nones=False)
    tail = previous.encode() + b" " + body
    return b"%08x %08x " % (len(body), zlib.crc32(tail)) + tail + b"\n"


def parse(content: bytes, *, where: str) -> Written:
    """Read a journal. Drops a torn last line; raises StateUnusable with the offset for any other damage."""
    with uncollected():
        return _parse(content, where)


def _parse(content: bytes, where: str) -> Written:
    header: Header | None = None
    facts: list[AnyFact] = []
    offset, head = 0, START
    while offset < len(content):
        end = _whole(content, offset, head)
        if end is None:
            if _goes_on(content, offset):
                raise damaged(f"is damaged at byte {offset} of {len(content)}", where)
            return Written(header, facts, offset, head, torn=True)
        body = content[offset + _HEAD_LENGTH : end - 1]
        try:
            if header is None:
                header = _read(_headers(), body)
                facts += header.facts
            else:
                facts += _read(_entries(), body).facts
        except ValueError as error:
            raise damaged(f"holds at byte {offset} what this version does not understand", where) from error
        head = hashlib.sha256(content[offset:end]).hexdigest()
        offset = end
    return Written(header, facts, offset, head)


def _whole(content: bytes, offset: int, previous: str) -> int | None:
    """Where the line at `offset` ends, or None when it is not whole."""
    match = _HEAD.match(content, offset)
    if match is None:
        return None
    end = match.end() + int(match[1], 16) + 1
    if end > len(content) or content[end - 1] != 0x0A or match[3].decode() != previous:
        return None
    return end if zlib.crc32(content[match.start(3) : end - 1]) == int(match[2], 16) else None


def _goes_on(content: bytes, offset: int) -> bool:
    """Whether anything follows the broken line: then it is not one that a crash tore."""
    newline = content.find(b"\n", offset)
    if newline not in (-1, len(content) - 1):
        return True
    match = _HEAD.match(content, offset)  # a line whose end was overwritten: the next one begins where its length says
    return match is not None and _HEAD.match(content, match.end() + int(match[1], 16) + 1) is not None


@cache
def _headers() -> TypeAdapter[Header]:
    return TypeAdapter(Header)


def _read(adapter: TypeAdapter[T], body: bytes) -> T:
    try:
        return adapter.validate_json(body)
    except ValidationError:  # the quick parser refuses half a surrogate pair, which a server may well have sent
        return adapter.validate_python(json.loads(body))


@cache
def _entries() -> TypeAdapter[Entry]:
    return TypeAdapter(Entry)


def damaged(what: str, where: str) -> StateUnusable:
    """The error for a journal that cannot be believed."""
    return StateUnusable(
        what,
        where=where,
        hint="nothing was changed; move the journal away to go on without what it holds since the last write of the state",
    )


def facts_since(state: Snapshot, written: Written, *, where: str) -> list[AnyFact]:
    """The facts that the state does not hold yet. Raises StateUnusable when the journal continues another state."""
    header = written.header
    if header is None:
        return []
    if state.lineage is None and header.serial > 0:
        raise _strange(f"continues serial {header.serial} of a state that is not there", where)
    if state.lineage is not None and header.lineage != state.lineage:
        raise _strange(f"belongs to lineage {header.lineage}, the state is of lineage {state.lineage}", where)
    if header.serial > state.serial:
        raise _strange(f"continues serial {header.serial}, but an older state, serial {state.serial}, was put back", where)
    return written.facts if header.serial == state.serial else []


def _strange(what: str, where: str) -> StateUnusable:
    return StateUnusable(
        what, where=where, hint="bring back the state it belongs to, or move the journal away and check with `reconcile drift`"
    )


class Journal:
    """The journal's file, open for appending between `begin` or `resume` and `discard`. Not for two threads at once."""

    def __init__(self, files: Files, path: Path) -> None:
        self._files = files
        self._path = path
        self._handle: int | None = None
        self._head = START

    def read(self) -> Written:
        """What is there; changes nothing."""
        return parse(self._files.read(self._path) or b"", where=str(self._path))

    @property
    def open(self) -> bool:
        """Whether lines can be appended."""
        return self._handle is not None

    def begin(self, header: Header) -> None:
        """Start anew, durably, with the header and the facts of the first call in one line."""
        line = line_of(dict(header), START)
        self._files.make_folder(self._path.parent)
        self._files.remove(self._path)
        self._handle = self._files.create(self._path)
        self._add(line)
        self.sync()
        self._files.sync_folder(self._path.parent)

    def resume(self, written: Written) -> None:
        """Go on after the last whole line; a torn one is cut off first."""
        self._handle = self._files.append(self._path)
        self._head = written.head
        if written.torn:
            self._files.truncate(self._handle, written.length)
            self._files.sync(self._handle)

    def append(self, facts: Sequence[AnyFact]) -> None:
        """Add one line and wait until it is on the disk."""
        self.write(facts)
        self.sync()

    def write(self, facts: Sequence[AnyFact]) -> None:
        """Add one line. Nothing may rely on it before `sync`."""
        self._add(line_of({"facts": list(facts)}, self._head))

    def sync(self) -> None:
        """Wait until every line is on the disk. Any thread may, until `discard` or `close`."""
        assert self._handle is not None
        self._files.sync_content(self._handle)

    def _add(self, line: bytes) -> None:
        assert self._handle is not None
        self._files.write(self._handle, line)
        self._head = hashlib.sha256(line).hexdigest()

    def discard(self) -> None:
        """Remove the file, once the state holds all of it. Should the removal be lost, the serial tells."""
        self.close()
        self._files.remove(self._path)

    def close(self) -> None:
        """Leave the file as it is."""
        if self._handle is not None:
            handle, self._handle = self._handle, None
            self._files.close(handle)
