"""The use cases that only look: a plan, from the state or from what is live, and drift. Wires targets in only where asked."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from reconcile import engine
from reconcile.cli.collecting import uncollected
from reconcile.cli.given import Given
from reconcile.cli.notes import tell_notes
from reconcile.cli.observers import Lines
from reconcile.cli.wiring import Session, who
from reconcile.errors import ReconcileError

if TYPE_CHECKING:
    from reconcile.model.change import Drift
    from reconcile.model.plan import Plan
    from reconcile.model.snapshot import RecordedAlarm, Snapshot
    from reconcile.planner import PlanOptions
    from reconcile.ports import Targets, TaskStatus

T = TypeVar("T")


def session_over(given: Given, copy: Path | None) -> Session:
    """A session that only looks, at a copy of the state where one is named; that it is not there is told."""
    if copy is not None and not given.path(copy).exists():
        tell_notes([f"there is no file {copy}: planned as if nothing had been reported yet"], given)
    return Session(given, copy=copy)


def make_plan(session: Session, options: PlanOptions) -> Plan:
    """The plan; targets are asked only with `--refresh` or `--adopt`."""
    desired, store, config = session.desired, session.store, session.config
    if not (options.refresh or options.adopt):
        with uncollected():
            return engine.plan(desired, store, config, options=options, clock=session.clock, environ=session.environ)
    return with_targets(session, lambda targets, base: engine.refreshed_plan(desired, store, config, targets, options, base))


class Looked(NamedTuple):
    """What `drift` saw. `tasks` holds (work order, status) of each handling's last run, as far as it could be asked."""

    snapshot: Snapshot
    drift: tuple[Drift, ...]
    tasks: Mapping[str, tuple[str, TaskStatus]]


def find_drift(session: Session) -> Looked:
    """What is live against the state, and how the last runs stand."""
    from reconcile.applier import task_statuses

    async def asked(targets: Targets, base: engine.Base) -> Looked:
        snapshot, found = await engine.drift(session.store, session.config, targets, base)
        try:
            tasks = await task_statuses(snapshot, targets)
        except (ReconcileError, KeyError) as error:  # no right or way to ask COC is no reason to hide drift
            base.observer.told(f"how the tasks stand could not be asked: {error}")
            tasks = {}
        return Looked(snapshot, found, tasks)

    return with_targets(session, asked)


def take_over(session: Session, address: str, alarm_id: str) -> tuple[RecordedAlarm, int]:
    """Import one live alarm; its record and the state's serial."""
    desired, store, config = session.desired, session.store, session.config

    async def importing(targets: Targets, base: engine.Base) -> tuple[RecordedAlarm, int]:
        return await engine.import_one(desired, store, config, targets, base, address=address, alarm_id=alarm_id, who=who())

    return with_targets(session, importing)


def with_targets(session: Session, work: Callable[[Targets, engine.Base], Coroutine[Any, Any, T]]) -> T:
    """Run a use case that asks what is live."""
    import asyncio

    told = Lines(session.given)

    def log(text: str) -> None:
        if session.given.verbose:
            told.told(text)

    async def looking() -> T:
        async with session.targets(log) as targets:
            return await work(targets, engine.Base(session.clock, session.environ, told))

    return asyncio.run(looking())
