"""What a text view of a plan needs, cut to size: from a fresh Plan or from a saved document. Knows no layout."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple, TypeVar

from reconcile.model.change import Renew
from reconcile.model.instants import instant_ms
from reconcile.model.plan import Plan
from reconcile.model.rows import Row, change_row, drift_row, intent_row, violation_row

T = TypeVar("T")

GROUPS = {
    "report": "changes",
    "update": "changes",
    "replace": "changes",
    "adopt": "changes",
    "clear": "clears",
    "trigger": "triggers",
    "defer": "deferred",
    "move": "bookkeeping",
    "forget": "bookkeeping",
    "renew": "renewals",
}


class Group(NamedTuple):
    """The first rows of a group, and how many it has in all."""

    rows: tuple[Row, ...]
    total: int


@dataclass(frozen=True, slots=True)
class Sheet:
    """A plan as rows. `first_expiry` is that of the renewals, in ms."""

    stack: str
    lineage: str | None
    serial: int
    as_of: int
    left_out: int
    destroy: bool
    summary: Mapping[str, int]
    groups: Mapping[str, Group]
    drift: Group
    violations: tuple[Row, ...]
    pending: tuple[Row, ...]
    notes: tuple[str, ...]
    first_expiry: int | None = None


def sheet_of_plan(plan: Plan, *, limit: int | None) -> Sheet:
    """The sheet of a fresh plan; at most `limit` rows a group are made."""
    expiries = [c.before.expires_at for c in plan.changes if isinstance(c, Renew) and c.before.expires_at is not None]
    return Sheet(
        stack=plan.stack,
        lineage=plan.lineage,
        serial=plan.serial,
        as_of=plan.as_of,
        left_out=plan.left_out,
        destroy=plan.destroy,
        summary=plan.summary(),
        groups=_groups(plan.changes, lambda change: change.action, change_row, limit),
        drift=Group(tuple(drift_row(drift) for drift in plan.drift[:limit]), len(plan.drift)),
        violations=tuple(violation_row(violation) for violation in plan.violations),
        pending=tuple(intent_row(intent) for intent in plan.pending),
        notes=plan.notes,
        first_expiry=min(expiries, default=None),
    )


def sheet_of_document(document: Mapping[str, Any], *, limit: int | None) -> Sheet:
    """The sheet of a saved plan that `read_document` let through."""
    expiries = [row["expires_at"] for row in document["changes"] if row["action"] == "renew" and "expires_at" in row]
    return Sheet(
        stack=document["stack"],
        lineage=document["state"].get("lineage"),
        serial=document["state"].get("serial", 0),
        as_of=instant_ms(document["as_of"]),
        left_out=document.get("left_out", 0),
        destroy=document.get("destroy", False),
        summary=document["summary"],
        groups=_groups(document["changes"], lambda row: str(row["action"]), lambda row: row, limit),
        drift=Group(tuple(document["drift"][:limit]), len(document["drift"])),
        violations=tuple(document.get("violations", ())),
        pending=tuple(document["pending"]),
        notes=tuple(document.get("notes", ())),
        first_expiry=instant_ms(min(expiries)) if expiries else None,
    )


def _groups(items: Iterable[T], action_of: Callable[[T], str], row_of: Callable[[T], Row], limit: int | None) -> dict[str, Group]:
    parted: dict[str, list[T]] = defaultdict(list)
    for item in items:
        parted[GROUPS.get(action_of(item), "changes")].append(item)
    return {name: Group(tuple(row_of(item) for item in found[:limit]), len(found)) for name, found in parted.items()}
