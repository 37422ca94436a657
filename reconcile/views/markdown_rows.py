"""Rows of a plan as lines of a diff block in a comment. Every line is inert; knows no budget."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from reconcile.model.instants import instant_ms
from reconcile.model.rows import Row
from reconcile.views.change_text import ROUTINE, expiry_words
from reconcile.views.commonmark import cut
from reconcile.views.units import rough
from reconcile.views.values import SECRET, flat, value_text

_SIGNS = {"report": "+", "update": "!", "replace": "!", "adopt": "!", "trigger": "!", "clear": "-"}
_WIDEST = 48
_MOST_ADDRESS = 2_000
_MOST_FIELDS = 60


def overview_line(row: Row, *, as_of: int, width: int = 0) -> str:
    """`- clear    ADDRESS   Major, reported 3d ago`. The sign is what a diff block can colour; the word says what it is."""
    margin = "   ".join(_margin(row, as_of))
    address = cut(row["address"], _MOST_ADDRESS)
    head = f"{_SIGNS.get(row['action'], '#')} {cut(row['action'], 20):<8} "
    return f"{head}{address:<{min(width, _WIDEST)}}   {margin}" if margin else head + address


def _margin(row: Row, as_of: int) -> Iterator[str]:
    match row["action"]:
        case "clear":
            yield _ended(row, as_of)
        case "trigger":
            yield task_words(row)
        case "replace":
            yield "other identity; may notify again"
    if row.get("moved_from"):
        yield f"moved from {cut(row['moved_from'])}"
    if row.get("note"):
        yield cut(row["note"])
    elif row["reason"] not in ROUTINE:
        yield cut(row["reason"])
    if source := row.get("source"):
        yield cut(f"{source['file']}:{source['line']}")


def _ended(row: Row, as_of: int) -> str:
    severity = cut(str((row["before"] or {}).get("severity", "?")), 40)
    return f"{severity}, reported {rough(as_of - instant_ms(row['since']))} ago" if row.get("since") else severity


def task_words(row: Row) -> str:
    """What a trigger runs, in a few words."""
    task = row["after"] or {}
    return cut(f"{task.get('task_type', '?')} {task.get('associated_task_name', '?')}", 120)


def field_block(row: Row, *, as_of: int) -> str:
    """The changed fields of a row, each old value on a red line and each new one on a green line."""
    return _closed([overview_line(row, as_of=as_of), *_differences(row["diff"])], len(row["diff"]))


def _differences(diff: list[dict[str, Any]]) -> list[str]:
    shown = diff[:_MOST_FIELDS]
    width = _width(item["path"] for item in shown)
    return [line for item in shown for line in _steps(item, width)]


def _steps(item: dict[str, Any], width: int) -> list[str]:
    path, before, after = f"{cut(item['path']):<{width}}", item["before"], item["after"]
    if SECRET in (before, after):
        return [f"!     {path}  {SECRET} changed"]
    lines = [] if before is None else [f"-     {path}  {_value(item['path'], before)}"]
    return lines if after is None else [*lines, f"+     {path}  {_value(item['path'], after)}"]


def content_block(row: Row, *, as_of: int) -> str:
    """Every field of what is about to be sent; secrets show as such."""
    content = list(flat(row["after"] or {}))
    width = _width(path for path, _ in content[:_MOST_FIELDS])
    lines = [f"+     {cut(path):<{width}}  {_value(path, value)}" for path, value in content[:_MOST_FIELDS]]
    return _closed([overview_line(row, as_of=as_of), *lines], len(content))


def _width(paths: Iterable[str]) -> int:
    return min(max((len(path) for path in paths), default=0), _WIDEST)


def _closed(lines: list[str], total: int) -> str:
    return "\n".join([*lines, f"#     (and {total - _MOST_FIELDS:,} fields more)"] if total > _MOST_FIELDS else lines)


def _value(path: str, value: Any) -> str:
    return cut(value_text(path, value))


def drift_block(row: Row) -> str:
    """One way in which live differs from the state."""
    name = row["address"] or row.get("remote_id") or "?"
    head = f"! {cut(row['kind'], 20):<11} {cut(name, _MOST_ADDRESS)}   {cut(row['note'])}"
    return _closed([head, *_differences(row["diff"])], len(row["diff"]))


def expiry_note(expires: list[str], as_of: int) -> str:
    """`, the first expires in 22m`, where it is known."""
    return f", the first expires {expiry_words(instant_ms(min(expires)), as_of)}" if expires else ""
