"""Options of single commands: each with its RECONCILE_… variable, and the types that read durations, instants and budgets."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

import click

Decorated = TypeVar("Decorated", bound=Callable[..., Any])

_NO_VARIABLE = frozenset({"--allow", "--auto-approve", "--replace", "--rerun"})
_SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_BUDGETS = ("clears", "triggers", "empty")


def option(*names: str, **settings: Any) -> Callable[[Decorated], Decorated]:
    """An option with the variable RECONCILE_<NAME>, but for those that must be meant each time."""
    long = next(name for name in names if name.startswith("--")).partition("/")[0]
    if long not in _NO_VARIABLE:
        settings |= {"envvar": "RECONCILE_" + long.removeprefix("--").upper().replace("-", "_"), "show_envvar": True}
    return click.option(*names, **settings)


class Duration(click.ParamType):  # type: ignore[type-arg]
    """`500ms`, `30s`, `5m`, `12h`, `5d` or `0`, as seconds."""

    name = "duration"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Read the duration."""
        if isinstance(value, int | float):
            return float(value)
        match = re.fullmatch(r"(\d{1,9})(ms|s|m|h|d)", value)
        if match is None and value != "0":
            self.fail(f"{value!r} is not a duration; write 500ms, 30s, 5m, 12h or 5d", param, ctx)
        return int(match[1]) * _SECONDS[match[2]] if match else 0.0


class Instant(click.ParamType):  # type: ignore[type-arg]
    """An RFC 3339 instant with a zone, as Unix milliseconds."""

    name = "time"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """Read the instant."""
        if isinstance(value, int):
            return value
        try:
            parsed = datetime.fromisoformat(value)
        except ValueError:
            parsed = None
        if parsed is None or parsed.tzinfo is None:
            self.fail(f"{value!r} is not an instant with a zone; write 2026-11-20T08:00:00Z", param, ctx)
        return round((parsed - datetime(1970, 1, 1, tzinfo=UTC)).total_seconds() * 1000)


class Budget(click.ParamType):  # type: ignore[type-arg]
    """`clears=40`, `triggers=30` or `empty`, as a pair."""

    name = "kind"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, int | None]:
        """Read the budget."""
        if isinstance(value, tuple):
            return value
        kind, _, number = value.partition("=")
        if kind not in _BUDGETS or (kind == "empty") != (not number) or (number and not re.fullmatch(r"\d{1,9}", number)):
            self.fail(f"{value!r} is none of clears=N, triggers=N, empty", param, ctx)
        return kind, int(number) if number else None


DURATION, INSTANT, BUDGET = Duration(), Instant(), Budget()
STATE_COPY = option(
    "--state",
    "copy",
    metavar="FILE",
    type=click.Path(path_type=Path),
    help="Plan against this copy of the state (`state pull`), and never reach for the state itself.",
)
LOCK = option("--lock-timeout", metavar="DURATION", type=DURATION, default="0s", help="How long to wait for another run's lock.")
