"""By hand: edit the state, close what is unknown, import what is live. Under the lock, with a backup; nothing is sent."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from reconcile.applier import Look, look
from reconcile.engine.plan import DEFAULT_STACK, Base, stack_of
from reconcile.errors import ReconcileError, StateUnusable
from reconcile.model.address import Address
from reconcile.model.config import Config
from reconcile.model.desired import Desired
from reconcile.model.facts import Put
from reconcile.model.live import LiveAlarm
from reconcile.model.snapshot import LastRun, RecordedAlarm, Snapshot
from reconcile.planner.refresh import import_alarm, unmanaged
from reconcile.ports import AnyFact, Clock, StateSession, StateStore, Targets

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
        return len(facts), _commit(session, facts, snapshot.stack or DEFAULT_STACK, command=command, who=who, clock=clock)


def _commit(session: StateSession, facts: Sequence[AnyFact], stack: str, *, command: str, who: str, clock: Clock) -> int:
    before = session.snapshot.last_run
    session.record(facts)
    last_run = LastRun(at=clock.now(), command=command, who=who, exit_code=0, plans=before.plans if before else ())
    return session.commit(stack=stack, last_run=last_run).serial


async def import_one(
    desired: Desired,
    store: StateStore,
    config: Config,
    targets: Targets,
    base: Base,
    *,
    address: Address,
    alarm_id: str,
    who: str,
) -> tuple[RecordedAlarm, int]:
    """Take over the active alarm with this id as the declared address. Returns its record and the serial."""
    with store.session(operation="import", timeout=0.0) as session:
        snapshot = session.snapshot
        stack = stack_of(config, snapshot)
        declared = desired.declared.get(address)
        if declared is None or declared.kind != "alarm":
            raise ReconcileError(
                f"{address} is not declared as an alarm", hint="declare it in the specs first; the import checks its identity"
            )
        if address in snapshot.resources:
            raise ReconcileError(f"{address} is already in the state", hint=f"see `reconcile state show '{address}'`")
        live = await look(Look(config, stamped=False, coc=False), desired, snapshot, targets, base.clock, base.observer)
        record = import_alarm(declared, alarm_id, live.alarms.get(declared.resource.target, ()), stack)
        facts = [Put(address=address, record=record)]
        return record, _commit(session, facts, stack, command="import", who=who, clock=base.clock)


async def find_unmanaged(
    desired: Desired, store: StateStore, config: Config, targets: Targets, base: Base
) -> list[tuple[str, LiveAlarm]]:
    """(target, alarm) of every active alarm that nobody declared. Takes no lock."""
    snapshot = store.read()
    asked = Look(config, stamped=False, coc=False, every=True)
    live = await look(asked, desired, snapshot, targets, base.clock, base.observer)
    return unmanaged(live, snapshot, stack_of(config, snapshot))
