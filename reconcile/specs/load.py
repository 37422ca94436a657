"""The two doors of this floor: config and specs, read whole, with every problem at once."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

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
from reconcile.specs.sections import Found, gather
from reconcile.specs.setting import Setting
from reconcile.specs.source import Report

__all__ = ["load_config", "load_specs"]


def load_specs(config: Config, directory: Path, *, environ: Mapping[str, str]) -> Desired:
    """Everything the specs declare. Raises InputInvalid with all problems of all files."""
    report = Report()
    found = Found()
    paths = walk(directory / config.specs, directory, report)
    for path in paths:
        file = read(path, shown(path, directory), "S", report)
        documents = None if file is None else build(file, report)
        if file is not None and documents is not None:
            gather(file, documents, report, found)
    setting = Setting(config, Scope(config.variables, environ, used_as_credentials(config)), report)
    desired = _desired(found, setting)
    report.raise_any(len(paths))
    return desired


def _desired(found: Found, setting: Setting) -> Desired:
    raws = list(_unique(found.raws))
    declared: dict[Address, Declared] = {}
    known = Alarms(complete=not setting.report.broken, moved=_renames(found))
    attempted: set[Address] = set()
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
    return Desired(ordered, moved, forget, _digest(ordered, moved, forget, setting.config), tuple(setting.notes))


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


def _identities(declared: Mapping[Address, Declared], raws: Mapping[tuple[Kind, str], Raw]) -> None:
    """Two alarms that AOM would take for one are told once per resource, with both places."""
    seen: dict[tuple[str | None, ...], Declared] = {}
    told: set[tuple[Address, Address]] = set()
    for one in declared.values():
        resource = one.resource
        if not isinstance(resource, Alarm) or resource.timeout is None:
            continue  # events may repeat, and a COC alarm's identity is its own address
        about = resource.resource
        identity = (resource.target, resource.enterprise_project_id, resource.name, about.provider, about.type, about.id)
        first = seen.setdefault(identity, one)
        pair = (base_of(first.address), base_of(one.address))
        if first is one or pair in told:
            continue
        told.add(pair)
        where = f"{first.source.file}:{first.source.line}"
        what = f"{one.address} is the same alarm on `{resource.target}` as {first.address} at {where}"
        hint = "name, resource.provider, resource.type, resource.id and enterprise_project_id make the identity: one must differ"
        raws["alarm", pair[1].removeprefix("alarm.")].spot.problem((), codes.IDENTITY, what, hint, key=True)


def _renames(found: Found) -> dict[Address, Address]:
    pairs = [(entry.get("from"), entry.get("to")) for entry, _ in found.moved if isinstance(entry, dict)]
    return {old: new for old, new in pairs if isinstance(old, str) and isinstance(new, str)}


def _digest(declared: Mapping[Address, Declared], moved: tuple[Moved, ...], forget: tuple[Forgotten, ...], config: Config) -> str:
    """Moves when a resource, a move, a forget or a target does; not with the lines they stand on."""
    return digest(
        {
            "declared": {address: one.digest for address, one in declared.items()},
            "moved": [[move.old, move.new] for move in moved],
            "forget": [forgotten.address for forgotten in forget],
            "targets": {name: target.model_dump(mode="json") for name, target in config.targets.items()},
        }
    )
