"""To look: a plan from the state, or from what is live; drift. Takes no lock, writes nothing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from reconcile.errors import Refused, StateUnusable
from reconcile.model.change import Drift
from reconcile.model.config import Config
from reconcile.model.desired import Desired
from reconcile.model.plan import Plan
from reconcile.model.snapshot import Snapshot
from reconcile.planner import PlanOptions, make_plan
from reconcile.planner.drift import drifts

if TYPE_CHECKING:
    from reconcile.model.live import Live
    from reconcile.ports import Clock, Observer, StateStore, Targets

DEFAULT_STACK = "default"


@dataclass(frozen=True, slots=True)
class Base:
    """The clock, the environment and who is told: what a use case that only looks needs."""

    clock: Clock
    environ: Mapping[str, str]
    observer: Observer


def stack_of(config: Config, snapshot: Snapshot) -> str:
    """The stack's name: the config's, which must be the state's; a new state with a real target needs one."""
    if snapshot.stack is not None:
        if config.stack not in (None, snapshot.stack):
            raise StateUnusable(
                f"the state belongs to stack `{snapshot.stack}`, the config says `{config.stack}`",
                hint="a stack's name is part of what it reported and cannot change; use another `state:` for another stack",
            )
        return snapshot.stack
    if config.stack is None and any(not target.embedded for target in config.targets.values()):
        raise Refused("`stack:` is missing in the config", hint="name the stack before its first report: it marks what it owns")
    return config.stack or DEFAULT_STACK


def plan(
    desired: Desired, store: StateStore, config: Config, *, options: PlanOptions, clock: Clock, environ: Mapping[str, str]
) -> Plan:
    """Diff the specs against the state. Takes no lock, writes nothing, sends nothing."""
    return plan_from(desired, store.read(), config, options, clock, environ)


async def refreshed_plan(
    desired: Desired, store: StateStore, config: Config, targets: Targets, options: PlanOptions, base: Base
) -> Plan:
    """Diff the specs against the state and what is live. Takes no lock, writes nothing, changes nothing anywhere."""
    from reconcile.applier import Look, look

    snapshot = store.read()
    asked = Look(config, stamped=not options.adopt, ended=True)
    live = await look(asked, desired, snapshot, targets, base.clock, base.observer)
    return plan_from(desired, snapshot, config, options, base.clock, base.environ, live)


async def drift(store: StateStore, config: Config, targets: Targets, base: Base) -> tuple[Snapshot, tuple[Drift, ...]]:
    """What is live against what is recorded. Takes no lock and cannot write."""
    from reconcile.applier import Look, look

    snapshot = store.read()
    stack = stack_of(config, snapshot)
    live = await look(Look(config, ended=True), None, snapshot, targets, base.clock, base.observer)
    return snapshot, drifts(snapshot, live, stack=stack, now=base.clock.now())


def plan_from(
    desired: Desired,
    snapshot: Snapshot,
    config: Config,
    options: PlanOptions,
    clock: Clock,
    environ: Mapping[str, str],
    live: Live | None = None,
) -> Plan:
    now = options.as_of if options.as_of is not None else clock.now()
    stack = stack_of(config, snapshot)
    return make_plan(desired, snapshot, config, options=options, now=now, environ=environ, stack=stack, live=live)
