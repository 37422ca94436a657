"""How started tasks end: followed while an apply waits, or asked once. Only words we know end a task."""

from __future__ import annotations

from collections.abc import Mapping

from reconcile.applier.run import Run, describe
from reconcile.errors import TargetError
from reconcile.model.address import Address
from reconcile.model.facts import Put
from reconcile.model.snapshot import RecordedHandling, Snapshot
from reconcile.model.snapshot import Run as TaskRun
from reconcile.ports import Progress, Targets, TaskStatus

FIRST_PAUSE, LONGEST_PAUSE = 0.5, 15.0  # seconds


async def follow_tasks(run: Run) -> None:
    """Wait until every task this run started has ended; a failed one is entered as failed. A halt stops the waiting."""
    waiting, told = dict(run.started), dict.fromkeys(run.started, "")
    pause = FIRST_PAUSE
    while waiting and not run.halted():
        for address in list(waiting):
            status = await _status(run, address)
            if status is None:
                continue
            word = status.word or "no status yet"
            if word != told[address]:
                told[address] = word
                run.observer.told(f"{address}: work order {waiting[address]} is {word}")
            if status.ended:
                _ended(run, address, waiting.pop(address), status)
        if waiting:
            await run.clock.sleep(pause)
            pause = min(pause * 1.5, LONGEST_PAUSE)


async def _status(run: Run, address: Address) -> TaskStatus | None:
    record = run.record_of(address)
    if not isinstance(record, RecordedHandling) or not record.runs:
        return None
    try:
        return await _ask(run.targets, record, record.runs[-1])
    except TargetError as error:
        run.observer.told(f"{address}: its status could not be read: {describe(error)}")
        return None


async def _ask(targets: Targets, record: RecordedHandling, last: TaskRun) -> TaskStatus:
    task_type = str(record.content.get("task_type", ""))
    return await targets.tasks[record.target].follow(last.ticket or "", task_type, last.alarm_id)


def _ended(run: Run, address: Address, ticket: str, status: TaskStatus) -> None:
    record = run.record_of(address)
    assert isinstance(record, RecordedHandling)
    last = record.runs[-1].model_copy(update={"status": status.word})
    run.session.record([Put(address=address, record=record.model_copy(update={"runs": (*record.runs[:-1], last)}))])
    if not status.succeeded:
        hint = f"look at work order {ticket} in COC; run it again with `reconcile apply --rerun {address}`"
        progress = Progress(address, "trigger", "failed", f"work order {ticket} ended as {status.word}", hint)
        run.account.outcomes.append(progress)
        run.observer.progressed(progress)


async def task_statuses(snapshot: Snapshot, targets: Targets) -> Mapping[Address, tuple[str, TaskStatus]]:
    """(work order, status) of each handling's last run whose end is not recorded. What cannot be asked is left out."""
    found: dict[Address, tuple[str, TaskStatus]] = {}
    for address, record in sorted(snapshot.resources.items()):
        if not isinstance(record, RecordedHandling) or not record.runs or record.runs[-1].ticket is None:
            continue
        try:
            found[address] = (record.runs[-1].ticket, await _ask(targets, record, record.runs[-1]))
        except TargetError:
            continue
    return found
