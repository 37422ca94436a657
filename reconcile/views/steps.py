"""A field before and after: on one line where it fits, else one below the other, in short cut to where they differ."""

from __future__ import annotations

from typing import Any

from reconcile.views.inert import cells
from reconcile.views.layout import hanging
from reconcile.views.values import SECRET, value_text

AROUND, CUT, ARROW = 24, "...", "->"


def step_sides(path: str, before: Any, after: Any) -> tuple[str, str | None]:
    """The two sides of a step; one text and None where there is nothing to compare."""
    if before == SECRET or after == SECRET:
        return f"{SECRET} changed", None
    if before is None:
        return f"+ {value_text(path, after)}", None
    if after is None:
        return f"- {value_text(path, before)}", None
    return value_text(path, before), value_text(path, after)


def step_lines(label: str, before: str, after: str, *, indent: int, width: int, label_width: int, limit: int | None) -> list[str]:
    """The step below a row; with a `limit` of lines a side, long texts that are mostly alike show what differs."""
    room = width - indent - label_width - 2
    if limit is not None and not _fits(before, after, room):
        before, after = around(before, after)
    if _fits(before, after, room):
        return hanging(label, f"{before} {ARROW} {after}", indent=indent, width=width, label_width=label_width)
    first = hanging(label, before, indent=indent, width=width, label_width=label_width, limit=limit)
    mark = " " * max(label_width - cells(ARROW), 0) + ARROW
    return first + hanging(mark, after, indent=indent, width=width, label_width=label_width, limit=limit)


def _fits(before: str, after: str, room: int) -> bool:
    return cells(before) + cells(ARROW) + 2 + cells(after) <= room


def around(before: str, after: str) -> tuple[str, str]:
    """Both texts without what they share far from where they differ; cut at spaces, `...` where something was left out."""
    start = _shared(before, after)
    end = min(_shared(before[::-1], after[::-1]), min(len(before), len(after)) - start)
    head = before.rfind(" ", 0, max(start - AROUND, 0)) + 1
    space = before.find(" ", len(before) - max(end - AROUND, 0))
    tail = len(before) - space if space >= 0 else 0
    return _cut(before, head, tail), _cut(after, head, tail)


def _shared(one: str, other: str) -> int:
    pairs = enumerate(zip(one, other, strict=False))
    return next((place for place, (a, b) in pairs if a != b), min(len(one), len(other)))


def _cut(text: str, head: int, tail: int) -> str:
    return (f"{CUT} " if head else "") + text[head : len(text) - tail] + (f" {CUT}" if tail else "")
