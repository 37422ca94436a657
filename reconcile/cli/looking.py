"""The use cases that only look: a plan, from the state or from what is live, and drift. Wires targets in only where asked."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import TYPE_CHECKING, Any, TypeVar

from reconcile import engine
from reconcile.cli.given import Given
from reconcile.cli.observers import Lines
from reconcile.cli.wiring import Session

if TYPE_CHECKING:
    from reconcile.model.change import Drift
    from reconcile.model.plan import Plan
    from reconcile.model.snapshot import Snapshot
    from reconcile.planner import PlanOptions
    from reconcile.ports import Targets

T = TypeVar("T")


def make_plan(given: Given, options: PlanOptions) -> Plan:
    """The plan; targets are asked only with `--refresh` or `--adopt`."""
    session = Session(given)
    desired, store, config = session.desired, session.store, session.config
    if not (options.refresh or options.adopt):
        return engine.plan(desired, store, config, options=options, clock=session.clock, environ=session.environ)
    return _with_targets(session, lambda targets, base: engine.refreshed_plan(desired, store, config, targets, options, base))


def find_drift(session: Session) -> tuple[Snapshot, tuple[Drift, ...]]:
    """What is live against the state."""
    return _with_targets(session, lambda targets, base: engine.drift(session.store, session.config, targets, base))


def _with_targets(session: Session, work: Callable[[Targets, engine.Base], Coroutine[Any, Any, T]]) -> T:
    import asyncio

    told = Lines(session.given)

    def log(text: str) -> None:
        if session.given.verbose:
            told.told(text)

    async def looking() -> T:
        async with session.targets(log) as targets:
            return await work(targets, engine.Base(session.clock, session.environ, told))

    return asyncio.run(looking())
