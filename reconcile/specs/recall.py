"""Load specs with a memory: bytes that were read before are not read again. The result is that of a plain load."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

from reconcile.errors import InputInvalid
from reconcile.kept import Kept, Sheet
from reconcile.model.address import Address
from reconcile.model.config import Config
from reconcile.model.desired import Declared, Desired
from reconcile.model.outline import Lazily
from reconcile.specs import load
from reconcile.specs.files import content_of, shown, walk
from reconcile.specs.others import Collision, Others
from reconcile.specs.remembered import (
    SMALLEST,
    Memory,
    Row,
    Unsound,
    Watched,
    declared_from,
    desired_of,
    environ_digests,
    outlines_of,
    row_of,
    rules_digest,
)
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

    @cached_property
    def plainly(self) -> Mapping[Address, Declared]:
        """What a load without a memory finds: asked for when something that is kept proves wrong."""
        return load.load_specs(self.config, self.directory, environ=self.environ).declared


def recall(config: Config, directory: Path, *, environ: Mapping[str, str], kept: Kept) -> Desired:
    """Everything the specs declare, each built when it is asked for. Raises InputInvalid as a plain load does."""
    report = Report()
    folder = Folder(config, directory, environ, walk(directory / config.specs, directory, report))
    if len(report) or sum(size for size, _ in folder.sizes_and_digests.values()) < SMALLEST:
        return load.load_specs(config, directory, environ=environ)
    memory = Memory(kept, rules_digest(config, directory))
    sheet = memory.recall(environ)
    if sheet is not None and [(name, digest) for name, digest, _ in sheet.about["files"]] == folder.digests:
        return desired_of(sheet, _lazily(folder, memory, sheet))
    try:
        return _renewed(folder, memory, _unchanged(folder, memory, sheet))
    except (Collision, InputInvalid):
        return _renewed(folder, memory, [])


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


def _unchanged(folder: Folder, memory: Memory, sheet: Sheet | None) -> list[Row]:
    """The rows of files whose bytes are the same, and which neither name nor move what stands in others."""
    if sheet is None:
        return []
    before = {name: (number, digest) for number, (name, digest, alone) in enumerate(sheet.about["files"]) if alone}
    now = enumerate(folder.digests)
    same = {before[name][0]: number for number, (name, digest) in now if name in before and before[name][1] == digest}
    return list(memory.rows(sheet, same))


def _renewed(folder: Folder, memory: Memory, rows: Sequence[Row]) -> Desired:
    """Read what is not in `rows`, put both together, and keep it."""
    others = Others({row.address: "sha256:" + row.digest.hex() for row in rows})
    names = [name for name, _ in folder.digests]
    settled = {names[row.file] for row in rows}
    fresh = [path for path, name in zip(folder.paths, names, strict=True) if name not in settled]
    watched = Watched(folder.environ)
    loaded = load.load_paths(fresh, folder.config, folder.directory, watched, Report(), others)
    number = {name: place for place, name in enumerate(names)}
    read = loaded.desired.declared
    try:
        made = [row_of(one, load.identity_of(one), number[one.source.file]) for one in read.values()]
    except ValueError:  # text that JSON cannot hold
        return loaded.desired if not rows else load.load_specs(folder.config, folder.directory, environ=folder.environ)
    if not {row.identity for row in made if any(row.identity)}.isdisjoint({row.identity for row in rows}):
        raise Collision
    whole = sorted([*rows, *made], key=lambda row: row.address)
    if all(loaded.digests.get(name, digest) == digest for name, digest in folder.digests):
        files = [(name, digest or "", name not in loaded.entangled) for name, digest in folder.digests]
        memory.keep(loaded.desired, whole, files, environ_digests(watched.seen, folder.environ))
    bodies = {row.address: row for row in rows}

    def build(place: int) -> Declared:
        address = whole[place].address
        return read[address] if address in read else _from(bodies[address], folder)

    return replace(loaded.desired, declared=Lazily(outlines_of(whole), build))


def _from(row: Row, folder: Folder) -> Declared:
    return _surely(lambda: declared_from(row.address, row.body, row.digest), folder, row.address)
