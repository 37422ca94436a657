"""A plan as text for people: what is refused or unknown first, then the groups, the one-line summary last. Prints nothing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from reconcile.model.instants import instant
from reconcile.model.plan import Plan
from reconcile.model.rows import Row
from reconcile.views.change_text import detail_lines, expiry_words
from reconcile.views.inert import cells, inert
from reconcile.views.layout import action_line, hanging, sentence, summary
from reconcile.views.plan_sheet import Group, Sheet, sheet_of_document, sheet_of_plan
from reconcile.views.plan_summary import summary_line
from reconcile.views.style import Style
from reconcile.views.units import counted

MOST_ROWS = 200
_RENEWALS = "Renewals (no change of content)"
_TITLES = (
    ("changes", "Changes"),
    ("clears", "Clears"),
    ("triggers", "Triggers (not reversible)"),
    ("deferred", "Deferred (not done now)"),
    ("bookkeeping", "Moved and forgotten (nothing is sent)"),
)


def render_plan(plan: Plan, *, style: Style, width: int = 100, full: bool = False, saved_to: str | None = None) -> str:
    """The plan as text with a final newline; short unless `full`. The last line is the summary."""
    return _render(sheet_of_plan(plan, limit=None if full else MOST_ROWS), style, width, full, saved_to)


def render_document(document: Mapping[str, Any], *, style: Style, width: int = 100, full: bool = False) -> str:
    """A saved plan as text, in the same words."""
    return _render(sheet_of_document(document, limit=None if full else MOST_ROWS), style, width, full, None)


def _render(sheet: Sheet, style: Style, width: int, full: bool, saved_to: str | None) -> str:
    blocks = [_header(sheet, style), _violations(sheet, style, width), _pending(sheet, style, width)]
    blocks += [_group(sheet, name, title, style, width, full) for name, title in _TITLES]
    blocks += [_renewals(sheet, style, width, full), _drift(sheet, style, width), _notes(sheet, width)]
    blocks.append(_closing(sheet, style, width, saved_to))
    return "\n\n".join("\n".join(block) for block in blocks if block) + "\n"


def _header(sheet: Sheet, style: Style) -> list[str]:
    state = "no state yet" if sheet.lineage is None else f"state serial {sheet.serial}"
    name = style.bold("Stack " + inert(sheet.stack or "(unnamed)"))
    mode = [style.danger("DESTROY: everything the state holds is cleared")] if sheet.destroy else []
    return [f"{name}   {state}   as of {instant(sheet.as_of)}", *mode]


def _violations(sheet: Sheet, style: Style, width: int) -> list[str]:
    if not sheet.violations:
        return []
    lines = [style.danger(f"REFUSED: {counted(len(sheet.violations), 'reason')} why this plan will not be applied")]
    for row, following in zip(sheet.violations, [*sheet.violations[1:], {}], strict=True):
        where = f"{row['address']}: " if row.get("address") and row["address"] not in row["message"] else ""
        lines += [style.danger(line) for line in hanging("!!!", inert(where + row["message"]), indent=2, width=width)]
        lines += hanging("   ", inert(row["hint"]), indent=2, width=width) if _is_last_with_hint(row, following) else []
    return lines


def _is_last_with_hint(row: Row, following: Row) -> bool:
    """What to do is said once where several reasons in a row ask for the same."""
    return bool(row.get("hint")) and row["hint"] != following.get("hint")


def _pending(sheet: Sheet, style: Style, width: int) -> list[str]:
    lines: list[str] = []
    for row in sheet.pending:
        unknown = row["phase"] == "unknown"
        word = "it may have happened" if unknown else "an earlier run did not finish it"
        why = f" ({row['why']})" if row.get("why") else ""
        lines += hanging("?  ", inert(f"{row['op']} {row['address']}: sent {row['at']}, {word}{why}"), indent=2, width=width)
        if unknown and row["op"] == "trigger":
            lines.append(" " * 7 + inert(resolve_command(row["address"])))
    title = f"UNKNOWN: {counted(len(sheet.pending), 'operation')} without an answer; an apply looks first how they ended"
    return [style.danger(title), *lines] if lines else []


def resolve_command(address: str) -> str:
    """What settles an unknown trigger."""
    return f"reconcile resolve {shell_word(address)} --ticket ID | --not-run | --retrigger"


def shell_word(address: str) -> str:
    """An address or a file name as one word of a shell."""
    return "'" + address.replace("'", "'\\''") + "'" if set(address) & set("[]\"' *?$&;|<>()`\\") else address


def _group(sheet: Sheet, name: str, title: str, style: Style, width: int, full: bool) -> list[str]:
    group = sheet.groups.get(name)
    if group is None:
        return []
    lines = [style.danger(title) if name == "triggers" else style.bold(title)]
    for row in group.rows:
        source = row.get("source")
        margin = inert(f"{source['file']}:{source['line']}") if source else ""
        lines += action_line(inert(row["action"]), inert(row["address"]), margin, style=style, width=width)
        lines += detail_lines(row, as_of=sheet.as_of, width=width, full=full)
    return lines + _cut(group)


def _cut(group: Group) -> list[str]:
    left = group.total - len(group.rows)
    return [f"  ... and {left:,} more: --full shows them, --json holds them all"] if left else []


def _renewals(sheet: Sheet, style: Style, width: int, full: bool) -> list[str]:
    group = sheet.groups.get("renewals")
    if group is None:
        return []
    if full:
        return _group(sheet, "renewals", _RENEWALS, style, width, full)
    first = f", the first expires {expiry_words(sheet.first_expiry, sheet.as_of)}" if sheet.first_expiry is not None else ""
    return [style.bold(_RENEWALS), style.quiet("  @   renew") + f"    {counted(group.total, 'alarm')}{first}"]


def _drift(sheet: Sheet, style: Style, width: int) -> list[str]:
    if not sheet.drift.total:
        return []
    lines = [style.bold("Drift: what is live differs from the state")]
    for row in sheet.drift.rows:
        name = row["address"] or row.get("remote_id") or "?"
        lines += hanging("!", inert(f"{name}: {row['kind']}: {row['note']}"), indent=2, width=width)
    return lines + _cut(sheet.drift)


def _notes(sheet: Sheet, width: int) -> list[str]:
    lines = []
    for note in sheet.notes:
        lines += hanging("Note:", inert(note), indent=0, width=width)
    return lines


def _closing(sheet: Sheet, style: Style, width: int, saved_to: str | None) -> list[str]:
    lines: list[str] = []
    if sheet.left_out:
        text = f"This plan is partial: --target, --exclude or --on left out {counted(sheet.left_out, 'resource')}."
        lines += [style.danger(line) for line in sentence(text, indent=0, width=width)]
    if saved_to is not None:
        lines += _saved(inert(saved_to), inert(shell_word(saved_to)), width)
    last = summary(summary_line(sheet.summary, destroy=sheet.destroy), width=width)
    return [*lines, *map(style.bold, last)]


def _saved(name: str, word: str, width: int) -> list[str]:
    """Where the plan is, and the command for it: never broken, but below where there is no room beside."""
    first, then = f"Saved to {name}.", f"Apply exactly this:  reconcile apply {word}"
    return [f"{first} {then}"] if cells(first) + cells(then) < width else [first, then]
