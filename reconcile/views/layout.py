"""Lines that fit: wrapping by terminal columns, a right-hand margin note, symbols of actions. Knows no plan."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from reconcile.views.inert import cells, pad
from reconcile.views.style import Style


class Look(NamedTuple):
    """How an action appears: its symbol, and the colour that means the same."""

    symbol: str
    paint: Callable[[Style, str], str]


LOOKS = {
    "report": Look("+", Style.add),
    "update": Look("~", Style.change),
    "replace": Look("-/+", Style.remove),
    "clear": Look("-", Style.remove),
    "renew": Look("@", Style.quiet),
    "trigger": Look(">", Style.danger),
    "adopt": Look("=", Style.add),
    "move": Look("mv", Style.quiet),
    "forget": Look("x", Style.change),
    "defer": Look("!", Style.danger),
}
WEIGHTIEST_FIRST = ("trigger", "clear", "replace", "update", "report", "adopt", "defer", "move", "forget", "renew")
UNSEEN = Look("?", Style.danger)
WHOLE_FROM = 100  # columns; that wide it is where nobody looks too: a summary stays one line, since pipelines read it


def look_of(action: str) -> Look:
    """The look of an action; a word of a later version gets a question mark."""
    return LOOKS.get(action, UNSEEN)


def weight_of(action: str) -> int:
    """Where an action stands in a list that begins with what cannot be undone; a word of a later version comes last."""
    return WEIGHTIEST_FIRST.index(action) if action in WEIGHTIEST_FIRST else len(WEIGHTIEST_FIRST)


def action_line(action: str, address: str, margin: str, *, style: Style, width: int) -> list[str]:
    """`  ~   update   ADDRESS      MARGIN`: the address whole at a fixed column, the margin right or, for want of room, below."""
    symbol, paint = look_of(action)
    head = f"  {symbol:<3} {action:<7}  "
    room = width - len(head) - cells(address)
    line = paint(style, f"  {symbol:<3} {action:<7}") + "  " + style.bold(address)
    if not margin:
        return [line]
    if room >= cells(margin) + 2:
        return [line + " " * (room - cells(margin)) + style.dim(margin)]
    return [line, " " * max(len(head), width - cells(margin)) + style.dim(margin)]


def wrapped(text: str, width: int) -> list[str]:
    """Break at spaces, and inside words that are wider than a line; at least one line."""
    lines, line = [], ""
    for word in text.split(" "):
        joined = f"{line} {word}" if line else word
        if cells(joined) <= width:
            line = joined
            continue
        if line:
            lines.append(line)
        *whole, line = _chopped(word, width)
        lines += whole
    return [*lines, line]


def _chopped(word: str, width: int) -> list[str]:
    if cells(word) <= width:
        return [word]
    pieces, piece = [], ""
    for character in word:
        if cells(piece + character) > width:
            pieces.append(piece)
            piece = ""
        piece += character
    return [*pieces, piece]


def hanging(label: str, text: str, *, indent: int, width: int, label_width: int = 0, limit: int | None = None) -> list[str]:
    """`label   text`, the text wrapped below itself; past `limit` lines it says how much was left out."""
    head = " " * indent + pad(label, label_width) + ("  " if label else "")
    lines = wrapped(text, max(width - cells(head), 24))
    if limit is not None and len(lines) > limit:
        cut = sum(len(line) for line in lines[limit:])
        lines = [*lines[:limit], f"(and {cut:,} characters more: --full)"]
    return [head + lines[0], *(" " * cells(head) + line for line in lines[1:])]


def summary(text: str, *, width: int) -> list[str]:
    """A closing line, wrapped only in a narrow terminal."""
    return [text] if width >= WHOLE_FROM else wrapped(text, width)


def sentence(text: str, *, indent: int, width: int) -> list[str]:
    """A wrapped sentence at an indent."""
    return hanging("", text, indent=indent, width=width)
