"""What an apply did: every step with its outcome, and the exit code that follows (contract section 8)."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from reconcile.ports import Progress

DONE = ("done", "unconfirmed")


@dataclass(slots=True)
class Account:
    """Grows while an apply runs. `serial` is the state's after it; `pending_unknown` counts triggers still unknown;
    `foreign` says that another stack's record of one of our identities was seen.

    Outcomes: done · unconfirmed (sent, not seen yet) · failed · unknown (may have run) · skipped (held back).
    """

    outcomes: list[Progress] = field(default_factory=list)
    serial: int = 0
    plan_id: str | None = None
    pending_unknown: int = 0
    foreign: bool = False
    stopped_by: int | None = None

    def counts(self) -> dict[str, int]:
        """How many steps had each outcome; all five named."""
        found = Counter(progress.outcome for progress in self.outcomes)
        return {name: found[name] for name in ("done", "unconfirmed", "failed", "unknown", "skipped")}

    @property
    def exit_code(self) -> int:
        """130/143 stopped · 7 something is unknown · 6 another stack holds one · 3 some did, some failed · 1 all failed · 0."""
        counts = self.counts()
        if self.stopped_by is not None:
            return 128 + self.stopped_by
        if counts["unknown"] or self.pending_unknown:
            return 7
        if self.foreign:
            return 6
        if counts["failed"]:
            return 3 if any(counts[name] for name in DONE) else 1
        return 0
