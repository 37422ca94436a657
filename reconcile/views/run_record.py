"""What a run did, as one document for other programs: webhooks, audit. Holds no content of specs and no secret."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from reconcile import __version__
from reconcile.errors import ReconcileError
from reconcile.model.base import digest
from reconcile.model.change import Drift
from reconcile.model.instants import instant
from reconcile.ports import Progress

FORMAT_VERSION = "1.0"
MOST = 100  # rows of a list; the counts are of all
DONE = ("done", "unconfirmed")
OUTCOMES = (*DONE, "failed", "unknown", "skipped")
RESULTS = {
    0: "done",
    1: "failed",
    2: "drift",
    3: "partly done",
    4: "locked",
    5: "stale plan",
    6: "refused",
    7: "unknown",
    10: "invalid",
    130: "interrupted",
    143: "interrupted",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """A run that is over. Times in ms. `planned` is None where there was no plan, `outcomes` where nothing was begun,
    `drift` where nobody looked; `error` is what ended the run.
    """

    command: str
    stack: str | None
    who: str
    begun: int
    ended: int
    exit_code: int
    plan_id: str | None = None
    serial: int | None = None
    planned: Mapping[str, int] | None = None
    outcomes: Sequence[Progress] | None = None
    drift: Sequence[Drift] | None = None
    error: Exception | None = None

    @property
    def result(self) -> str:
        """The exit code in words."""
        return RESULTS.get(self.exit_code, "failed")

    @property
    def did_something(self) -> bool:
        """Whether anything was done, found or refused."""
        return self.exit_code != 0 or bool(self.outcomes) or bool(self.drift)


def run_record(run: Run) -> dict[str, Any]:
    """The document; lists are cut to their first rows. `text` is a line for people, as chat systems show it."""
    failures = [one for one in run.outcomes or () if one.outcome not in DONE]
    body = {
        "type": "run",
        "format_version": FORMAT_VERSION,
        "tool_version": __version__,
        "text": _text(run),
        "command": run.command,
        "stack": run.stack,
        "who": run.who,
        "started_at": instant(run.begun),
        "ended_at": instant(run.ended),
        "exit_code": run.exit_code,
        "result": run.result,
        "plan_id": run.plan_id,
        "serial": run.serial,
        "planned": None if run.planned is None else dict(run.planned),
        "counts": None if run.outcomes is None else _counts(run.outcomes),
        "applied": None if run.outcomes is None else _applied(run.outcomes),
        "failures": [_failure(one) for one in failures[:MOST]],
        "drift_count": None if run.drift is None else len(run.drift),
        "drift": None if run.drift is None else [_drift(one) for one in run.drift[:MOST]],
        "error": None if run.error is None else _error(run.error),
    }
    return {"id": digest(body), **body}


def _text(run: Run) -> str:
    parts = []
    if run.outcomes is not None:
        counts = _counts(run.outcomes)
        parts = [f"{counts[name]} {name}" for name in OUTCOMES if counts[name]] or ["nothing to do"]
    elif run.drift is not None:
        parts = [f"{len(run.drift)} drifted" if run.drift else "no drift"]
    what = ", ".join(parts) or run.result
    return f"reconcile {run.command} on {run.stack or 'an unnamed stack'}: {what} (exit {run.exit_code})"


def _counts(outcomes: Sequence[Progress]) -> dict[str, int]:
    found = Counter(one.outcome for one in outcomes)
    return {name: found[name] for name in OUTCOMES}


def _applied(outcomes: Iterable[Progress]) -> dict[str, int]:
    found = Counter(one.action for one in outcomes if one.outcome in DONE)
    return {action: found[action] for action in sorted(found)}


def _failure(one: Progress) -> dict[str, Any]:
    return {"address": one.address, "action": one.action, "outcome": one.outcome, "detail": one.detail, "hint": one.hint}


def _drift(one: Drift) -> dict[str, Any]:
    return {"address": one.address, "kind": one.kind, "target": one.target, "note": one.note}


def _error(error: Exception) -> dict[str, Any]:
    if isinstance(error, ReconcileError):
        return {"message": error.message, "hint": error.hint}
    return {"message": f"{type(error).__name__}: {error}", "hint": None}
