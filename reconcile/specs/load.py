"""The two doors of this floor: config and specs, read whole, with every problem at once."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from reconcile.kept import Kept
from reconcile.model.address import Address, Kind, base_of
from reconcile.model.base import digest
from reconcile.model.config import Config
from reconcile.model.desired import Declared, Desired, Forgotten, Moved
from reconcile.model.resources import Alarm
from reconcile.specs import alarms, codes, handlings
from reconcile.specs.build import build
from reconcile.specs.config import load_config
from reconcile.specs.credentials import used_as_credentials
from reconcile.specs.expand import Raw, instances
from reconcile.specs.files import read, shown, walk
from reconcile.specs.handlings import Alarms
from reconcile.specs.interpolate import Scope
from reconcile.specs.moves import Declarations, check_moves
from reconcile.specs.others import Identity, Others
from reconcile.specs.sections import Found, gather
from reconcile.specs.setting import Setting
from reconcile.specs.source import Report, SourceFile

__all__ = ["load_config", "load_specs"]


def load_specs(config: Config, directory: Path, *, environ: Mapping[str, str], kept: Kept | None = None) -> Desired:
    """Everything the specs declare. Raises InputInvalid with all problems of all files.

    With `kept`, what an earlier load found in the same bytes is not found again; the result is the same.
    """
    if kept is not None:
        from reconcile.specs.recall import recall

        return recall(config, directory, environ=environ, kept=kept)
    report = Report()
    return load_paths(walk(directory / config.specs, directory, report), config, directory, environ, report).desired


@dataclass(frozen=True, slots=True)
class Loaded:
    """What was read: per file the digest of its bytes, and whether it stands for itself (no handling, move or forget)."""

    desired: Desired
    digests: Mapping[str, str]
    entangled: frozenset[str]


def load_paths(
    paths: Sequence[Path],
    config: Config,
    directory: Path,
    environ: Mapping[str, str],
    report: Report,
    others: Others | None = None,
) -> Loaded:
    """Read these files; `others` is what is known of the rest. Raises InputInvalid; Collision where the two do not fit."""
    found = Found()
    digests: dict[str, str] = {}
    for path in paths:
        file = read(path, shown(path, directory), "S", report)
        documents = None if file is None else build(file, report)
        if file is not None and documents is not None:
            digests[file.name] = hashlib.sha256(file.content).hexdigest()
            gather(file, documents, report, found)
    setting = Setting(config, Scope(config.variables, environ, used_as_credentials(config)), report)
    desired = _desired(found, setting, others or Others())
    report.raise_any(len(paths))
    handlings = {raw.spot.file.name for raw in found.raws if raw.kind == "handling"}
    return Loaded(desired, digests, frozenset(handlings | {spot.file.name for _, spot in (*found.moved, *found.forget)}))


def read_specs(text: str, config: Config) -> Desired:
    """What one text would declare, by itself. Raises InputInvalid with all its problems."""
    report, found = Report(), Found()
    file = SourceFile("-", text.encode("utf-8"), "S")
    documents = build(file, report)
    if documents is not None:
        gather(file, documents, report, found)
    desired = _desired(found, Setting(config, Scope(config.variables, {}, used_as_credentials(config)), report), Others())
    report.raise_any(1)
    return desired


def _desired(found: Found, setting: Setting, others: Others) -> Desired:
    raws = list(_unique(found.raws))
    others.check_names(f"{raw.kind}.{raw.name}" for raw in raws)
    declared: dict[Address, Declared] = {}
    known = Alarms(complete=not setting.report.broken, moved=_renames(found))
    attempted: set[Address] = set(others.addresses)
    if any(raw.kind == "handling" for raw in raws):
        for name, addresses in others.alarms().items():
            known.add(name, addresses)
    for raw in raws:
        if raw.kind != "handling":
            expanded = list(instances(raw, setting.scope))
            attempted.update(instance.address for instance in expanded)
            if raw.kind == "alarm":
                known.add(raw.name, [instance.address for instance in expanded])
            _keep(declared, (alarms.declare(instance, setting) for instance in expanded))
    for raw in raws:
        if raw.kind == "handling":
            expanded = list(instances(raw, setting.scope))
            attempted.update(instance.address for instance in expanded)
            _keep(declared, (handlings.declare(instance, known, setting) for instance in expanded))
    _identities(declared, {(raw.kind, raw.name): raw for raw in raws})
    moved, forget = check_moves(found, Declarations(attempted))
    ordered = {address: declared[address] for address in sorted(declared)}
    digests = {**others.digests, **{address: one.digest for address, one in ordered.items()}}
    return Desired(ordered, moved, forget, _digest(digests, moved, forget, setting.config), tuple(setting.notes))


def _keep(declared: dict[Address, Declared], resources: Iterator[Declared | None]) -> None:
    declared.update((resource.address, resource) for resource in resources if resource is not None)


def _unique(raws: list[Raw]) -> Iterator[Raw]:
    """Each name of a kind once; the others are reported with both places."""
    firsts: dict[tuple[Kind, str], Raw] = {}
    for raw in raws:
        first = firsts.setdefault((raw.kind, raw.name), raw)
        if first is raw:
            yield raw
        else:
            what = f"{raw.kind} `{raw.name}` is declared twice; first at {_at(first)}"
            raw.spot.problem((), codes.TWICE, what, key=True)


def _at(raw: Raw) -> str:
    return f"{raw.spot.file.name}:{raw.line}"


def identity_of(one: Declared) -> Identity | None:
    """What AOM would take two alarms for one by. Events may repeat, and a COC alarm's identity is its own address."""
    resource = one.resource
    if not isinstance(resource, Alarm) or resource.timeout is None:
        return None
    about = resource.resource
    return (resource.target, resource.enterprise_project_id or "", resource.name, about.provider, about.type, about.id)


def _identities(declared: Mapping[Address, Declared], raws: Mapping[tuple[Kind, str], Raw]) -> None:
    """Two alarms that AOM would take for one are told once per resource, with both places."""
    seen: dict[Identity, Declared] = {}
    told: set[tuple[Address, Address]] = set()
    for one in declared.values():
        identity = identity_of(one)
        if identity is None:
            continue
        first = seen.setdefault(identity, one)
        pair = (base_of(first.address), base_of(one.address))
        if first is one or pair in told:
            continue
        told.add(pair)
        where = f"{first.source.file}:{first.source.line}"
        what = f"{one.address} is the same alarm on `{one.resource.target}` as {first.address} at {where}"
        hint = "name, resource.provider, resource.type, resource.id and enterprise_project_id make the identity: one must differ"
        raws["alarm", pair[1].removeprefix("alarm.")].spot.problem((), codes.IDENTITY, what, hint, key=True)


def _renames(found: Found) -> dict[Address, Address]:
    pairs = [(entry.get("from"), entry.get("to")) for entry, _ in found.moved if isinstance(entry, dict)]
    return {old: new for old, new in pairs if isinstance(old, str) and isinstance(new, str)}


def _digest(digests: Mapping[Address, str], moved: tuple[Moved, ...], forget: tuple[Forgotten, ...], config: Config) -> str:
    """Moves when a resource, a move, a forget or a target does; not with the lines they stand on."""
    return digest(
        {
            "declared": digests,
            "moved": [[move.old, move.new] for move in moved],
            "forget": [forgotten.address for forgotten in forget],
            "targets": {name: target.model_dump(mode="json") for name, target in config.targets.items()},
        }
    )
