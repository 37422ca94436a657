"""The plan: the whole truth of what an apply does, and what it was made against."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from reconcile.model.change import ACTIONS, Change, Drift, Violation
from reconcile.model.snapshot import Intent


@dataclass(frozen=True, slots=True)
class Plan:
    """Changes in the order of an apply (contract section 7). `as_of` in ms.

    `complete` is False when `--target`, `--exclude` or `--on` left something out (`left_out` resources).
    `options` are those that shaped it, so that a saved plan can be made again.
    `unchanged` counts the resources that need nothing. `notes` are sentences for people; they decide nothing.
    """

    as_of: int
    stack: str
    lineage: str | None
    serial: int
    spec_digest: str
    changes: tuple[Change, ...]
    unchanged: int = 0
    left_out: int = 0
    notes: tuple[str, ...] = ()
    violations: tuple[Violation, ...] = ()
    drift: tuple[Drift, ...] = ()
    pending: tuple[Intent, ...] = ()
    destroy: bool = False
    options: Mapping[str, Any] = field(default_factory=dict)

    @property
    def complete(self) -> bool:
        """Whether every resource was looked at."""
        return self.left_out == 0

    def summary(self) -> dict[str, int]:
        """How many changes of each action, all actions named."""
        counts = dict.fromkeys(ACTIONS, 0)
        for change in self.changes:
            counts[change.action] += 1
        counts["none"] = self.unchanged
        return counts

    @property
    def has_changes(self) -> bool:
        """Whether `--detailed-exitcode` says 2: renewals and deferrals alone do not count."""
        return any(change.action not in ("renew", "defer") for change in self.changes)
