"""The lines below one row of a plan: what changes, why, and what that means. Knows no group and no plan."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from reconcile.model.instants import instant_ms
from reconcile.model.rows import Row
from reconcile.model.template import put_at
from reconcile.views.inert import cells, inert
from reconcile.views.layout import hanging
from reconcile.views.steps import step_lines, step_sides
from reconcile.views.units import rough
from reconcile.views.values import SECRET, flat, value_text


class Fact(NamedTuple):
    """A line below a row; `then` is the other side of a step."""

    label: str
    text: str
    then: str | None = None


ROUTINE = frozenset({"identity", "new", "changed", "removed", "moved", "forget", "destroy", "expires soon"})
MOST_FACTS, MOST_LINES, INDENT = 40, 3, 8
_BRIEF = ("severity", "message", "timeout")


def detail_lines(row: Row, *, as_of: int, width: int, full: bool) -> list[str]:
    """Everything below a row. Short: the fields that matter, cut to size, with a count of what was left out."""
    facts = _why(row) + _FACTS.get(row["action"], _no_facts)(row, as_of, full)
    shown = facts if full else facts[:MOST_FACTS]
    label_width = min(max((cells(fact.label) for fact in shown), default=0), 36)
    lines: list[str] = []
    for fact in shown:
        lines += _fact_lines(fact, label_width, width, None if full else MOST_LINES)
    if len(shown) < len(facts):
        lines.append(" " * INDENT + f"(and {len(facts) - len(shown):,} fields more: --full)")
    return lines


def _fact_lines(fact: Fact, label_width: int, width: int, limit: int | None) -> list[str]:
    label, text, then = fact
    if then is None:
        return hanging(label, text, indent=INDENT, width=width, label_width=label_width, limit=limit)
    return step_lines(label, text, then, indent=INDENT, width=width, label_width=label_width, limit=limit)


def _why(row: Row) -> list[Fact]:
    facts = []
    if row.get("moved_from"):
        facts.append(Fact("moved from", inert(row["moved_from"])))
    if row.get("note"):
        facts.append(Fact("because", inert(row["note"])))
    elif row["reason"] not in ROUTINE:
        facts.append(Fact("because", inert(row["reason"])))
    return facts


def _new(row: Row, as_of: int, full: bool) -> list[Fact]:
    content = row["after"] or {}
    for path in row.get("secret_paths", ()):
        content = _masked(content, path)
    if full:
        return [Fact(inert(path), value_text(path, value)) for path, value in flat(content)]
    return [Fact(key, value_text(key, content[key])) for key in _BRIEF if key in content]


def _masked(content: dict[str, Any], path: str) -> dict[str, Any]:
    try:
        return dict(put_at(content, path, SECRET))
    except (KeyError, IndexError, TypeError, ValueError):
        return content


def _changed(row: Row, as_of: int, full: bool) -> list[Fact]:
    facts = [Fact(inert(d["path"]), *step_sides(d["path"], d["before"], d["after"])) for d in row["diff"]]
    return facts if row.get("sends", True) else [*facts, Fact("sent", "nothing; only the state changes")]


def _replaced(row: Row, as_of: int, full: bool) -> list[Fact]:
    steps = ("clear the old one", "report the new one")
    first, then = steps if row.get("clear_first") else steps[::-1]
    return [*_changed(row, as_of, full), Fact("identity", f"differs: {first}, then {then}; may notify again")]


def _reported(row: Row, as_of: int, full: bool) -> list[Fact]:
    return [*_new(row, as_of, full), *(_changed(row, as_of, full) if full else [])]


def _cleared(row: Row, as_of: int, full: bool) -> list[Fact]:
    severity = (row["before"] or {}).get("severity", "?")
    since = row.get("since")
    lasted = f", reported {rough(as_of - instant_ms(since))} ago" if since else ""
    return [Fact("active", f"{value_text('severity', severity)}{lasted}")]


def _triggered(row: Row, as_of: int, full: bool) -> list[Fact]:
    task = row["after"] or {}
    words = [str(task.get(key, "?")) for key in ("task_type", "associated_task_name")]
    facts = [
        Fact("task", inert(f"{words[0]} {words[1]} ({task.get('associated_task_id', '?')})")),
        Fact("for", inert(f"COC alarm {task.get('alarm_id') or '?'}")),
    ]
    if row.get("depends_on"):
        facts.append(Fact("after", inert(f"{row['depends_on']} was reported")))
    facts.append(Fact("last run", _last_run(row.get("last_run"))))
    return facts + (_new(row, as_of, full) if full else [])


def _last_run(run: dict[str, Any] | None) -> str:
    return "never" if run is None else inert(f"{run['at']}, {run['outcome']}, ticket {run['ticket'] or 'unknown'}")


def _renewed(row: Row, as_of: int, full: bool) -> list[Fact]:
    return [Fact("expires", expiry_words(instant_ms(row["expires_at"]), as_of))] if "expires_at" in row else []


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
