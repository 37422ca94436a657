"""One alarm or event: from its filled body to a checked resource.

Knows which key belongs to which target; the bounds are in `limits`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from pydantic import ValidationError

from reconcile.model.base import digest
from reconcile.model.config import Target
from reconcile.model.desired import Declared, Source
from reconcile.model.resources import Alarm, Event
from reconcile.model.template import parts_of
from reconcile.specs import codes
from reconcile.specs.closest import did_you_mean
from reconcile.specs.expand import Instance
from reconcile.specs.interpolate import Unfilled, lookup
from reconcile.specs.limits import check_limits
from reconcile.specs.locate import Steps
from reconcile.specs.setting import Setting
from reconcile.specs.source import Spot
from reconcile.specs.times import DURATION_FORM, INSTANT_FORM, duration, instant
from reconcile.specs.translate import tell

_NOT_AOM = ("namespace", "application_id", "source", "additional")
_NOT_COC = ("timeout", "metadata", "annotations", "attach_rule", "enterprise_project_id", "resource_group_id")
_FROM_TARGET = ("namespace", "application_id", "source")
_IGNORABLE = frozenset(Alarm.model_fields) - {"target", "lifecycle", "starts_at"}


def declare(instance: Instance, setting: Setting) -> Declared | None:
    """The checked resource, or None when something is wrong with it, which is then reported."""
    before = len(setting.report)
    raw = instance.raw
    spot = instance.spot
    body = {key: value for key, value in instance.body.items() if value is not None}
    model = Alarm if raw.kind == "alarm" else Event
    target = setting.target(raw.kind, body, spot)
    body.setdefault("target", "" if target is None else target.name)
    body.setdefault("name", raw.name)
    _times(body, spot)
    if target is not None:
        _belong(body, target, model, spot)
        _defaults(body, target, model, instance, setting)
    try:
        resource = model.model_validate(body)
    except ValidationError as error:
        tell(error, model, spot)
        return None
    if target is not None:
        check_limits(resource, target, spot)
    if len(setting.report) != before or target is None:
        return None
    content = resource.content()
    source = Source(spot.file.name, raw.line)
    return Declared(instance.address, raw.kind, resource, content, digest(content), source, instance.secrets)


def _times(body: dict[str, Any], spot: Spot) -> None:
    """Read durations and instants; what cannot be read is reported and left out."""
    _read(body, "timeout", duration, codes.DURATION, DURATION_FORM, spot, ())
    _read(body, "starts_at", instant, codes.INSTANT, INSTANT_FORM, spot, ())
    lifecycle = body.get("lifecycle")
    if isinstance(lifecycle, dict):
        body["lifecycle"] = lifecycle = {key: value for key, value in lifecycle.items() if value is not None}
        _read(lifecycle, "renew_before", duration, codes.DURATION, DURATION_FORM, spot, ("lifecycle",))
        _ignored(lifecycle.get("ignore_changes"), spot)


def _read(
    body: dict[str, Any], key: str, reader: Callable[[object], int], code: str, form: str, spot: Spot, above: Steps
) -> None:
    if key in body:
        try:
            body[key] = reader(body[key])
        except ValueError as error:
            spot.problem((*above, key), code, str(error), form)
            del body[key]


def _ignored(paths: Any, spot: Spot) -> None:
    for index, path in enumerate(paths if isinstance(paths, list) else ()):
        if isinstance(path, str) and path.partition(".")[0].partition("[")[0] not in _IGNORABLE:
            hint = did_you_mean(path, _IGNORABLE, otherwise="write the key of an alarm, or a path like `annotations.runbook`")
            spot.problem(("lifecycle", "ignore_changes", index), codes.CHOICE, f"`{path[:80]}` cannot be ignored", hint)


def _belong(body: dict[str, Any], target: Target, model: type[Event], spot: Spot) -> None:
    """Refuse keys that the target's interface has no place for."""
    foreign = _NOT_AOM if target.type == "aom" else _NOT_COC
    for key in foreign:
        if key in body and key in model.model_fields:
            _misplaced((key,), target, spot)
            del body[key]
    lifecycle = body.get("lifecycle")
    if target.type != "aom" and isinstance(lifecycle, dict) and lifecycle.pop("renew_before", None) is not None:
        _misplaced(("lifecycle", "renew_before"), target, spot)
    for key in ("timeout", "lifecycle") if model is Event else ():
        if body.pop(key, None) is not None:
            spot.problem((key,), codes.MISPLACED, f"events have no `{key}`: they are reported once and never cleared", key=True)


def _misplaced(path: Steps, target: Target, spot: Spot) -> None:
    reason = "nothing expires there" if path[-1] in ("timeout", "renew_before") else "its interface has no place for it"
    what = f"`{path[-1]}` does not belong to the target `{target.name}` of type {target.type}: {reason}"
    spot.problem(path, codes.MISPLACED, what, key=True)


def _defaults(body: dict[str, Any], target: Target, model: type[Event], instance: Instance, setting: Setting) -> None:
    if target.type == "aom":
        body.setdefault("enterprise_project_id", "0")
        if model is Alarm:
            body.setdefault("timeout", target.rules.default_timeout)
        return
    for key in _FROM_TARGET:
        if key not in body:
            value = getattr(target, key)
            if value is None:
                spot = instance.spot
                spot.problem((key,), codes.REQUIRED, f"`{key}` is required here or in the target `{target.name}`", key=True)
            else:
                body[key] = _resolved(value, key, instance, setting)


def _resolved(text: str, key: str, instance: Instance, setting: Setting) -> str:
    """A target's default text, with its `${env.X}` filled."""
    if "${" not in text:
        return text
    scope = replace(setting.scope, each=None)
    try:
        return "".join(part if isinstance(part, str) else lookup(part, scope) for part in parts_of(text))
    except Unfilled as problem:
        instance.spot.problem((key,), problem.code, f"`{key}` of the target: {problem.what}", problem.hint, key=True)
        return text
