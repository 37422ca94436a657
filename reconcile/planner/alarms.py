"""One alarm or event, declared and recorded -> the one change it needs, or None."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from reconcile.model.address import Address
from reconcile.model.base import digest
from reconcile.model.change import Change, Clear, Defer, Difference, Forget, Move, Renew, Replace, Report, Update
from reconcile.model.config import Target
from reconcile.model.desired import Declared
from reconcile.model.renewal import is_due
from reconcile.model.resources import Alarm
from reconcile.model.snapshot import RecordedAlarm, RecordedEvent
from reconcile.model.template import path_keys
from reconcile.planner.diff import differences, secret_differences
from reconcile.planner.identity import identity_of
from reconcile.planner.options import PlanOptions
from reconcile.planner.refresh import Seen, adoption, refuse_foreign, repair
from reconcile.planner.secrets import changed_secrets


@dataclass(frozen=True, slots=True)
class Ground:
    """What every decision of one plan is made on. `unset` gathers the variables of secrets that could not be compared."""

    now: int
    targets: Mapping[str, Target]
    environ: Mapping[str, str]
    options: PlanOptions
    origins: Mapping[Address, Address]
    unset: set[str] = field(default_factory=set)
    seen: Seen | None = None


def plan_alarm(declared: Declared, before: RecordedAlarm | None, ground: Ground) -> Change | None:
    """The verb for a declared alarm, the strongest first: report, replace, update, renew, move."""
    base = _base(declared, ground)
    if ground.seen is not None:
        refuse_foreign(declared, ground.seen)
    if before is None:
        return _adoption(base, declared, ground) or Report(**base, reason="new", after=declared)
    if ground.options.wants_replaced(declared.address):
        return Replace(**base, reason="requested", after=declared, before=before, clear_first=True)
    effective = _effective(declared, before)
    if not _same_identity(effective, before, ground):
        diff = differences(before.content, effective.content)
        return Replace(**base, reason="identity", after=effective, before=before, diff=diff)
    expired = _ended(effective, before, ground)
    if expired is not None:
        return Report(**base, reason=expired, after=effective, before=before, diff=_diff(effective, before))
    changed = before.digest != effective.digest
    repaired = repair(base, effective, before, ground.seen, changed) if ground.seen else None
    return (
        repaired
        or _update(base, effective, before, ground)
        or _renew(base, effective, before, ground)
        or _move(base, effective, before)
    )


def _adoption(base: dict[str, Any], declared: Declared, ground: Ground) -> Change | None:
    target = ground.targets.get(declared.resource.target)
    return adoption(base, declared, ground.seen, target) if ground.seen is not None and target is not None else None


def _ended(declared: Declared, before: RecordedAlarm, ground: Ground) -> str | None:
    if before.confirmation == "cleared":
        accepted = isinstance(declared.resource, Alarm) and declared.resource.lifecycle.on_external_clear == "accept"
        return None if accepted and before.digest == declared.digest else "cleared outside"
    return "expired" if before.expires_at is not None and before.expires_at <= ground.now else None


def _update(base: dict[str, Any], declared: Declared, before: RecordedAlarm, ground: Ground) -> Change | None:
    if not before.digest:
        return Update(**base | {"reason": "in doubt"}, after=declared, before=before, diff=_diff(declared, before))
    changed, unset = changed_secrets(declared, before.secrets, ground.environ) if declared.secrets else ((), ())
    ground.unset.update(unset)
    lifted = _lifted(declared, before)
    if before.digest == declared.digest and not changed and not lifted:
        return None
    diff = _diff(declared, before) or lifted
    lifecycle_only = bool(diff) and not changed and all(path_keys(d.path)[0] == "lifecycle" for d in diff)
    reason = "moved" if base["moved_from"] else "lifecycle" if lifecycle_only else "changed" if diff else "secret"
    merged = tuple(sorted((*diff, *secret_differences(changed)), key=lambda d: d.path))
    sends = not lifecycle_only or _renew(base, declared, before, ground) is not None
    return Update(**base, reason=reason, after=declared, before=before, diff=merged, sends=sends)


def _lifted(declared: Declared, before: RecordedAlarm) -> tuple[Difference, ...]:
    """`protect: false` written out lifts what the state remembers, even where the content is the same."""
    alarm = declared.resource
    if before.protect and isinstance(alarm, Alarm) and not alarm.is_protected(sticky=True):
        return (Difference("lifecycle.protect", True, False),)
    return ()


def _renew(base: dict[str, Any], declared: Declared, before: RecordedAlarm, ground: Ground) -> Change | None:
    alarm = declared.resource
    if not isinstance(alarm, Alarm) or before.confirmation == "cleared" or not is_due(alarm, before.expires_at, ground.now):
        return None
    return Renew(**base, reason="expires soon", after=declared, before=before)


def _move(base: dict[str, Any], declared: Declared, before: RecordedAlarm | RecordedEvent) -> Change | None:
    return Move(**base, reason="moved", after=declared, before=before) if base["moved_from"] else None


def plan_event(declared: Declared, before: RecordedEvent | None, ground: Ground) -> Change | None:
    """An event is reported once per content."""
    base = _base(declared, ground)
    if before is None:
        return Report(**base, reason="new", after=declared)
    changed, unset = changed_secrets(declared, before.secrets, ground.environ) if declared.secrets else ((), ())
    ground.unset.update(unset)
    if before.digest == declared.digest and not changed:
        return _move(base, declared, before)
    diff = tuple(sorted((*differences(before.content, declared.content), *secret_differences(changed)), key=lambda d: d.path))
    return Report(**base, reason="changed" if before.digest else "in doubt", after=declared, before=before, diff=diff)


def plan_removed(address: Address, before: RecordedAlarm | RecordedEvent, ground: Ground, *, forgotten: bool) -> Change:
    """What is no longer declared: an alarm is cleared, an event forgotten, anything under `forget` left alone."""
    base: dict[str, Any] = {
        "address": address,
        "kind": before.kind,
        "target": before.target,
        "moved_from": ground.origins.get(address),
    }
    if forgotten:
        return Forget(**base, reason="forget", before=before)
    if isinstance(before, RecordedEvent):
        return Forget(**base, reason="removed", before=before, note="an event cannot be cleared")
    if before.target not in ground.targets:
        note = f"target `{before.target}` is not configured; add it, or drop the address with `reconcile state rm`"
        return Defer(**base, reason="target unknown", before=before, note=note)
    return Clear(**base, reason="destroy" if ground.options.destroy else "removed", before=before)


def _base(declared: Declared, ground: Ground) -> dict[str, Any]:
    return {
        "address": declared.address,
        "kind": declared.kind,
        "target": declared.resource.target,
        "moved_from": ground.origins.get(declared.address),
    }


def _diff(declared: Declared, before: RecordedAlarm) -> tuple[Difference, ...]:
    return () if before.digest == declared.digest else differences(before.content, declared.content)


def _same_identity(declared: Declared, before: RecordedAlarm, ground: Ground) -> bool:
    address = declared.address
    ours = identity_of(declared.resource.target, declared.content, address, ground.targets)
    return ours == identity_of(before.target, before.content, address, ground.targets)


def _effective(declared: Declared, before: RecordedAlarm) -> Declared:
    """The declaration with the recorded values where `ignore_changes` names a path."""
    alarm = declared.resource
    if before.digest == declared.digest or not isinstance(alarm, Alarm) or not alarm.lifecycle.ignore_changes:
        return declared
    content: dict[str, Any] = dict(declared.content)
    for path in alarm.lifecycle.ignore_changes:
        content = _with_recorded(content, before.content, path_keys(path))
    secrets = {p: t for p, t in declared.secrets.items() if _at(content, path_keys(p)) == t}
    resource = Alarm.model_validate(content).model_copy(update={"lifecycle": alarm.lifecycle})
    return replace(declared, resource=resource, content=content, digest=digest(content), secrets=secrets)


def _at(content: Any, keys: tuple[str | int, ...]) -> Any:
    for key in keys:
        try:
            content = content[key]
        except (KeyError, IndexError, TypeError):
            return None
    return content


def _with_recorded(content: dict[str, Any], recorded: Mapping[str, Any], keys: tuple[str | int, ...]) -> dict[str, Any]:
    key, rest = str(keys[0]), keys[1:]
    merged = dict(content)
    if not rest or not isinstance(merged.get(key, {}), dict) or not isinstance(recorded.get(key, {}), dict):
        if key in recorded:
            merged[key] = recorded[key]
        else:
            merged.pop(key, None)
        return merged
    inner = _with_recorded(merged.get(key, {}), recorded.get(key, {}), rest)
    if inner or key in merged:
        merged[key] = inner
    return merged
