"""The lines below one row of a plan: what changes, why, and what that means. Knows no group and no plan."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from reconcile.model.instants import instant_ms
from reconcile.model.rows import Row
from reconcile.model.template import put_at
from reconcile.views.inert import cells, inert
from reconcile.views.layout import hanging
from reconcile.views.units import rough
from reconcile.views.values import SECRET, flat, value_text

Fact = tuple[str, str]
ROUTINE = frozenset({"identity", "new", "changed", "removed", "moved", "forget", "destroy", "expires soon"})
MOST_FACTS, MOST_LINES, INDENT = 40, 3, 8
_BRIEF = ("severity", "message", "timeout")


def detail_lines(row: Row, *, as_of: int, width: int, full: bool) -> list[str]:
    """Everything below a row. Short: the fields that matter, cut to size, with a count of what was left out."""
    facts = _why(row) + _FACTS.get(row["action"], _no_facts)(row, as_of, full)
    shown = facts if full else facts[:MOST_FACTS]
    label_width = min(max((cells(label) for label, _ in shown), default=0), 36)
    lines: list[str] = []
    for label, text in shown:
        lines += hanging(label, text, indent=INDENT, width=width, label_width=label_width, limit=None if full else MOST_LINES)
    if len(shown) < len(facts):
        lines.append(" " * INDENT + f"(and {len(facts) - len(shown):,} fields more: --full)")
    return lines


def _why(row: Row) -> list[Fact]:
    facts = []
    if row.get("moved_from"):
        facts.append(("moved from", inert(row["moved_from"])))
    if row.get("note"):
        facts.append(("because", inert(row["note"])))
    elif row["reason"] not in ROUTINE:
        facts.append(("because", inert(row["reason"])))
    return facts


def _new(row: Row, as_of: int, full: bool) -> list[Fact]:
    content = row["after"] or {}
    for path in row.get("secret_paths", ()):
        content = _masked(content, path)
    if full:
        return [(inert(path), value_text(path, value)) for path, value in flat(content)]
    return [(key, value_text(key, content[key])) for key in _BRIEF if key in content]


def _masked(content: dict[str, Any], path: str) -> dict[str, Any]:
    try:
        return dict(put_at(content, path, SECRET))
    except (KeyError, IndexError, TypeError, ValueError):
        return content


def _changed(row: Row, as_of: int, full: bool) -> list[Fact]:
    facts = [(inert(d["path"]), step_text(d["path"], d["before"], d["after"])) for d in row["diff"]]
    return facts if row.get("sends", True) else [*facts, ("sent", "nothing; only the state changes")]


def step_text(path: str, before: Any, after: Any) -> str:
    """`before -> after` at a path; `+` and `-` where one of them is absent."""
    if before == SECRET or after == SECRET:
        return f"{SECRET} changed"
    if before is None:
        return f"+ {value_text(path, after)}"
    if after is None:
        return f"- {value_text(path, before)}"
    return f"{value_text(path, before)} -> {value_text(path, after)}"


def _replaced(row: Row, as_of: int, full: bool) -> list[Fact]:
    steps = ("clear the old one", "report the new one")
    first, then = steps if row.get("clear_first") else steps[::-1]
    return [*_changed(row, as_of, full), ("identity", f"differs: {first}, then {then}; may notify again")]


def _reported(row: Row, as_of: int, full: bool) -> list[Fact]:
    return [*_new(row, as_of, full), *(_changed(row, as_of, full) if full else [])]


def _cleared(row: Row, as_of: int, full: bool) -> list[Fact]:
    severity = (row["before"] or {}).get("severity", "?")
    since = row.get("since")
    lasted = f", reported {rough(as_of - instant_ms(since))} ago" if since else ""
    return [("active", f"{value_text('severity', severity)}{lasted}")]


def _triggered(row: Row, as_of: int, full: bool) -> list[Fact]:
    task = row["after"] or {}
    words = [str(task.get(key, "?")) for key in ("task_type", "associated_task_name")]
    facts = [
        ("task", inert(f"{words[0]} {words[1]} ({task.get('associated_task_id', '?')})")),
        ("for", inert(f"COC alarm {task.get('alarm_id') or '?'}")),
    ]
    if row.get("depends_on"):
        facts.append(("after", inert(f"{row['depends_on']} was reported")))
    facts.append(("last run", _last_run(row.get("last_run"))))
    return facts + (_new(row, as_of, full) if full else [])


def _last_run(run: dict[str, Any] | None) -> str:
    return "never" if run is None else inert(f"{run['at']}, {run['outcome']}, ticket {run['ticket'] or 'unknown'}")


def _renewed(row: Row, as_of: int, full: bool) -> list[Fact]:
    return [("expires", expiry_words(instant_ms(row["expires_at"]), as_of))] if "expires_at" in row else []


def expiry_words(expires_at: int, as_of: int) -> str:
    """`in 22m`, or how long ago."""
    left = expires_at - as_of
    return f"in {rough(left)}" if left > 0 else f"{rough(-left)} ago"


def _no_facts(row: Row, as_of: int, full: bool) -> list[Fact]:
    return []


_FACTS: dict[str, Callable[[Row, int, bool], list[Fact]]] = {
    "report": _reported,
    "update": _changed,
    "replace": _replaced,
    "adopt": _changed,
    "clear": _cleared,
    "trigger": _triggered,
    "renew": _renewed,
    "move": _no_facts,
    "forget": _no_facts,
    "defer": _no_facts,
}
