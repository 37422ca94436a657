"""What stands on the command line of every command that acts. Knows no option by its name."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Wishes:
    """How an apply is to go about it. `lock_timeout` in seconds."""

    command: str
    approved: bool
    as_json: bool
    wait: bool
    metrics: str | None
    notify: str | None
    lock_timeout: float
