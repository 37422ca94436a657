"""The `checks:` of the config over a made plan: every place where one does not hold, as violations. Changes nothing.

An expression that does not fit its values is a violation, too: a policy that cannot be asked has not allowed it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from reconcile.expressions import EvaluationFailed, compiled
from reconcile.model.change import Violation
from reconcile.model.config import Check
from reconcile.model.instants import instant
from reconcile.model.plan import Plan
from reconcile.model.rows import Row, change_row


def failed_checks(plan: Plan, checks: Sequence[Check], file: str | None) -> tuple[Violation, ...]:
    """What the checks forbid, in their order; of one check in the order of the changes."""
    if not checks:
        return ()
    rows = [change_row(change) for change in plan.changes]
    facts = _facts(plan)
    return tuple(violation for check in checks for violation in _failures(check, rows, facts, file))


def _facts(plan: Plan) -> Row:
    """The plan as its document says it, without its changes: of these a check sees one at a time, or all."""
    return {
        "stack": plan.stack,
        "as_of": instant(plan.as_of),
        "complete": plan.complete,
        "destroy": plan.destroy,
        "summary": plan.summary(),
    }


def _failures(check: Check, rows: Sequence[Row], facts: Row, file: str | None) -> Iterator[Violation]:
    if check.over == "plan":
        if (why := _failure(check, {"plan": {**facts, "changes": list(rows)}})) is not None:
            yield _violation(check, why, file)
        return
    for row in rows:
        if (why := _failure(check, {"change": row, "plan": facts})) is not None:
            yield _violation(check, why, file, row["address"])


def _failure(check: Check, values: dict[str, Any]) -> str | None:
    """Why the check does not hold; None when it does, or is not about this."""
    try:
        if check.when is not None and not compiled(check.when, check.names)(values):
            return None
        holds = compiled(check.require, check.names)(values)
    except EvaluationFailed as error:
        return f"it cannot be evaluated: {error}"
    return None if holds else check.message or f"`{check.require}` does not hold"


def _violation(check: Check, why: str, file: str | None, address: str | None = None) -> Violation:
    subject = f"{address}: " if address else ""
    hint = f"change what is planned, or the check at {file or 'reconcile.yaml'}:{check.line}"
    return Violation("check", f"{subject}check `{check.name}`: {why}", hint, address)
