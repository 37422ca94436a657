"""`--metrics`: what a run knows in the end, also when it failed. The run's own end always comes first."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from reconcile.cli.reports import STDOUT, put
from reconcile.cli.streams import tell
from reconcile.cli.wiring import Session
from reconcile.errors import ReconcileError

if TYPE_CHECKING:
    from reconcile.applier import Account
    from reconcile.model.change import Drift


@dataclass(slots=True)
class Told:
    """What the run found out on its way."""

    document: Mapping[str, Any] | None = None
    drift: Sequence[Drift] | None = None
    account: Account | None = None
    stack: str | None = None
    declined: bool = False


def measured(session: Session, file: str | None, command: str, work: Callable[[Told], int]) -> int:
    """Run the work; then write its metrics, if asked for. What cannot be written is told, and never exit 0."""
    told = Told()
    if file is None:
        return work(told)
    begun = time.monotonic()
    try:
        code = work(told)
    except ReconcileError as error:
        _try(session, file, command, told, error.exit_code, time.monotonic() - begun)
        raise
    return _try(session, file, command, told, code, time.monotonic() - begun)


def _try(session: Session, file: str, command: str, told: Told, code: int, duration: float) -> int:
    try:
        _write(session, file, command, told, code, duration)
    except (OSError, ReconcileError) as error:
        from reconcile.views.inert import inert

        tell(f"Error: the metrics could not be written: {inert(str(error))}\n", "error")
        return code or (error.exit_code if isinstance(error, ReconcileError) else 1)
    return code


def _write(session: Session, file: str, command: str, told: Told, code: int, duration: float) -> None:
    from reconcile.model.snapshot import Snapshot
    from reconcile.views.metrics import measures_of, render_metrics

    try:
        snapshot = session.store.read()
    except ReconcileError:
        snapshot = Snapshot()
    measures = measures_of(
        snapshot,
        told.document,
        command=command,
        exit_code=code,
        now=session.clock.now(),
        duration=duration,
        drift=told.drift,
        earlier=_earlier(session, file),
    )
    put(session.given, file, render_metrics(measures))


def _earlier(session: Session, file: str) -> str | None:
    """What the last run left in the file."""
    try:
        return None if file == STDOUT else session.given.path(Path(file)).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return None
