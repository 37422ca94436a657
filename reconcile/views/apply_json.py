"""An apply as JSON lines: version first, a row per change and per step, the summary last. ASCII; readers ignore unknown keys."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from typing import Any

from reconcile import __version__
from reconcile.errors import InputInvalid, ReconcileError, TargetError
from reconcile.model.plan import Plan
from reconcile.model.rows import change_row
from reconcile.ports import Progress
from reconcile.views.plan_document import FORMAT_VERSION


def _line(row: Mapping[str, Any]) -> str:
    return json.dumps(row, separators=(",", ":"), allow_nan=False) + "\n"


def version_line() -> str:
    """The first line: what wrote it, and in which format."""
    return _line({"type": "version", "format_version": FORMAT_VERSION, "tool_version": __version__})


def change_lines(plan: Plan) -> Iterator[str]:
    """What is going to be done: the rows of the plan document."""
    for change in plan.changes:
        yield _line({"type": "change"} | change_row(change))


def progress_line(progress: Progress) -> str:
    """One step that ended."""
    return _line(
        {
            "type": "progress",
            "address": progress.address,
            "action": progress.action,
            "outcome": progress.outcome,
            "detail": progress.detail,
            "hint": progress.hint,
        }
    )


def told_line(text: str) -> str:
    """A sentence for people."""
    return _line({"type": "note", "message": text})


def error_line(error: ReconcileError) -> str:
    """What ended the run, with the server's own words where there are some."""
    row: dict[str, Any] = {
        "type": "error",
        "message": error.message,
        "where": error.where,
        "hint": error.hint,
        "exit_code": error.exit_code,
    }
    if isinstance(error, TargetError):
        answer = error.answer
        row["answer"] = {"status": answer.status, "code": answer.code, "words": answer.words, "trace_id": answer.trace_id}
    if isinstance(error, InputInvalid):
        row["problems"] = [asdict(problem) for problem in error.problems]
    return _line(row)


def summary_line(*, exit_code: int, counts: Mapping[str, int], serial: int | None = None) -> str:
    """The last line: always there, also after a failure."""
    row: dict[str, Any] = {"type": "summary", "exit_code": exit_code, "counts": dict(counts)}
    return _line(row if serial is None else row | {"serial": serial})
