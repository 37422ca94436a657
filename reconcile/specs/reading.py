"""Reads spec files one after the other: each is built, checked and handed on before the next, so that few live at once.

Handlings, moves and forgets name what stands in other files: they wait for the last one.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TypeAlias

from reconcile.model.address import Address, base_of
from reconcile.model.base import canonical
from reconcile.model.config import Config
from reconcile.model.desired import Declared, Desired, Forgotten, Moved
from reconcile.specs import alarms, codes, handlings
from reconcile.specs.build import build
from reconcile.specs.credentials import used_as_credentials
from reconcile.specs.expand import Instance, Raw, instances
from reconcile.specs.files import read, shown, walk
from reconcile.specs.handlings import Alarms
from reconcile.specs.identities import Identities, mark_of
from reconcile.specs.interpolate import Scope
from reconcile.specs.moves import Declarations, check_moves
from reconcile.specs.others import Others
from reconcile.specs.sections import Found, gather
from reconcile.specs.setting import Setting
from reconcile.specs.source import Report, SourceFile

Take: TypeAlias = Callable[[Declared, bytes], None]
AT_ONCE = 4096


@dataclass(frozen=True, slots=True)
class Remainder:
    """What a load found beside the resources it handed on: per file the digest of its bytes, and whether it stands for itself
    (no handling, move or forget).
    """

    moved: tuple[Moved, ...]
    forget: tuple[Forgotten, ...]
    notes: tuple[str, ...]
    digests: Mapping[str, str]
    entangled: frozenset[str]


def read_whole(config: Config, directory: Path, *, environ: Mapping[str, str]) -> Desired:
    """Everything the specs declare, each resource built. Raises InputInvalid with all problems of all files."""
    report = Report()
    paths = walk(directory / config.specs, directory, report)
    found: dict[Address, Declared] = {}
    rest = read_files(paths, config, directory, environ, report, take=lambda one, mark: found.update({one.address: one}))
    declared = {address: found[address] for address in sorted(found)}
    digest = digest_of(((address, one.digest) for address, one in declared.items()), rest.moved, rest.forget, config)
    files = len({one.source.file for one in declared.values()})
    return Desired(declared, rest.moved, rest.forget, digest, rest.notes, files)


def read_files(
    paths: Sequence[Path],
    config: Config,
    directory: Path,
    environ: Mapping[str, str],
    report: Report,
    *,
    take: Take,
    others: Others | None = None,
) -> Remainder:
    """Hand every resource of these files to `take`, with the mark of its identity; `others` is what is known of the rest.

    Raises InputInvalid; Collision where the two do not fit.
    """
    reading = _Reading(config, environ, report, take, others or Others())
    for path in paths:
        file = read(path, shown(path, directory), "S", report)
        if file is not None:
            reading.file(file)
    rest = reading.end()
    report.raise_any(len(paths))
    return rest


class _Reading:
    """One load: what later files need to know of earlier ones."""

    def __init__(self, config: Config, environ: Mapping[str, str], report: Report, take: Take, others: Others) -> None:
        self._setting = Setting(config, Scope(config.variables, environ, used_as_credentials(config)), report)
        self._report, self._take, self._others = report, take, others
        self._late = Found()  # its resources are handlings
        self._files: list[str] = []
        self._digests: dict[str, str] = {}
        self._firsts: dict[Address, int] = {}  # where a name stands first: number of the file, and the line in its low 32 bits
        self._addresses: list[Address] = []  # of alarms and events, declared well or badly
        self._empty: list[str] = []  # alarms whose `for_each` has no keys
        self._identities = Identities()

    def file(self, file: SourceFile) -> None:
        """Read a file; what needs the others waits."""
        documents = build(file, self._report)
        if documents is None:
            return
        self._digests[file.name] = hashlib.sha256(file.content).hexdigest()
        self._files.append(file.name)
        found = Found(moved=self._late.moved, forget=self._late.forget)
        gather(file, documents, self._report, found)
        self._others.check_names(f"{raw.kind}.{raw.name}" for raw in found.raws)
        for raw in self._unique(found.raws):
            if raw.kind == "handling":
                self._late.raws.append(raw)
            else:
                self._declare(raw)

    def end(self) -> Remainder:
        """Read what waited."""
        late = self._late
        known = self._alarms() if late.raws else Alarms()
        for raw in late.raws:
            for instance in self._instances(raw):
                one = handlings.declare(instance, known, self._setting)
                if one is not None:
                    self._take(one, mark_of(one))
        declared = [*self._others.addresses, *self._addresses] if late.moved or late.forget else []
        moved, forget = check_moves(late, Declarations(declared))
        entangled = {raw.spot.file.name for raw in late.raws} | {spot.file.name for _, spot in (*late.moved, *late.forget)}
        return Remainder(moved, forget, tuple(self._setting.notes), self._digests, frozenset(entangled))

    def _unique(self, raws: Iterable[Raw]) -> Iterator[Raw]:
        """Each name of a kind once; the others are reported with both places."""
        number = len(self._files) - 1
        for raw in raws:
            base = f"{raw.kind}.{raw.name}"
            if base in self._firsts:
                what = f"{raw.kind} `{raw.name}` is declared twice; first at {self._at(base)}"
                raw.spot.problem((), codes.TWICE, what, key=True)
            else:
                self._firsts[base] = number << 32 | raw.line
                yield raw

    def _at(self, base: Address) -> str:
        place = self._firsts[base]
        return f"{self._files[place >> 32]}:{place & 0xFFFFFFFF}"

    def _instances(self, raw: Raw) -> list[Instance]:
        found = list(instances(raw, self._setting.scope))
        self._addresses += [instance.address for instance in found]
        if raw.kind == "alarm" and not found:
            self._empty.append(raw.name)
        return found

    def _declare(self, raw: Raw) -> None:
        """Alarms and events: everything about them stands in their own file, but whether another has their identity."""
        for instance in self._instances(raw):
            one = alarms.declare(instance, self._setting)
            if one is not None:
                mark = mark_of(one)
                first = self._identities.clash(one.address, mark)
                if first is not None:
                    self._tell_identity(one, first, raw)
                self._take(one, mark)

    def _tell_identity(self, one: Declared, first: Address, raw: Raw) -> None:
        what = f"{one.address} is the same alarm on `{one.resource.target}` as {first} at {self._at(base_of(first))}"
        hint = "name, resource.provider, resource.type, resource.id and enterprise_project_id make the identity: one must differ"
        raw.spot.problem((), codes.IDENTITY, what, hint, key=True)

    def _alarms(self) -> Alarms:
        """What a handling may name."""
        known = Alarms(complete=not self._report.broken, moved=_renames(self._late))
        for name in self._empty:
            known.add(name, ())
        for address in (*self._others.addresses, *self._addresses):
            if address.startswith("alarm."):
                known.add(base_of(address).removeprefix("alarm."), (address,))
        return known


def _renames(found: Found) -> dict[Address, Address]:
    pairs = [(entry.get("from"), entry.get("to")) for entry, _ in found.moved if isinstance(entry, dict)]
    return {old: new for old, new in pairs if isinstance(old, str) and isinstance(new, str)}


def digest_of(
    resources: Iterable[tuple[Address, str]], moved: Sequence[Moved], forget: Sequence[Forgotten], config: Config
) -> str:
    """Moves when a resource, a move, a forget or a target does; not with the lines they stand on. `resources` are sorted.

    It is the digest of one canonical document, which is never held as a whole.
    """
    found, begun, left = hashlib.sha256(b'{"declared":{'), b"", iter(resources)
    while some := list(islice(left, AT_ONCE)):
        text = ",".join(f'{_quoted(address)}:"{digest}"' for address, digest in some)
        found.update(begun + text.encode("utf-8", "surrogatepass"))
        begun = b","
    rest = {
        "moved": [[move.old, move.new] for move in moved],
        "forget": [forgotten.address for forgotten in forget],
        "targets": {name: target.model_dump(mode="json") for name, target in config.targets.items()},
    }
    found.update(b"}," + canonical(rest)[1:])
    return "sha256:" + found.hexdigest()


def _quoted(address: Address) -> str:
    return json.dumps(address, ensure_ascii=False) if "[" in address else f'"{address}"'
