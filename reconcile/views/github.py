"""A plan for GitHub Actions: annotations beside the files of a pull request, and the outputs of a step. Prints nothing."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from reconcile.model.rows import Row
from reconcile.views.inert import inert
from reconcile.views.units import counted

_AT_START = re.compile(r"^(\s*)::", re.MULTILINE)
MOST = 10  # a step shows no more annotations of one level
_LOUD = ("trigger", "clear", "replace")
_TITLES = {"trigger": "Runs a task", "clear": "Clears an alarm", "replace": "Replaces an alarm"}


def render_annotations(document: Mapping[str, Any]) -> str:
    """Workflow commands: an error for each thing that refuses the plan, a warning for each trigger, clear and replace.

    Of each level at most ten, the last of them saying how many there are beside.
    """
    sources = {row["address"]: row.get("source") for row in document["changes"]}
    errors = [_violation(row, sources) for row in document.get("violations", [])]
    loud = [row for action in _LOUD for row in document["changes"] if row["action"] == action]
    return "".join(line + "\n" for line in (*_capped(errors, "error"), *_capped([_change(row) for row in loud], "warning")))


def _capped(lines: Sequence[str], level: str) -> Iterator[str]:
    if len(lines) <= MOST:
        yield from lines
        return
    yield from lines[: MOST - 1]
    rest = counted(len(lines) - MOST + 1, "annotation")
    yield command(level, {"title": "More in the plan"}, f"{rest} more: read the plan itself")


def _violation(row: Row, sources: Mapping[str, Row | None]) -> str:
    address = row.get("address")
    where = f"{address}: " if address else ""
    hint = f" ({row['hint']})" if row.get("hint") else ""
    return command("error", _place(sources.get(address or "")) | {"title": "Plan refused"}, f"{where}{row['message']}{hint}")


def _change(row: Row) -> str:
    task = row["after"] or {}
    words = {
        "trigger": f"{task.get('task_type', '?')} {task.get('associated_task_name', '?')} is started; it cannot be undone",
        "clear": f"it is cleared (reason: {row['reason']})",
        "replace": "its identity differs: one alarm is cleared, another reported; people may be notified again",
    }
    return command(
        "warning", _place(row["source"]) | {"title": _TITLES[row["action"]]}, f"{row['address']}: {words[row['action']]}"
    )


def _place(source: Row | None) -> dict[str, str]:
    return {} if source is None else {"file": str(source["file"]), "line": str(source["line"])}


def command(level: str, properties: Mapping[str, str], message: str) -> str:
    """One workflow command. No text in it can end it, begin another one, or add a property."""
    head = ",".join(f"{key}={_property(value)}" for key, value in properties.items())
    return f"::{level} {head}::{_message(message)}"


def _message(text: str) -> str:
    return inert(text).replace("%", "%25")


def _property(text: str) -> str:
    return _message(text).replace(":", "%3A").replace(",", "%2C")


def disarmed(text: str) -> str:
    """A text for a step's log in which the runner finds no command: neither `::` at the start of a line nor `##[` anywhere.

    JSON stays JSON and says the same, since `##[` occurs only inside its strings.
    """
    return _AT_START.sub(r"\1\\x3a:", text).replace("##[", "##\\u005b")


def output_lines(document: Mapping[str, Any], *, exit_code: int, prefix: str = "") -> str:
    """`name=value` lines for `$GITHUB_OUTPUT`, and for a dotenv report with the prefix `RECONCILE_`.

    `changes` is true or false and means what `--detailed-exitcode` means; the other values are numbers and the plan's id.
    """
    summary = document["summary"]
    changes = any(row["action"] not in ("renew", "defer") for row in document["changes"])
    values = {
        "changes": "true" if changes else "false",
        "clears": str(int(summary.get("clear", 0))),
        "triggers": str(int(summary.get("trigger", 0))),
        "plan_id": inert(document["plan_id"]),
        "exit_code": str(exit_code),
    }
    return "".join(f"{prefix}{key.upper() if prefix else key}={value}\n" for key, value in values.items())
