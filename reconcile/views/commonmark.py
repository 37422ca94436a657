"""Any text made harmless for Markdown: only code spans and fences take it, where nothing is read as markup. Knows no plan."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator, Mapping
from urllib.parse import quote

from reconcile.views.inert import inert

MOST_TEXT = 300
_RUN = re.compile("`+")
_MOST_RUN = 8
_MOST_NAME = 120
FENCE_BYTES = 2 * (_MOST_RUN + 1) + 10


def cut(text: str, most: int = MOST_TEXT) -> str:
    """The text in one inert line, shortened with a count of what is missing; very long runs of backticks are spelled out."""
    line = inert(text)
    if len(line) > most:
        line = f"{line[:most]}... ({len(line) - most:,} characters more)"
    return line.replace("`" * (_MOST_RUN + 1), "\\x60" * (_MOST_RUN + 1))


def code(text: str, most: int = MOST_TEXT) -> str:
    """A code span: no HTML, link, image, mention or reference in it is read as one."""
    line = cut(text, most)
    marks = "`" * (longest_run(line) + 1)
    pad = " " if not line.strip() or line[0] in "` " or line[-1] in "` " else ""
    return f"{marks}{pad}{line or '(empty)'}{pad}{marks}"


def fence(lines: Iterable[str], language: str = "diff") -> str:
    """A fenced block, its fence longer than any run of backticks in it. The lines are inert already."""
    body = "\n".join(lines)
    marks = "`" * max(3, longest_run(body) + 1)
    return f"{marks}{language}\n{body}\n{marks}"


def longest_run(text: str) -> int:
    """How many backticks stand side by side at most."""
    return max((len(run) for run in _RUN.findall(text)), default=0)


def marker(kind: str, stack: str) -> str:
    """An invisible line by which a pipeline finds its own comment again, to edit it in place."""
    name = quote(stack, safe="", errors="backslashreplace")
    if len(name) > _MOST_NAME:
        name = f"{name[:_MOST_NAME]}~{hashlib.sha256(name.encode()).hexdigest()[:16]}"
    return f"<!-- reconcile:{kind} stack={name} -->"


def folded(summary: str, body: str) -> str:
    """A section that opens by a click. `summary` is our own text."""
    return f"<details><summary>{summary}</summary>\n\n{body}\n\n</details>"


def table(counts: Mapping[str, str]) -> str:
    """One row of numbers below their names; both are our own text."""
    return "\n".join([f"| {' | '.join(counts)} |", f"|{'---:|' * len(counts)}", f"| {' | '.join(counts.values())} |"])


class Purse:
    """A budget of bytes. Once something did not fit, nothing of less importance is bought any more."""

    def __init__(self, left: int) -> None:
        self.left, self.closed = left, False

    def pay(self, text: str) -> bool:
        """Whether there was room for the text and its line end."""
        cost = len(text.encode()) + 1
        self.closed = self.closed or cost > self.left
        if not self.closed:
            self.left -= cost
        return not self.closed

    def buy(self, blocks: Iterable[str]) -> Iterator[str]:
        """As many blocks as there is room for, in their order."""
        for block in blocks:
            if not self.pay(block):
                return
            yield block
