"""Declared resources as columns and bodies: what is left of a resource once it was read, until somebody asks for it again.

A body is checked against its digest whenever it is built, wherever it lay in between.
"""

from __future__ import annotations

import json
from array import array
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from sys import intern

from pydantic_core import PydanticSerializationError

from reconcile.model.address import KINDS, Address
from reconcile.model.base import digest
from reconcile.model.desired import Declared, Source
from reconcile.model.outline import ALARM, HANDLING, NEVER, PLAIN, WIDTH, Outlines, raw_digest
from reconcile.model.renewal import margin_of
from reconcile.model.resources import Alarm, Event, Handling
from reconcile.specs.identities import MARK

_NONE: Mapping[str, str] = {}
MODELS: dict[str, type[Event] | type[Handling]] = {"alarm": Alarm, "event": Event, "handling": Handling}


class Unsound(Exception):
    """A kept body is not what its digest says."""


@dataclass(slots=True)
class Rows:
    """Columns, an entry a resource; `files` holds numbers of files. `bodies` are the resources themselves, as bytes."""

    addresses: list[Address] = field(default_factory=list)
    digests: bytes | bytearray = field(default_factory=bytearray)
    flags: bytes | bytearray = field(default_factory=bytearray)
    margins: array[int] = field(default_factory=lambda: array("q"))
    marks: bytes | bytearray = field(default_factory=bytearray)
    files: array[int] = field(default_factory=lambda: array("q"))
    bodies: list[bytes] = field(default_factory=list)

    def outlines(self) -> Outlines:
        """The columns that planning needs."""
        return Outlines(self.addresses, bytes(self.digests), bytes(self.flags), self.margins)

    def picked(self, places: Sequence[int]) -> Rows:
        """The rows at these places, in this order, without their bodies."""
        return Rows(
            [self.addresses[place] for place in places],
            _parts(self.digests, WIDTH, places),
            bytes(map(self.flags.__getitem__, places)),
            array("q", map(self.margins.__getitem__, places)),
            _parts(self.marks, MARK, places),
            array("q", map(self.files.__getitem__, places)),
        )

    def followed_by(self, other: Rows) -> Rows:
        """These rows, then the others; without their bodies."""
        return Rows(
            self.addresses + other.addresses,
            bytes(self.digests + other.digests),
            bytes(self.flags + other.flags),
            self.margins + other.margins,
            bytes(self.marks + other.marks),
            self.files + other.files,
        )

    def all_marks(self) -> set[bytes]:
        """The identities among them."""
        marks = bytes(self.marks)
        return {marks[start : start + MARK] for start in range(0, len(marks), MARK)} - {bytes(MARK)}


def _parts(column: bytes | bytearray, width: int, places: Sequence[int]) -> bytes:
    whole = bytes(column)
    return b"".join([whole[place * width : place * width + width] for place in places])


class Collecting:
    """Rows as they are read. `numbers` are those of the files, by name."""

    def __init__(self, numbers: Mapping[str, int]) -> None:
        self.rows = Rows()
        self._numbers = numbers

    def take(self, one: Declared, mark: bytes) -> None:
        """Add a resource. Raises ValueError for text that JSON cannot hold."""
        resource, rows = one.resource, self.rows
        body = body_of(one)
        alarm = resource if isinstance(resource, Alarm) else None
        lifted = alarm is not None and "protect" in alarm.lifecycle.model_fields_set and not alarm.lifecycle.protect
        plain = one.kind != "handling" and not one.secrets and not lifted
        rows.addresses.append(one.address)
        rows.digests += raw_digest(one.digest) or bytes(WIDTH)
        rows.flags.append(plain * PLAIN | {"alarm": ALARM, "handling": HANDLING}.get(one.kind, 0))  # type: ignore[union-attr]
        rows.margins.append(min(margin_of(alarm), NEVER) if alarm is not None else 0)
        rows.marks += mark
        rows.files.append(self._numbers[one.source.file])
        rows.bodies.append(body)


def body_of(one: Declared) -> bytes:
    """A resource as bytes. Raises ValueError for text that JSON cannot hold."""
    try:
        text = one.resource.__pydantic_serializer__.to_json(one.resource, exclude_unset=True)
    except PydanticSerializationError as error:
        raise ValueError(str(error)) from error
    head = json.dumps([one.kind, one.source.file, one.source.line, dict(one.secrets)])
    return b"%b\n%b" % (head.encode(), text)


def declared_from(address: Address, body: bytes, raw: bytes) -> Declared:
    """The resource of a body. Raises Unsound unless it has the digest it is kept under."""
    try:
        head, _, text = body.partition(b"\n")
        kind, file, line, secrets = json.loads(head)
        resource = MODELS[kind].model_validate_json(text).sharing()
        if isinstance(resource, Event):
            resource.resource.sharing()
        content = resource.content()
        found = digest(content)
    except (ValueError, KeyError, TypeError) as error:
        raise Unsound(address) from error
    if raw_digest(found) != raw or address.partition(".")[0] != kind:
        raise Unsound(address)
    return Declared(address, KINDS[KINDS.index(kind)], resource, content, found, Source(intern(file), line), secrets or _NONE)


@dataclass(frozen=True, slots=True)
class Woven:
    """Rows of two origins, sorted by address: old ones, whose bodies lie elsewhere, and new ones."""

    rows: Rows
    order: Sequence[int]
    count: int
    new: Rows

    def body(self, place: int, old: Callable[[int], bytes]) -> bytes:
        """The body of a row; `old` finds those of old rows by their place among these."""
        here = self.order[place]
        return old(here) if here < self.count else self.new.bodies[here - self.count]

    def hex_digests(self) -> Iterable[tuple[Address, str]]:
        """Address and digest, spelled as nouns spell it."""
        digests = bytes(self.rows.digests)
        for place, address in enumerate(self.rows.addresses):
            yield address, "sha256:" + digests[place * WIDTH : place * WIDTH + WIDTH].hex()


def woven(old: Rows, new: Rows) -> Woven:
    """Both, sorted by address."""
    both = old.followed_by(new) if old.addresses else new
    order = sorted(range(len(both.addresses)), key=both.addresses.__getitem__)
    return Woven(both.picked(order), order, len(old.addresses), new)
