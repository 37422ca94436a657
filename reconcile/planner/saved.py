"""A saved plan against the plan that would be made now: what is left of it, or why it no longer holds (contract section 7).

A row holds while the same action, with the same content, would be taken on an unchanged state entry. A row that this
very plan has already carried out is finished. Anything else makes the plan stale. Rows the saved plan does not have
were not reviewed: they are left out, and told.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from reconcile.errors import PlanRefused
from reconcile.model.address import Address
from reconcile.model.base import digest
from reconcile.model.change import Change
from reconcile.model.instants import to_seconds
from reconcile.model.plan import Plan
from reconcile.model.snapshot import RecordedHandling, Snapshot, basis_of

MOST_NAMED = 20
AGAIN = "nothing was sent; plan again: reconcile plan --out FILE"


def remaining(saved: Mapping[str, Any], now: Plan, snapshot: Snapshot) -> Plan:
    """The plan of now, cut to the rows of the saved one that are still to do. Raises PlanRefused with what moved and who did."""
    ours = snapshot.last_run is not None and saved["plan_id"] in snapshot.last_run.plans
    _refuse_foreign(saved, now, snapshot, ours=ours)
    current = {change.address: change for change in now.changes}
    rows = {str(row["address"]): row for row in saved["changes"]}
    keep: set[Address] = set()
    moved: list[str] = []
    for address, row in rows.items():
        change = current.get(address)
        if change is not None and (_holds(row, change) or (ours and _in_doubt(row, change))):
            keep.add(address)
        elif not (ours and _is_done(row, change, snapshot)):
            moved.append(f"{address}: planned {row['action']}, {_instead(row, change)}")
    if moved:
        raise PlanRefused("\n  ".join([_headline(saved, snapshot), *_named(moved)]), hint=AGAIN)
    left = sum(1 for address, change in current.items() if address not in rows and change.action != "defer")
    note = (f"{left} more change{'s are' if left != 1 else ' is'} due that this plan does not hold; plan again for them",)
    kept = tuple(change for change in now.changes if change.address in keep)
    refused = tuple(one for one in now.violations if one.kind != "check" or one.address is None or one.address in keep)
    return replace(now, changes=kept, violations=refused if kept else (), notes=now.notes + (note if left else ()))


def _refuse_foreign(saved: Mapping[str, Any], now: Plan, snapshot: Snapshot, *, ours: bool) -> None:
    if saved["stack"] != now.stack:
        raise PlanRefused(f"the plan is of stack `{saved['stack']}`, this is stack `{now.stack}`", hint=AGAIN)
    lineage = saved["state"].get("lineage")
    if lineage != snapshot.lineage and not (lineage is None and ours):
        made = "before there was a state" if lineage is None else f"for another state (lineage {lineage})"
        raise PlanRefused(f"the plan was made {made}; the state now has lineage {snapshot.lineage}", hint=AGAIN)
    if saved["spec_digest"] != now.spec_digest:
        said = "the specs or targets changed since the plan was made"
        raise PlanRefused("\n  ".join([said, *_named(_edited(saved, now))]), hint=AGAIN)


def _edited(saved: Mapping[str, Any], now: Plan) -> list[str]:
    """What the plan of now does otherwise: as far as the saved one touches it, or would have had to."""
    current = {change.address: change for change in now.changes}
    rows = {str(row["address"]): row for row in saved["changes"]}
    found = []
    for address, row in rows.items():
        change = current.get(address)
        if change is None or not _holds(row, change):
            found.append(f"{address}: planned {row['action']}, {_instead(row, change)}")
    return found + [
        f"{address}: not in the plan, now {change.action}" for address, change in current.items() if address not in rows
    ]


def _named(lines: list[str]) -> list[str]:
    """The first of them, with the number of the rest."""
    left = len(lines) - MOST_NAMED
    return [*sorted(lines)[:MOST_NAMED], *([f"... and {left:,} more"] if left > 0 else [])]


def _headline(saved: Mapping[str, Any], snapshot: Snapshot) -> str:
    run = snapshot.last_run
    by = f", last written by {run.who} ({run.command}, {to_seconds(run.at)})" if run else ""
    return f"the plan no longer fits the state: planned on serial {saved['state'].get('serial')}, now {snapshot.serial}{by}"


def _holds(row: Mapping[str, Any], change: Change) -> bool:
    after = getattr(change, "after", None)
    return bool(
        row["action"] == change.action
        and row["reason"] == change.reason
        and row.get("basis") == basis_of(change.before)
        and _same(row["after"], None if after is None else dict(after.content))
    )


def _instead(row: Mapping[str, Any], change: Change | None) -> str:
    """What has become of a row that no longer holds."""
    if change is None:
        return "now nothing to do"
    if change.action != row["action"]:
        return f"now {change.action}"
    if row.get("basis") != basis_of(change.before):
        return "and its entry in the state is another since"
    return f"now for another reason ({change.reason})" if row["reason"] != change.reason else "now to other content"


def _in_doubt(row: Mapping[str, Any], change: Change) -> bool:
    """Whether this plan sent the row before and nobody knows whether it arrived: it is sent again."""
    after = getattr(change, "after", None)
    return change.reason == "in doubt" and after is not None and _same(row["after"], dict(after.content))


def _same(left: Any, right: Any) -> bool:
    return digest(left) == digest(right)


def _is_done(row: Mapping[str, Any], change: Change | None, snapshot: Snapshot) -> bool:
    """Whether this plan itself has carried the row out: nothing is left to do, and the state holds what it wanted."""
    entry = snapshot.resources.get(str(row["address"]))
    if row["action"] in ("clear", "forget"):
        return entry is None
    if row["action"] == "defer" or (change is not None and change.action == "defer" and change.reason == "unknown"):
        return True
    if row["action"] == "trigger":
        return isinstance(entry, RecordedHandling) and bool(entry.runs)
    if row["action"] == "renew":
        return change is None
    return change is None and entry is not None and (row["after"] is None or _same(row["after"], entry.content))
