"""Run a process to its end and say what it took: seconds, processor seconds, peak memory. Takes the median of several."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

PYTHON = sys.executable
ROOT = Path(__file__).parents[1]
RUNS = 5  # of what a goal is about


class Took(NamedTuple):
    """Seconds on the clock, seconds of processor time (user and system), peak resident memory in MB."""

    wall: float
    cpu: float
    peak: float


class Failed(Exception):
    """The process ended with an error; the message holds its last words."""


def environment(more: Mapping[str, str] | None = None) -> dict[str, str]:
    """This process's, but for what would shape the tool, or make Python compile what is installed compiled."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("RECONCILE_")}
    kept.pop("PYTHONDONTWRITEBYTECODE", None)
    return kept | dict(more or {})


def once(command: Sequence[str], *, environ: Mapping[str, str] | None = None, okay: Sequence[int] = (0,)) -> Took:
    """One run. Raises Failed."""
    started = time.perf_counter()
    process = subprocess.Popen(
        command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, env=environment(environ), cwd=ROOT, text=True
    )
    assert process.stderr is not None
    words = process.stderr.read()
    _, status, used = os.wait4(process.pid, 0)
    wall = time.perf_counter() - started
    process.returncode = os.waitstatus_to_exitcode(status)
    process.stderr.close()
    if process.returncode not in okay:
        raise Failed(f"{' '.join(command)}: {process.returncode}: {words[-500:]}")
    return Took(wall, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024)


def median(runs: int, command: Callable[[], Sequence[str]], *, before: Callable[[], None] = lambda: None) -> Took:
    """The median of each figure over so many runs; `before` prepares each one."""
    return middle([_prepared(command, before) for _ in range(runs)])


def _prepared(command: Callable[[], Sequence[str]], before: Callable[[], None]) -> Took:
    before()
    return once(command())


def middle(found: Sequence[Took]) -> Took:
    """The median of each figure."""
    return Took(*(statistics.median(column) for column in zip(*found, strict=True)))


def in_turns(runs: int, commands: Mapping[str, Sequence[str]]) -> dict[str, Took]:
    """Medians of several commands that take turns, so that whatever else the machine does falls on all of them."""
    found: dict[str, list[Took]] = {name: [] for name in commands}
    for _ in range(runs):
        for name, command in commands.items():
            found[name].append(once(command))
    return {name: middle(took) for name, took in found.items()}
