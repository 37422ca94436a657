"""A plan as a comment for review: dangers first, then the list, then what fits of the details. Pure: document -> Markdown."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from reconcile.model.change import ACTIONS
from reconcile.model.instants import instant_ms
from reconcile.model.rows import Row
from reconcile.views.commonmark import FENCE_BYTES, Purse, code, fence, folded, marker, table
from reconcile.views.layout import WEIGHTIEST_FIRST
from reconcile.views.markdown_alerts import alerts
from reconcile.views.markdown_rows import content_block, drift_block, expiry_note, field_block, overview_line
from reconcile.views.plan_summary import summary_line
from reconcile.views.plan_text import shell_word
from reconcile.views.units import counted

LEAST_BYTES = 4_000
_LAST = 1_000  # what the sentence about left out parts may take
_LOUD = frozenset({"replace", "clear", "trigger"})
_QUIET = frozenset({"renew", "defer", "none"})


class _Part(NamedTuple):
    """A section: its title, what it is made of, and what one block of it is called when it is left out."""

    title: str
    noun: str
    rows: list[Row]
    block: Callable[[Row], str]
    open: bool = False


def render_markdown(plan_document: Mapping[str, Any], *, max_bytes: int = 60_000, saved_to: str | None = None) -> str:
    """The plan as a comment of at most `max_bytes` (4,000 or more), with a hidden marker by which to find it again.

    What does not fit is left out from the least important on: the fields of reports, the fields of updates, drift, the
    tasks' texts, then lines of the list, those of clears and triggers last of all. It says how much was left out.
    """
    if max_bytes < LEAST_BYTES:
        raise ValueError(f"a comment needs room for {LEAST_BYTES:,} bytes, not {max_bytes:,}")
    head, foot = _head(plan_document), _foot(plan_document, saved_to)
    purse = Purse(max_bytes - _LAST - len("\n\n".join([*head, foot, ""]).encode()))
    body = [*alerts(plan_document, Purse(purse.left // 2)), _counts(plan_document)]
    purse.pay("\n\n".join(body))
    sections, dropped = _sections(plan_document, purse)
    left_out = [_left_out(dropped, saved_to)] if dropped else []
    return "\n\n".join([*head, *body, *sections, *left_out, foot]) + "\n"


def _head(document: Mapping[str, Any]) -> list[str]:
    summary = document["summary"]
    changes = sum(summary.get(action, 0) for action in ACTIONS if action not in _QUIET)
    words = [counted(changes, "change") if changes else "no changes"]
    words += [f"**{counted(summary['clear'], 'clear')}**"] if summary.get("clear") else []
    words += [f"**{counted(summary['trigger'], 'task')} will run**"] if summary.get("trigger") else []
    words += ["**refused**"] if document.get("violations") else []
    what = "Destroy plan" if document.get("destroy") else "Alarm plan"
    stack = document["stack"]
    return [marker("plan", stack), f"### {what} for {code(stack or '(unnamed)', 100)}: {', '.join(words)}"]


def _foot(document: Mapping[str, Any], saved_to: str | None) -> str:
    state = document["state"]
    serial = "no state yet" if state.get("lineage") is None else f"state serial {state.get('serial', 0):,}"
    short = document["plan_id"].removeprefix("sha256:")[:12]
    parts = [f"Plan {code(short)}", serial, f"as of {code(document['as_of'], 40)}"]
    if saved_to is not None and document["changes"]:
        parts.append(f"apply exactly this: {code(f'reconcile apply {shell_word(saved_to)}', 120)}")
    return f"<sub>{' · '.join(parts)}</sub>"


def _counts(document: Mapping[str, Any]) -> str:
    """A table of what is not zero, or one sentence where nothing is done."""
    summary = document["summary"]
    counts = {a: f"**{n:,}**" if a in _LOUD else f"{n:,}" for a in ACTIONS if a != "none" and (n := summary.get(a))}
    if set(counts) - _QUIET:
        return table(counts)
    expires = [row["expires_at"] for row in document["changes"] if "expires_at" in row]
    text = summary_line(summary, destroy=document.get("destroy", False))
    return text.removesuffix(".") + expiry_note(expires, instant_ms(document["as_of"])) + "."


def _parts(document: Mapping[str, Any]) -> list[_Part]:
    """The sections, the most important first; they are shown in this order too."""
    as_of = instant_ms(document["as_of"])
    by: dict[str, list[Row]] = {}
    for row in document["changes"]:
        by.setdefault(row["action"] if row["action"] in ACTIONS else "defer", []).append(row)
    listed = [row for action in WEIGHTIEST_FIRST if action != "renew" for row in by.get(action, ())]
    width = max((len(row["address"]) for row in listed[:500]), default=0)
    fields = [row for action in ("replace", "update", "adopt") for row in by.get(action, ()) if row["diff"]]

    def full(row: Row) -> str:
        return content_block(row, as_of=as_of)

    return [
        _Part("", "line", listed, lambda row: overview_line(row, as_of=as_of, width=width), open=True),
        _Part("What the tasks are given", "task", by.get("trigger", []), full),
        _Part("Drift: what is live differs from the state", "difference", document["drift"], drift_block),
        _Part("Changed fields", "change", fields, lambda row: field_block(row, as_of=as_of)),
        _Part("New alarms and events in full", "report", by.get("report", []), full),
    ]


def _sections(document: Mapping[str, Any], purse: Purse) -> tuple[list[str], list[str]]:
    """What there was room for, and what was left out, in words."""
    shown, dropped = [], []
    for part in _parts(document):
        if not part.rows:
            continue
        frame = fence([]) if part.open else folded(f"{part.title} ({len(part.rows):,})", fence([]))
        blocks = list(purse.buy(part.block(row) for row in part.rows)) if purse.pay(frame + " " * FENCE_BYTES) else []
        if left := len(part.rows) - len(blocks):
            dropped.append(_missing(part, left))
        if blocks:
            text = fence(blocks)
            count = f"{len(blocks):,} of {len(part.rows):,}" if left else f"{len(part.rows):,}"
            shown.append(text if part.open else folded(f"{part.title} ({count})", text))
    return shown, dropped


def _missing(part: _Part, left: int) -> str:
    if not part.open:
        return f"the fields of {counted(left, part.noun)}"
    loud = sum(1 for row in part.rows[len(part.rows) - left :] if row["action"] in ("clear", "trigger"))
    return f"{counted(left, part.noun)} of the list" + (f", **{loud:,} of them clears or tasks**" if loud else "")


def _left_out(dropped: list[str], saved_to: str | None) -> str:
    where = f"reconcile show --full {shell_word(saved_to)}" if saved_to else "reconcile plan --full"
    return f"> [!NOTE]\n> Left out, so that the comment fits: {'; '.join(dropped)}. All of it: {code(where, 120)}"
