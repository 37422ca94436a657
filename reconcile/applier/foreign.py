"""Other stacks' alarms: an active record with our identity and another stack's stamp is never overwritten or cleared.

Asked once per run, before anything is sent, where a plan begins to claim an identity; and seen again by every read-back.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from reconcile.applier.converge import identity_key, is_foreign
from reconcile.applier.run import Run
from reconcile.model.address import Address
from reconcile.model.change import Change, Replace, Report, Update, Violation
from reconcile.model.plan import Plan
from reconcile.model.resources import Alarm
from reconcile.ports import LiveAlarm

HINT = "give it another identity, or have that stack give it up"


async def foreign_holders(run: Run, plan: Plan) -> tuple[Violation, ...]:
    """What forbids the plan: identities it claims that are active under another stack's stamp. Sees nothing without the list."""
    by_target: dict[str, list[tuple[Address, Mapping[str, Any]]]] = {}
    for change in plan.changes:
        content = _claimed(change)
        if content is not None:
            by_target.setdefault(content["target"], []).append((change.address, content))
    found: list[Violation] = []
    for name, claims in sorted(by_target.items()):
        live = await run.active(run.targets.alarms[name], {}) or []
        holders = {_key(one): one for one in live if is_foreign(one, run.stack)}
        taken = ((address, holders.get(_declared_key(content))) for address, content in claims)
        found += [Violation("foreign", foreign_words(address, holder), HINT, address) for address, holder in taken if holder]
    return tuple(found)


def foreign_among(live: Iterable[LiveAlarm], project: str | None, stack: str) -> LiveAlarm | None:
    """The first record of another stack among those of one identity; `project` is the enterprise project it must be in."""
    wanted = project or "0"
    return next((one for one in live if is_foreign(one, stack) and (one.enterprise_project_id or wanted) == wanted), None)


def foreign_words(address: Address, holder: LiveAlarm) -> str:
    """The sentence people see."""
    owner = holder.metadata.get("reconcile_key", "?").partition("/alarm.")[0]
    return f"{address}: an active alarm of this identity belongs to stack `{owner}` (id {holder.id})"


def _claimed(change: Change) -> Mapping[str, Any] | None:
    """The content whose identity this change newly claims; None where it claims nothing."""
    match change:
        case Report() | Replace():
            new = isinstance(change.after.resource, Alarm)
        case Update(before=before, sends=True):
            new = not before.digest and isinstance(change.after.resource, Alarm)
        case _:
            new = False
    return change.after.content if new and isinstance(change, Report | Replace | Update) else None


def _key(live: LiveAlarm) -> tuple[str, ...]:
    return identity_key(live.metadata, live.enterprise_project_id)


def _declared_key(content: Mapping[str, Any]) -> tuple[str, ...]:
    resource = content["resource"]
    project = content.get("enterprise_project_id") or "0"
    return (project, content["name"], resource["provider"], resource["type"], resource["id"])
