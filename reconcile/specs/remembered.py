"""What earlier loads found, kept by what decided it: the bytes of each file, the config, the rules, the environment read.

Nothing here is believed over the content: a body is checked against its digest, and whoever asks can load anew.
"""

from __future__ import annotations

import hashlib
import json
import os
import weakref
from array import array
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from pydantic_core import PydanticSerializationError

from reconcile.kept import Kept, Sheet, decode, encode
from reconcile.model.address import Address
from reconcile.model.base import digest
from reconcile.model.config import Config
from reconcile.model.desired import Declared, Desired, Forgotten, Moved, Source
from reconcile.model.outline import ALARM, HANDLING, NEVER, PLAIN, WIDTH, Outlines, raw_digest
from reconcile.model.renewal import margin_of
from reconcile.model.resources import Alarm, Event, Handling

MODELS: dict[str, type[Event] | type[Handling]] = {"alarm": Alarm, "event": Event, "handling": Handling}
SMALLEST = 64 * 1024  # bytes of specs below which a file beside them is not worth its place


class Unsound(Exception):
    """A kept body is not what its digest says."""


class Watched(Mapping[str, str]):
    """The environment, noting which variables were looked at."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._environ = environ
        self.seen: set[str] = set()

    def __getitem__(self, name: str) -> str:
        self.seen.add(name)
        return self._environ[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._environ)

    def __len__(self) -> int:
        return len(self._environ)


def rules_digest(config: Config, directory: Path) -> str:
    """Moves with the config and with the code that reads specs."""
    here = Path(__file__).parents[1]
    code = hashlib.sha256()
    for path in sorted([*(here / "specs").glob("*.py"), *(here / "model").glob("*.py"), here / "__init__.py"]):
        code.update(path.name.encode() + path.read_bytes())
    return digest([code.hexdigest(), config.model_dump(mode="json"), os.fsencode(directory.absolute()).hex()])


def environ_digests(names: Iterable[str], environ: Mapping[str, str]) -> dict[str, str]:
    """What decided of the environment: a digest of each value, empty where it is not set."""
    return {
        name: digest([name, environ[name].encode("utf-8", "surrogateescape").hex()]) if name in environ else ""
        for name in sorted(names)
    }


@dataclass(frozen=True, slots=True)
class Row:
    """One declared resource on its way into or out of the columns."""

    address: Address
    digest: bytes
    flags: int
    margin: int
    identity: bytes
    file: int
    body: bytes


def row_of(one: Declared, identity: tuple[str, ...] | None, file: int) -> Row:
    """The row of a declared resource. Raises ValueError for text that JSON cannot hold."""
    resource = one.resource
    written = isinstance(resource, Alarm) and "protect" in resource.lifecycle.model_fields_set and not resource.lifecycle.protect
    plain = one.kind != "handling" and not one.secrets and not written
    try:
        body = resource.__pydantic_serializer__.to_json(resource, exclude_unset=True)
    except PydanticSerializationError as error:
        raise ValueError(str(error)) from error
    head = json.dumps([one.kind, one.source.file, one.source.line, dict(one.secrets)]).encode()
    mark = hashlib.blake2b(repr(identity).encode(), digest_size=16).digest() if identity else bytes(16)
    raw = raw_digest(one.digest) or b""
    margin = margin_of(resource) if isinstance(resource, Alarm) else 0
    flags = plain * PLAIN | {"alarm": ALARM, "handling": HANDLING}.get(one.kind, 0)
    return Row(one.address, raw, flags, min(margin, NEVER), mark, file, head + b"\n" + bytes(body))


def declared_from(address: Address, body: bytes, raw: bytes) -> Declared:
    """The resource of a kept body. Raises Unsound unless it has the digest it is kept under."""
    try:
        head, _, text = body.partition(b"\n")
        kind, file, line, secrets = json.loads(head)
        resource = MODELS[kind].model_validate_json(text)
        content = resource.content()
        found = digest(content)
    except (ValueError, KeyError, TypeError) as error:
        raise Unsound(address) from error
    if raw_digest(found) != raw or address.partition(".")[0] != kind:
        raise Unsound(address)
    return Declared(address, kind, resource, content, found, Source(file, line), secrets)


class Memory:
    """What is kept of the specs of one folder, under one config."""

    def __init__(self, kept: Kept, rules: str) -> None:
        self._kept = kept
        self.rules = rules
        place = hashlib.sha256(rules.encode()).hexdigest()[:20]
        self._name, self._bodies = f"specs-{place}", f"specs-{place}-bodies"
        self._handle: int | None = None

    def recall(self, environ: Mapping[str, str]) -> Sheet | None:
        """The sheet of the last load whose rules and environment were these."""
        content = self._kept.read(self._name)
        sheet = None if content is None else decode(content)
        if sheet is None or not _is_ours(sheet, self.rules, environ):
            return None
        self._handle = self._kept.open(self._bodies)
        if self._handle is None:
            return None
        weakref.finalize(self, os.close, self._handle)
        return sheet

    def body(self, sheet: Sheet, place: int) -> bytes:
        """The kept body of a row."""
        assert self._handle is not None
        return os.pread(self._handle, sheet.numbers["sizes"][place], sheet.numbers["starts"][place])

    def resource(self, sheet: Sheet, place: int) -> Declared:
        """The resource of a row. Raises Unsound."""
        rows = sheet.outlines
        raw = rows.digests[place * WIDTH : place * WIDTH + WIDTH]
        try:
            body = self.body(sheet, place)
        except (OSError, ValueError) as error:
            raise Unsound(rows.addresses[place]) from error
        return declared_from(rows.addresses[place], body, raw)

    def rows(self, sheet: Sheet, files: Mapping[int, int]) -> Iterator[Row]:
        """The rows that stand in these files, under the numbers these have now."""
        rows, owners, marks = sheet.outlines, sheet.numbers["files"], sheet.marks["identities"]
        starts, sizes = sheet.numbers["starts"], sheet.numbers["sizes"]
        assert self._handle is not None
        bodies = os.pread(self._handle, os.fstat(self._handle).st_size, 0)
        for place, address in enumerate(rows.addresses):
            if owners[place] in files:
                raw = rows.digests[place * WIDTH : place * WIDTH + WIDTH]
                mark = marks[place * 16 : place * 16 + 16]
                file = files[owners[place]]
                body = bodies[starts[place] : starts[place] + sizes[place]]
                yield Row(address, raw, rows.flags[place], rows.numbers[place], mark, file, body)

    def keep(self, desired: Desired, rows: Sequence[Row], files: list[tuple[str, str, bool]], seen: dict[str, str]) -> None:
        """Keep a load that found nothing wrong. `rows` are sorted by address; each file has its name, digest and whether
        it stands for itself.
        """
        sizes = array("q", (len(row.body) for row in rows))
        starts, start = array("q"), 0
        for size in sizes:
            starts.append(start)
            start += size
        about = {
            "rules": self.rules,
            "environ": seen,
            "files": files,
            "digest": desired.digest,
            "notes": desired.notes,
            "moved": desired.moved,
            "forget": desired.forget,
        }
        columns = {"files": array("q", (row.file for row in rows)), "starts": starts, "sizes": sizes}
        sheet = Sheet(about, outlines_of(rows), columns, {"identities": b"".join(row.identity for row in rows)})
        self._kept.write_plain(self._bodies, b"".join(row.body for row in rows))
        self._kept.write(self._name, encode(sheet))


def outlines_of(rows: Sequence[Row]) -> Outlines:
    """The columns that planning needs."""
    return Outlines(
        [row.address for row in rows],
        b"".join(row.digest for row in rows),
        bytes(row.flags for row in rows),
        array("q", (row.margin for row in rows)),
    )


def desired_of(sheet: Sheet, declared: Mapping[Address, Declared]) -> Desired:
    """What an unchanged load found."""
    about = sheet.about
    moved = tuple(Moved(old, new, Source(*source)) for old, new, source in about["moved"])
    forget = tuple(Forgotten(address, Source(*source)) for address, source in about["forget"])
    return Desired(declared, moved, forget, about["digest"], tuple(about["notes"]))


def _is_ours(sheet: Sheet, rules: str, environ: Mapping[str, str]) -> bool:
    about, rows = sheet.about, len(sheet.outlines)
    try:
        names = [str(name) for name, _, _ in about["files"]]
        whole = len(sheet.marks["identities"]) == 16 * rows and {"files", "starts", "sizes"} <= sheet.numbers.keys()
        desired_of(sheet, {})
        known = about["environ"]
        return whole and about["rules"] == rules and len(set(names)) == len(names) and known == environ_digests(known, environ)
    except (KeyError, ValueError, TypeError):
        return False
