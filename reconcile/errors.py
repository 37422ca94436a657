"""Every error a user can see. The exit code is on the class.

ReconcileError            1   something failed
├── InputInvalid         10   specs or config: every problem at once, each with its place
├── CommandLineWrong     64   the command line does not say what to do
├── StateUnusable         1   the state file is broken, newer, or of another stack; it is never overwritten
├── StateLocked           4   another run holds the lock
├── PlanRefused           5   the saved plan is stale, foreign or altered
├── Refused               6   a guard, a protection or foreign ownership
├── SecretMissing        10   an apply needs a secret that is not set; raised before anything is sent
├── Interrupted     130/143   stopped by a signal, state saved
└── TargetError           1   a request failed; says whether it can have taken effect

A class exists only where the exit code differs or somebody catches it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum


class ReconcileError(Exception):
    """What is wrong, where, and what to do. `hint` is shown on a line of its own."""

    exit_code = 1

    def __init__(self, message: str, *, where: str | None = None, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.where = where
        self.hint = hint


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong in a spec or config file. Lines and columns count from 1; `line_text` is the source line.

    `code` is stable: S… for specs, C… for config. `end_column` is exclusive. `hint` holds the closest match or what to do.
    """

    file: str
    line: int
    column: int
    code: str
    what: str
    hint: str | None = None
    line_text: str | None = None
    end_column: int | None = None
    severity: str = "error"


class InputInvalid(ReconcileError):
    """Specs or config are wrong; `problems` holds all of them, sorted by place, and nothing was sent."""

    exit_code = 10

    def __init__(self, problems: list[Problem], *, files: int = 0) -> None:
        self.problems = sorted(problems, key=lambda p: (p.file, p.line, p.column, p.code, p.what))
        self.files = files
        count = sum(1 for p in problems if p.severity == "error")
        super().__init__(f"{count} error{'s' if count != 1 else ''} in specs or config")


class CommandLineWrong(ReconcileError):
    """The command line does not say what to do."""

    exit_code = 64


class StateUnusable(ReconcileError):
    """The state is broken, newer than this tool, or belongs to another stack. It is left as it is."""


class StateLocked(ReconcileError):
    """Another run holds the lock; the message says who, since when and where."""

    exit_code = 4


class PlanRefused(ReconcileError):
    """The saved plan is stale, foreign or altered. Nothing was sent."""

    exit_code = 5


class Refused(ReconcileError):
    """A guard, a protection or foreign ownership forbids it. Nothing was sent."""

    exit_code = 6


class SecretMissing(ReconcileError):
    """A secret or credential that the run needs is not set. Nothing was sent."""

    exit_code = 10


class Interrupted(ReconcileError):
    """A signal stopped the run; what was acknowledged is saved."""

    def __init__(self, signal_number: int) -> None:
        super().__init__("interrupted; what was acknowledged is saved")
        self.exit_code = 128 + signal_number


class Effect(Enum):
    """What a failed request can have done on the server (contract section 6)."""

    NOT_SENT = "not sent"  # it provably never left: connect errors
    REFUSED = "refused"  # the server said no: 4xx except 408
    UNKNOWN = "unknown"  # it may have taken effect: time-outs, resets, 408, 5xx, truncated answers


@dataclass(frozen=True, slots=True)
class Answer:
    """What the server said: its own code and words, and the trace id to quote to support."""

    status: int | None = None
    code: str | None = None
    words: str | None = None
    trace_id: str | None = None
    extra: dict[str, str] = field(default_factory=dict)


class TargetError(ReconcileError):
    """A request to a target failed. `effect` says whether it can have taken effect; `answer` is what the server said."""

    def __init__(
        self, message: str, *, effect: Effect, answer: Answer | None = None, where: str | None = None, hint: str | None = None
    ) -> None:
        super().__init__(message, where=where, hint=hint)
        self.effect = effect
        self.answer = answer or Answer()
