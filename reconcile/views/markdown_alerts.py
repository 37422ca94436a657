"""What a reviewer must not overlook, as blocks at the head of a comment. Knows no section below."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from reconcile.model.rows import Row
from reconcile.views.commonmark import Purse, code
from reconcile.views.markdown_rows import task_words
from reconcile.views.plan_text import resolve_command
from reconcile.views.units import counted

_MOST = 10
_MOST_NOTES = 20


def alerts(document: Mapping[str, Any], purse: Purse) -> Iterator[str]:
    """A caution block for what is refused, irreversible or unknown; a note for what makes the plan partial; the warnings."""
    changes = document["changes"]
    yield from _block("CAUTION", _caution(document, changes), purse)
    yield from _block("NOTE", _notes(document), purse)


def _block(kind: str, lines: Iterator[str], purse: Purse) -> Iterator[str]:
    bought = list(purse.buy(f"> {line}".rstrip() for line in lines))
    while bought and bought[-1] == ">":
        bought.pop()
    if bought and purse.pay(f"> [!{kind}]\n\n"):
        yield "\n".join([f"> [!{kind}]", *bought])


def _caution(document: Mapping[str, Any], changes: list[Row]) -> Iterator[str]:
    violations, pending = document.get("violations", []), document["pending"]
    if violations:
        yield f"**Refused:** {counted(len(violations), 'reason')} why this plan will not be applied (exit code 6)."
        yield from _few(violations, _violation)
    triggers = [row for row in changes if row["action"] == "trigger"]
    if triggers:
        yield f"**Runs {counted(len(triggers), 'task')}**, which cannot be undone:"
        yield from _few(triggers, lambda row: f"{code(task_words(row))} by {code(row['address'])}{_after(row)}")
    clears = [row for row in changes if row["action"] == "clear"]
    if clears:
        yield f"**Clears {counted(len(clears), 'active alarm')}**:"
        yield from _few(clears, lambda row: f"{code(row['address'])}")
    if pending:
        yield f"**Unknown:** {counted(len(pending), 'operation')} without an answer; an apply looks first how they ended:"
        yield from _few(pending, _unanswered)


def _few(rows: list[Row], words: Callable[[Row], str]) -> Iterator[str]:
    yield from (f"- {words(row)}" for row in rows[:_MOST])
    if len(rows) > _MOST:
        yield f"- and {len(rows) - _MOST:,} more"
    yield ""


def _violation(row: Row) -> str:
    where = f"{code(row['address'])}: " if row.get("address") else ""
    hint = f" ({code(row['hint'])})" if row.get("hint") else ""
    return f"{where}{code(row['message'])}{hint}"


def _after(row: Row) -> str:
    return f", after {code(row['depends_on'])} was reported" if row.get("depends_on") else ""


def _unanswered(row: Row) -> str:
    text = f"{code(row['op'], 20)} {code(row['address'])}, sent {code(row['at'], 40)}"
    return f"{text}: {code(resolve_command(row['address']))}" if row["phase"] == "unknown" and row["op"] == "trigger" else text


def _notes(document: Mapping[str, Any]) -> Iterator[str]:
    if document.get("left_out"):
        yield f"This plan is partial: {counted(document['left_out'], 'resource')} left out by the options given."
        yield ""
    notes = document.get("notes", [])
    yield from (f"- {code(note)}" for note in notes[:_MOST_NOTES])
    if len(notes) > _MOST_NOTES:
        yield f"- and {len(notes) - _MOST_NOTES:,} notes more"
