"""The brakes of contract sections 2 and 3: all violations of a plan, gathered. Beyond one of them nothing is sent."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from shlex import quote

from reconcile.model.address import Address
from reconcile.model.change import Adopt, Change, Clear, Replace, Trigger, Violation
from reconcile.model.config import Guards
from reconcile.model.resources import Alarm, AnyResource
from reconcile.model.snapshot import AnyRecorded
from reconcile.planner.options import PlanOptions
from reconcile.planner.settled import alarms_among

SHARE_FROM = 10  # a share of fewer alarms says nothing


def violations_of(
    changes: Sequence[Change],
    records: Mapping[Address, AnyRecorded],
    guards: Guards,
    options: PlanOptions,
    *,
    nothing_declared: bool,
    settled: Collection[Address] = (),
) -> tuple[Violation, ...]:
    """Every violation, protections first. A destroy was asked for by name: only protections stop it.

    `settled` resources stand in the state beside `records`.
    """
    found = list(_protections(changes))
    if not options.destroy:
        found += _clears(changes, records, guards, options, settled)
        found += _empty(changes, options, nothing_declared=nothing_declared)
    found += _triggers(changes, guards, options)
    return tuple(found)


def _protections(changes: Iterable[Change]) -> Iterable[Violation]:
    for change in changes:
        match change:
            case Clear(before=before) if before.protect:
                verb, where = "cleared", f"`reconcile state unprotect {quote(change.address)}`"
            case Replace(after=after, before=before) if _stays_protected(after.resource, sticky=before.protect):
                verb, where = "replaced", "set `protect: false` in its specs"
            case _:
                continue
        yield Violation("protect", f"{change.address} is protected and would be {verb}", f"to allow it: {where}", change.address)


def _stays_protected(resource: AnyResource, *, sticky: bool) -> bool:
    return isinstance(resource, Alarm) and resource.is_protected(sticky=sticky)


def _clears(
    changes: Sequence[Change],
    records: Mapping[Address, AnyRecorded],
    guards: Guards,
    options: PlanOptions,
    settled: Collection[Address],
) -> Iterable[Violation]:
    clears = sum(isinstance(change, Clear | Replace) for change in changes)
    if clears <= (options.allow.get("clears") or 0):
        return
    alarms = alarms_among(settled) + sum(record.kind == "alarm" for record in records.values())
    alarms += sum(isinstance(change, Adopt) or (isinstance(change, Clear) and change.reason == "orphan") for change in changes)
    hint = f"if this is meant: --allow clears={clears}"
    if guards.max_clears_count is not None and clears > guards.max_clears_count:
        yield Violation("clears", f"{clears} alarms would be cleared; the guard allows {guards.max_clears_count}", hint)
    elif guards.max_clears_share is not None and alarms >= SHARE_FROM and clears > guards.max_clears_share * alarms:
        share, limit = 100 * clears / alarms, 100 * guards.max_clears_share
        text = f"{clears} of {alarms} alarms ({share:.0f} %) would be cleared; the guard allows {limit:g} %"
        yield Violation("clears", text, hint)


def _empty(changes: Sequence[Change], options: PlanOptions, *, nothing_declared: bool) -> Iterable[Violation]:
    clears = sum(isinstance(change, Clear) for change in changes)
    if nothing_declared and clears and "empty" not in options.allow:
        text = f"the specs are empty, and {clears} alarm{'s' if clears != 1 else ''} would be cleared"
        yield Violation("empty", text, "if this is meant: --allow empty, or `reconcile destroy`")


def _triggers(changes: Sequence[Change], guards: Guards, options: PlanOptions) -> Iterable[Violation]:
    triggers = sum(isinstance(change, Trigger) for change in changes)
    if triggers > max(guards.max_triggers, options.allow.get("triggers") or 0):
        text = f"{triggers} tasks would be triggered; the guard allows {guards.max_triggers}"
        yield Violation("triggers", text, f"if this is meant: --allow triggers={triggers}")
