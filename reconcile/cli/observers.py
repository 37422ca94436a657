"""Who is told what an apply does: a line per step, JSON lines, a bar in a terminal, or nobody. Decides nothing."""

from __future__ import annotations

import os
import sys
from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING, Any

from reconcile.cli.given import Given
from reconcile.cli.streams import answer, is_terminal, style_of, tell, width_of

if TYPE_CHECKING:
    from reconcile.ports import Observer, Progress

MOST_LINES = 500


class Lines:
    """Plain lines on stderr; of many steps only what went wrong and a count now and then."""

    width: int | None = None  # of a terminal; elsewhere one step is one line

    def __init__(self, given: Given) -> None:
        self.quiet, self.verbose = given.quiet, given.verbose
        self.style = style_of(sys.stderr, given.color, os.environ)
        self.total = self.done = 0

    def started(self, total: int) -> None:
        """An apply begins."""
        self.total = total

    def progressed(self, progress: Progress) -> None:
        """One step ended."""
        from reconcile.views.apply_text import progress_line

        self.done += 1
        if self._is_told(progress):
            total = max(self.total, self.done)
            self.write(progress_line(progress, done=self.done, total=total, style=self.style, width=self.width))

    def _is_told(self, progress: Progress) -> bool:
        if progress.outcome in ("failed", "unknown"):
            return True
        many = self.total > MOST_LINES and not self.verbose
        return not self.quiet and (not many or self.done % (self.total // 100) == 0)

    def told(self, text: str) -> None:
        """A sentence for people."""
        from reconcile.views.inert import inert
        from reconcile.views.layout import wrapped

        if not self.quiet:
            self.write(inert(text) if self.width is None else "\n".join(wrapped(inert(text), self.width)))

    def write(self, line: str) -> None:
        """Show a line that is ready."""
        tell(line + "\n")


class JsonLines:
    """A JSON line per step, on stdout."""

    def __init__(self) -> None:
        from reconcile.views import apply_json

        self._view = apply_json

    def started(self, total: int) -> None:
        """An apply begins."""

    def progressed(self, progress: Progress) -> None:
        """One step ended."""
        answer(self._view.progress_line(progress))

    def told(self, text: str) -> None:
        """A sentence for people."""
        answer(self._view.told_line(text))


class Bar(Lines):
    """A bar at the bottom of the terminal; what went wrong stands above it."""

    def __init__(self, given: Given) -> None:
        super().__init__(given)
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

        self.width = width_of(sys.stderr)
        plain = not self.style.colour
        self._console = Console(stderr=True, highlight=False, markup=False, emoji=False, no_color=plain)
        columns = (TextColumn("{task.description}", markup=False), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
        self.bar = Progress(*columns, console=self._console, transient=True)
        self._task: Any = None

    def started(self, total: int) -> None:
        """Show the bar, for so many steps."""
        super().started(total)
        if total:
            self.bar.start()
            self._task = self.bar.add_task("Applying", total=total)

    def progressed(self, progress: Progress) -> None:
        """Move the bar; a few steps have their lines too."""
        super().progressed(progress)
        if self._task is not None:
            self.bar.update(self._task, completed=self.done, total=max(self.total, self.done))

    def write(self, line: str) -> None:
        """Show a line above the bar."""
        from rich.text import Text

        self._console.print(Text.from_ansi(line), soft_wrap=True)


def observer_of(given: Given, *, as_json: bool) -> tuple[Observer, AbstractContextManager[Any]]:
    """The observer that fits the streams, and what must be closed when the apply is over."""
    if as_json:
        return JsonLines(), nullcontext()
    if given.quiet or given.log_format == "json" or not is_terminal(sys.stderr) or os.environ.get("TERM") == "dumb":
        return Lines(given), nullcontext()
    bar = Bar(given)
    return bar, _closing(bar)


class _closing(AbstractContextManager["_closing"]):
    def __init__(self, bar: Bar) -> None:
        self._bar = bar

    def __exit__(self, *raised: object) -> None:
        self._bar.bar.stop()
