"""Load specs with a memory: bytes that were read before are not read again. The result is that of a plain load."""

from __future__ import annotations

import hashlib
from array import array
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

from reconcile.errors import InputInvalid
from reconcile.kept import Kept, Sheet
from reconcile.model.address import Address
from reconcile.model.config import Config
from reconcile.model.desired import Declared, Desired
from reconcile.model.outline import WIDTH, Lazily
from reconcile.specs.files import content_of, shown, walk
from reconcile.specs.others import Collision, Others
from reconcile.specs.remembered import (
    SMALLEST,
    Memory,
    Watched,
    desired_of,
    environ_digests,
    places_in,
    rows_of,
    rules_digest,
)
from reconcile.specs.rows import Collecting, Rows, Unsound, Woven, declared_from, woven
from reconcile.specs.source import Report


@dataclass(frozen=True)
class Folder:
    """The spec files as they are now: name by path, and the digest of each one's bytes (none where it cannot be read)."""

    config: Config
    directory: Path
    environ: Mapping[str, str]
    paths: Sequence[Path]

    @cached_property
    def sizes_and_digests(self) -> dict[str, tuple[int, str | None]]:
        """By name."""
        return {shown(path, self.directory): _digest(path) for path in self.paths}

    @cached_property
    def digests(self) -> list[tuple[str, str | None]]:
        """(name, digest), in the order of the files."""
        return [(name, digest) for name, (_, digest) in self.sizes_and_digests.items()]

    def plain(self) -> Desired:
        """What a load without a memory finds."""
        from reconcile.specs.reading import read_whole

        return read_whole(self.config, self.directory, environ=self.environ)

    @cached_property
    def plainly(self) -> Mapping[Address, Declared]:
        """Its resources: asked for when something that is kept proves wrong."""
        return self.plain().declared


@dataclass(frozen=True, slots=True)
class Unchanged:
    """The rows of files whose bytes are the same, with today's numbers of files; where each one's body is to be had, and how
    one asks for many in their order.
    """

    rows: Rows
    body: Callable[[int], bytes]
    next_body: Callable[[int], bytes]


def recall(config: Config, directory: Path, *, environ: Mapping[str, str], kept: Kept) -> Desired:
    """Everything the specs declare, each built when it is asked for. Raises InputInvalid as a plain load does."""
    report = Report()
    folder = Folder(config, directory, environ, walk(directory / config.specs, directory, report))
    if len(report) or sum(size for size, _ in folder.sizes_and_digests.values()) < SMALLEST:
        return folder.plain()
    memory = Memory(kept, rules_digest(config, directory))
    sheet = memory.recall(environ)
    if sheet is not None and [(name, digest) for name, digest, _ in sheet.about["files"]] == folder.digests:
        return desired_of(sheet, _lazily(folder, memory, sheet))
    try:
        return _renewed(folder, memory, _unchanged(folder, memory, sheet))
    except (Collision, InputInvalid, Unsound):
        return _renewed(folder, memory, _nothing())


def _digest(path: Path) -> tuple[int, str | None]:
    try:
        content = content_of(path)
    except OSError:
        content = None
    return (0, None) if content is None else (len(content), hashlib.sha256(content).hexdigest())


def _lazily(folder: Folder, memory: Memory, sheet: Sheet) -> Lazily[Declared]:
    addresses = sheet.outlines.addresses
    return Lazily(sheet.outlines, lambda place: _surely(lambda: memory.resource(sheet, place), folder, addresses[place]))


def _surely(build: Callable[[], Declared], folder: Folder, address: Address) -> Declared:
    try:
        return build()
    except Unsound:
        return folder.plainly[address]


def _nothing() -> Unchanged:
    return Unchanged(Rows(), lambda place: b"", lambda place: b"")


def _unchanged(folder: Folder, memory: Memory, sheet: Sheet | None) -> Unchanged:
    """What neither changed, nor names or moves what stands in other files."""
    if sheet is None:
        return _nothing()
    before = {name: (number, digest) for number, (name, digest, alone) in enumerate(sheet.about["files"]) if alone}
    now = enumerate(folder.digests)
    same = {before[name][0]: number for number, (name, digest) in now if name in before and before[name][1] == digest}
    places = places_in(sheet, same)
    rows = rows_of(sheet).picked(places)
    rows.files = array("q", map(same.__getitem__, rows.files))
    ahead = memory.ahead(sheet)
    return Unchanged(rows, lambda here: memory.body(sheet, places[here]), lambda here: ahead(places[here]))


def _renewed(folder: Folder, memory: Memory, old: Unchanged) -> Desired:
    """Read what is not among the old rows, put both together, and keep it."""
    from reconcile.specs.reading import digest_of, read_files

    names = [name for name, _ in folder.digests]
    settled = {names[file] for file in set(old.rows.files)}
    fresh = [path for path, name in zip(folder.paths, names, strict=True) if name not in settled]
    watched, others = Watched(folder.environ), Others(old.rows.addresses)
    new = Collecting({name: place for place, name in enumerate(names)})
    try:
        rest = read_files(fresh, folder.config, folder.directory, watched, Report(), take=new.take, others=others)
    except ValueError:  # text that JSON cannot hold
        return folder.plain()
    if old.rows.addresses and not new.rows.all_marks().isdisjoint(old.rows.all_marks()):
        raise Collision
    found = woven(old.rows, new.rows)
    whole = digest_of(found.hex_digests(), rest.moved, rest.forget, folder.config)
    desired = Desired({}, rest.moved, rest.forget, whole, rest.notes, len(set(found.rows.files)))
    if all(rest.digests.get(name, digest) == digest for name, digest in folder.digests):
        files = [(name, digest or "", name not in rest.entangled) for name, digest in folder.digests]
        bodies = (found.body(place, old.next_body) for place in range(len(found.order)))
        memory.keep(desired, found.rows, bodies, files, environ_digests(watched.seen, folder.environ))
    return replace(desired, declared=_built_from(found, old, folder))


def _built_from(found: Woven, old: Unchanged, folder: Folder) -> Lazily[Declared]:
    outlines = found.rows.outlines()

    def build(place: int) -> Declared:
        address, raw = outlines.addresses[place], outlines.digests[place * WIDTH : place * WIDTH + WIDTH]
        return _surely(lambda: declared_from(address, found.body(place, old.body), raw), folder, address)

    return Lazily(outlines, build)
