"""Asking before an apply: only a literal `yes` counts, and only a person in a terminal is asked."""

from __future__ import annotations

import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from reconcile.cli.streams import is_terminal, tell
from reconcile.errors import CommandLineWrong


def require_person_or(approved: bool) -> None:
    """Refuse early where nobody could answer."""
    if not approved and not is_terminal(sys.stdin):
        raise CommandLineWrong(
            "nobody can be asked here: stdin is no terminal",
            hint="apply a saved plan (`reconcile apply PLANFILE`), or add --auto-approve",
        )


def ask(question: str) -> bool:
    """Whether the person answers `yes`; an end of input is a no."""
    tell(f"\n{question}\nOnly `yes` is taken for a yes: ")
    with _interruptible():
        line = sys.stdin.readline()
    return line.strip() == "yes"


@contextmanager
def _interruptible() -> Iterator[None]:
    """Ctrl-C ends the question at once, whatever it means elsewhere."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler), signal.signal(signal.SIGTERM, _terminate)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before[0])
        signal.signal(signal.SIGTERM, before[1])


def _terminate(number: int, frame: object) -> None:
    raise SystemExit(128 + number)
