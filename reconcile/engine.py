"""The use cases, in the order the data flows. Knows no adapter: `cli` hands in stores, targets and clocks."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from reconcile.applier import Account, Look, Run, carry_out, check_secrets, look, settle_pending
from reconcile.errors import Refused, StateUnusable
from reconcile.model.change import Adopt, Drift
from reconcile.model.config import Config
from reconcile.model.desired import Desired
from reconcile.model.live import Live
from reconcile.model.plan import Plan
from reconcile.model.snapshot import LastRun, Snapshot
from reconcile.planner import PlanOptions, make_plan
from reconcile.planner.drift import drifts
from reconcile.planner.saved import remaining
from reconcile.ports import AnyFact, Clock, Observer, StateSession, StateStore, Targets

DEFAULT_STACK = "default"
PLANS_KEPT = 20


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
    return _plan(desired, store.read(), config, options, clock, environ)


async def refreshed_plan(
    desired: Desired, store: StateStore, config: Config, targets: Targets, options: PlanOptions, base: Base
) -> Plan:
    """Diff the specs against the state and what is live. Takes no lock, writes nothing, changes nothing anywhere."""
    snapshot = store.read()
    asked = Look(config, stamped=not options.adopt, ended=True)
    live = await look(asked, desired, snapshot, targets, base.clock, base.observer)
    return _plan(desired, snapshot, config, options, base.clock, base.environ, live)


async def drift(store: StateStore, config: Config, targets: Targets, base: Base) -> tuple[Snapshot, tuple[Drift, ...]]:
    """What is live against what is recorded. Takes no lock and cannot write."""
    snapshot = store.read()
    stack = stack_of(config, snapshot)
    live = await look(Look(config, ended=True), None, snapshot, targets, base.clock, base.observer)
    return snapshot, drifts(snapshot, live, stack=stack, now=base.clock.now())


def _plan(
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


@dataclass(frozen=True, slots=True)
class Base:
    """The clock, the environment and who is told: what a use case that only looks needs."""

    clock: Clock
    environ: Mapping[str, str]
    observer: Observer


@dataclass(frozen=True, slots=True, kw_only=True)
class Applying:
    """What an apply is given beside specs, config and ports. `expect` is a saved plan document that must still hold."""

    options: PlanOptions
    environ: Mapping[str, str]
    who: str
    command: str = "apply"
    lock_timeout: float = 0.0
    expect: Mapping[str, Any] | None = None
    approve: Callable[[Plan], bool] = lambda plan: True
    salt: Callable[[], str]
    halted: Callable[[], int | None] = lambda: None


async def apply(
    desired: Desired, store: StateStore, config: Config, targets: Targets, clock: Clock, observer: Observer, how: Applying
) -> Account:
    """Lock, settle what is pending, plan, ask, carry out, save. Raises before anything is sent, or returns the account."""
    with store.session(operation=how.command, timeout=how.lock_timeout) as session:
        run = Run(
            session=session,
            targets=targets,
            clock=clock,
            environ=how.environ,
            observer=observer,
            stack=stack_of(config, session.snapshot),
            salt=how.salt,
            halted=lambda: how.halted() is not None,
        )
        await settle_pending(run)
        live = await _live(desired, config, run, how)
        decided = _decide(desired, config, session.snapshot, clock, how, live)
        run.adopting = any(isinstance(change, Adopt) for change in decided.changes)
        targets.check({change.target for change in decided.changes if change.action not in ("move", "forget", "defer")})
        check_secrets(decided, how.environ)
        if how.approve(decided):
            await carry_out(run, decided)
        return _save(run, session, how)


def _options(how: Applying) -> PlanOptions:
    return how.options if how.expect is None else PlanOptions.from_document(how.expect.get("options", {}))


async def _live(desired: Desired, config: Config, run: Run, how: Applying) -> Live | None:
    """What is live, where the plan asks for it, or where a lost state must not report everything again."""
    options, snapshot = _options(how), run.session.snapshot
    if not (options.refresh or options.adopt or snapshot.lineage is None):
        return None
    asked = Look(config, stamped=not options.adopt, coc=options.refresh, lenient=not options.refresh)
    return await look(asked, desired, snapshot, run.targets, run.clock, run.observer)


def _decide(desired: Desired, config: Config, snapshot: Snapshot, clock: Clock, how: Applying, live: Live | None) -> Plan:
    decided = _plan(desired, snapshot, config, _options(how), clock, how.environ, live)
    if how.expect is not None:
        decided = remaining(how.expect, decided, snapshot)
    if decided.violations:
        raise ViolationsFound(decided)
    return decided


class ViolationsFound(Refused):
    """A guard or protection forbids the plan; the plan is still shown."""

    def __init__(self, found: Plan) -> None:
        super().__init__("; ".join(v.message for v in found.violations), hint="; ".join(v.hint for v in found.violations))
        self.plan = found


def _save(run: Run, session: StateSession, how: Applying) -> Account:
    account = run.account
    account.pending_unknown = sum(1 for intent in session.snapshot.pending.values() if intent.op == "trigger")
    account.stopped_by = how.halted()
    account.plan_id = str(how.expect["plan_id"]) if how.expect else None
    before = session.snapshot.last_run
    plans = (*(before.plans if before else ()), *([account.plan_id] if account.plan_id else []))
    last_run = LastRun(
        at=run.clock.now(),
        command=how.command,
        who=how.who,
        plan_id=account.plan_id,
        plans=tuple(dict.fromkeys(plans))[-PLANS_KEPT:],
        exit_code=account.exit_code,
        counts=account.counts(),
    )
    account.serial = session.commit(stack=run.stack, last_run=last_run).serial
    return account


Edit = Callable[[Snapshot], Sequence[AnyFact]]


def edit_state(
    store: StateStore, edit: Edit, *, command: str, who: str, clock: Clock, lock_timeout: float = 0.0
) -> tuple[int, int]:
    """Change the state by hand, under its lock and with a backup; sends nothing. Returns (facts, serial)."""
    with store.session(operation=command, timeout=lock_timeout) as session:
        snapshot = session.snapshot
        if snapshot.lineage is None:
            raise StateUnusable(f"there is no state at {store.where}", hint="the first apply makes one")
        facts = edit(snapshot)
        if not facts:
            return 0, snapshot.serial
        session.record(facts)
        plans = snapshot.last_run.plans if snapshot.last_run else ()
        last_run = LastRun(at=clock.now(), command=command, who=who, exit_code=0, plans=plans)
        return len(facts), session.commit(stack=snapshot.stack or DEFAULT_STACK, last_run=last_run).serial


__all__ = ["Applying", "Base", "ViolationsFound", "apply", "drift", "edit_state", "plan", "refreshed_plan", "stack_of"]
