"""One handling: from its filled body to a checked resource that names its alarm by full address.

Encodes nothing: that is the wire's job.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pydantic import BaseModel, ValidationError

from reconcile.model.address import Address, address_of, base_of, parse_address
from reconcile.model.base import digest
from reconcile.model.desired import Declared, Source
from reconcile.model.resources import Handling
from reconcile.specs import codes
from reconcile.specs.closest import did_you_mean, near
from reconcile.specs.expand import Instance
from reconcile.specs.instances import ScheduleInstance, SubTask
from reconcile.specs.locate import Steps
from reconcile.specs.setting import Setting
from reconcile.specs.source import Spot
from reconcile.specs.translate import tell

_SAFE_ID = re.compile(r"[A-Za-z0-9_-]{1,128}")
_USUAL_ID = re.compile(r"ALM.{23}")
_META = frozenset({"alarm", "alarm_id", "target"})


@dataclass(slots=True)
class Alarms:
    """The alarms that are declared, well or badly: addresses by NAME. `complete` is False when a file could not be read."""

    instances: dict[str, set[Address]] = field(default_factory=dict)
    moved: Mapping[Address, Address] = field(default_factory=dict)
    complete: bool = True
    _ordered: list[str] = field(default_factory=list)

    def add(self, name: str, addresses: Collection[Address]) -> None:
        """Note an alarm and its instances."""
        self.instances.setdefault(name, set()).update(addresses)

    def names_near(self, name: str) -> Sequence[str]:
        """The names to look for the closest match in. Ask only when all are noted."""
        if len(self._ordered) != len(self.instances):
            self._ordered = sorted(self.instances)
        return near(name, self._ordered)


def declare(instance: Instance, alarms: Alarms, setting: Setting) -> Declared | None:
    """The checked handling, or None when something is wrong with it, which is then reported."""
    before = len(setting.report)
    spot, line = instance.spot, instance.raw.line
    body = {key: value for key, value in instance.body.items() if value is not None or key not in _META}
    target = setting.target("handling", body, spot)
    body.setdefault("target", "" if target is None else target.name)
    if isinstance(body.get("alarm"), str):
        body["alarm"] = _alarm(body["alarm"], instance.key, alarms, spot)
    try:
        handling = Handling.model_validate(body)
    except ValidationError as error:
        tell(error, Handling, spot)
        handling = None
    _nested(body, spot)
    if handling is not None:
        _texts(handling, spot)
    if handling is None or len(setting.report) != before:
        return None
    if handling.alarm_id is not None and not _USUAL_ID.fullmatch(handling.alarm_id):
        setting.note(spot, line, f"the alarm_id of {instance.address} does not look like `ALM` and 23 more characters")
    content = handling.content()
    source = Source(spot.file.name, line)
    return Declared(instance.address, "handling", handling, content, digest(content), source, instance.secrets)


def _nested(body: dict[str, Any], spot: Spot) -> None:
    """Check what stands inside `target_instances` and `sub_task_info`."""
    targets = body.get("target_instances")
    for index, entry in enumerate(targets if isinstance(targets, list) else ()):
        if isinstance(entry, dict):
            _check(ScheduleInstance, entry, ("target_instances", index), spot)
    if isinstance(body.get("sub_task_info"), dict):
        _check(SubTask, body["sub_task_info"], ("sub_task_info",), spot)


def _check(model: type[BaseModel], value: dict[str, Any], at: Steps, spot: Spot) -> None:
    try:
        model.model_validate(value)
    except ValidationError as error:
        tell(error, model, spot, at=at)


def _texts(handling: Handling, spot: Spot) -> None:
    for key in ("associated_task_id", "associated_task_name"):
        if getattr(handling, key) == "":
            spot.problem((key,), codes.REQUIRED, f"`{key}` is empty")
    if handling.alarm_id is not None and not _SAFE_ID.fullmatch(handling.alarm_id):
        what = f"`{handling.alarm_id[:80]}` is not the id of a COC alarm"
        spot.problem(("alarm_id",), codes.ALARM_ID, what, "it looks like ALM2025071417361705s6mUUrF")


def _alarm(text: str, key: str | None, alarms: Alarms, spot: Spot) -> str:
    """The full address that `alarm:` means; the text itself when it means none, which is then reported."""
    name, own_key = _taken_apart(text, alarms)
    if not alarms.complete and name not in alarms.instances:
        return text
    known = alarms.instances.get(name)
    if known is None:
        _dangling(text, name, alarms, spot)
        return text
    wanted = _candidates(name, own_key, key, known)
    for address in wanted:
        if address in known:
            return address
    instances = sorted(known)
    more = ", …" if len(instances) > 3 else ""
    hint = f"declared: {', '.join(instances[:3])}{more}" if instances else "its `for_each` is empty"
    if own_key is None and key is None:
        what = f"`{name}` has a `for_each`; say which instance is meant"
    else:
        what = f"there is no {wanted[0]}"
    spot.problem(("alarm",), codes.ALARM, what, hint)
    return text


def _taken_apart(text: str, alarms: Alarms) -> tuple[str, str | None]:
    """NAME and key of `NAME`, `NAME["key"]`, `alarm.NAME`, `alarm.NAME["key"]`."""
    for candidate in (text, f"alarm.{text}"):
        try:
            parts = parse_address(candidate)
        except ValueError:
            continue
        if parts.kind == "alarm" and (candidate != text or parts.name in alarms.instances):
            return parts.name, parts.key
    return text.removeprefix("alarm."), None


def _candidates(name: str, own_key: str | None, key: str | None, known: set[Address]) -> list[Address]:
    if own_key is not None:
        return [address_of("alarm", name, own_key)]
    plain = address_of("alarm", name)
    return [plain] if key is None else [address_of("alarm", name, key), plain] if plain not in known else [plain]


def _dangling(text: str, name: str, alarms: Alarms, spot: Spot) -> None:
    new = alarms.moved.get(f"alarm.{base_of(name)}") or alarms.moved.get(f"alarm.{name}")
    if text.startswith(("event.", "handling.")):
        hint: str | None = "a handling runs for an alarm"
    else:
        hint = f"it was moved to `{new}`" if new else did_you_mean(name, alarms.names_near(name))
    spot.problem(("alarm",), codes.ALARM, f"the alarm `{text[:160]}` is not declared", hint)
