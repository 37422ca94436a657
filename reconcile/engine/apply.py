"""To act: lock, settle what is pending, plan, ask, carry out, save."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from reconcile.applier import Account, Look, Run, carry_out, check_secrets, follow_tasks, foreign_holders, look, settle_pending
from reconcile.engine.plan import plan_from, stack_of
from reconcile.errors import Refused
from reconcile.model.change import Adopt
from reconcile.model.config import Config
from reconcile.model.desired import Desired
from reconcile.model.live import Live
from reconcile.model.plan import Plan
from reconcile.model.snapshot import LastRun
from reconcile.planner import PlanOptions
from reconcile.planner.saved import remaining
from reconcile.ports import Clock, Observer, StateSession, StateStore, Targets

PLANS_KEPT = 20
NAMED = 3  # reasons of a refusal in one sentence


@dataclass(frozen=True, slots=True, kw_only=True)
class Applying:
    """What an apply is given beside specs, config and ports. `expect` is a saved plan document that must still hold;
    `wait` follows the started tasks until they end.
    """

    options: PlanOptions
    environ: Mapping[str, str]
    who: str
    command: str = "apply"
    lock_timeout: float = 0.0
    expect: Mapping[str, Any] | None = None
    approve: Callable[[Plan], bool] = lambda plan: True
    wait: bool = False
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
        decided = _decide(desired, config, run, how, live=None)
        if _needs_live(run, how):
            live = await _look(desired, config, run, how)
            decided = _decide(desired, config, run, how, live=live)
        else:
            await _refuse_foreign(run, decided)
        run.adopting = any(isinstance(change, Adopt) for change in decided.changes)
        if how.approve(decided):
            await carry_out(run, decided)
            if how.wait:
                await follow_tasks(run)
        return _save(run, session, how)


def _options(how: Applying) -> PlanOptions:
    return how.options if how.expect is None else PlanOptions.from_document(how.expect.get("options", {}))


def _needs_live(run: Run, how: Applying) -> bool:
    """Where the plan asks for it, and where a lost state must not report everything again."""
    options = _options(how)
    return options.refresh or options.adopt or run.session.snapshot.lineage is None


async def _look(desired: Desired, config: Config, run: Run, how: Applying) -> Live:
    options, snapshot = _options(how), run.session.snapshot
    asked = Look(config, stamped=not options.adopt, coc=options.refresh, lenient=not options.refresh)
    return await look(asked, desired, snapshot, run.targets, run.clock, run.observer)


def _decide(desired: Desired, config: Config, run: Run, how: Applying, *, live: Live | None) -> Plan:
    """The plan, and everything that can forbid it: a stale plan file, guards, missing secrets and settings. It is made before
    anything is sent; where it asks for what is live, that decides again.
    """
    options, snapshot = _options(how), run.session.snapshot
    decided = plan_from(desired, snapshot, config, options, run.clock, how.environ, live)
    final = live is not None or not (options.refresh or options.adopt)
    if how.expect is not None and final:
        decided = remaining(how.expect, decided, snapshot)
    if decided.violations and final:
        raise ViolationsFound(decided)
    run.targets.check({change.target for change in decided.changes if change.action not in ("move", "forget", "defer")})
    check_secrets(decided, how.environ)
    return decided


async def _refuse_foreign(run: Run, decided: Plan) -> None:
    found = await foreign_holders(run, decided)
    if found:
        raise ViolationsFound(replace(decided, violations=(*decided.violations, *found)))


class ViolationsFound(Refused):
    """A guard or protection forbids the plan; the plan is still shown."""

    def __init__(self, found: Plan) -> None:
        super().__init__(_joined(v.message for v in found.violations), hint=_joined(v.hint for v in found.violations))
        self.plan = found


def _joined(texts: Iterable[str]) -> str:
    """The first few, each once; the plan that is shown has them all."""
    once = list(dict.fromkeys(texts))
    more = len(once) - NAMED
    return "; ".join(once[:NAMED]) + (f"; and {more} more" if more > 0 else "")


def _save(run: Run, session: StateSession, how: Applying) -> Account:
    account = run.account
    account.pending_unknown = sum(1 for intent in session.snapshot.pending.values() if intent.op == "trigger")
    account.stopped_by = how.halted()
    account.foreign = bool(run.foreign)
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
