"""Carry out a plan, in the order of contract section 7.

1. move, adopt, forget · 2. clear what gives up an identity that this plan reports again · 3. report, update, renew ·
4. replace: report and confirm the new, then clear the old · 5. trigger · 6. clear.
What is pending was settled before the plan was made (`settle`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import assert_never

from reconcile.applier.clears import clear_wave, owe, owe_no_more
from reconcile.applier.identities import hold_back
from reconcile.applier.records import needed_secrets
from reconcile.applier.reports import report_wave
from reconcile.applier.run import Run
from reconcile.applier.triggers import trigger_waves
from reconcile.errors import SecretMissing
from reconcile.model.change import Adopt, Change, Clear, Defer, Forget, Move, Renew, Replace, Report, Trigger, Update
from reconcile.model.facts import Drop, Put
from reconcile.model.plan import Plan
from reconcile.model.resources import Alarm
from reconcile.model.snapshot import AnyRecorded, RecordedAlarm
from reconcile.ports import AnyFact


def check_secrets(plan: Plan, environ: Mapping[str, str]) -> None:
    """Refuse an apply that needs a secret which is not set, before anything is sent."""
    missing: dict[str, list[str]] = {}
    for change in plan.changes:
        if not isinstance(change, Clear | Move | Forget | Defer) and _is_sent(change):
            for name in needed_secrets(change.after) - environ.keys():
                missing.setdefault(name, []).append(change.address)
    if missing:
        told = "; ".join(f"{name} (needed by {', '.join(sorted(users)[:3])})" for name, users in sorted(missing.items()))
        raise SecretMissing(f"secrets are not set: {told}", hint="set the environment variables and run again; nothing was sent")


async def carry_out(run: Run, plan: Plan) -> None:
    """Do the plan. Every change ends in `run.account`; what was acknowledged is durable in `run.session`."""
    run.observer.started(sum(1 for change in plan.changes if not isinstance(change, Defer)))
    _occupy(run)
    _book(run, plan.changes)
    clears = [change for change in plan.changes if isinstance(change, Clear)]
    replaces = [change for change in plan.changes if isinstance(change, Replace)]
    first = [change for change in clears if change.first]
    freeing = [change for change in replaces if change.clear_first]
    await clear_wave(run, first)
    await _clear_replaced(run, freeing)
    reports = [report for change in plan.changes if (report := _as_report(change)) is not None]
    await report_wave(run, hold_back(run, [*first, *freeing], reports))
    replaces = hold_back(run, [*first, *freeing], [change for change in replaces if change.address not in run.failed])
    await _replace(run, replaces)
    await trigger_waves(run, [change for change in plan.changes if isinstance(change, Trigger)])
    await clear_wave(run, [change for change in clears if not change.first])


def _is_sent(change: Change) -> bool:
    return change.sends if isinstance(change, Adopt | Update) else not isinstance(change, Move | Forget | Defer)


def _as_report(change: Change) -> Report | Update | Renew | None:
    """What goes out in the wave of reports. An adopted alarm that differs is updated from what was adopted."""
    match change:
        case Adopt(record=record, sends=True):
            return Update(
                address=change.address,
                kind=change.kind,
                target=change.target,
                reason="adopted",
                after=change.after,
                before=record,
                diff=change.diff,
            )
        case Report() | Renew() | Update(sends=True):
            return change
        case _:
            return None


def _occupy(run: Run) -> None:
    """Remember which stamp keys and alarmIds the state holds, so that none is given twice."""
    for record in run.session.snapshot.resources.values():
        if isinstance(record, RecordedAlarm):
            run.taken |= {mark for mark in (record.metadata.get("reconcile_key"), record.alarm_id) if mark}


async def _clear_replaced(run: Run, changes: Sequence[Replace]) -> None:
    await clear_wave(run, changes, quiet=True)


async def _replace(run: Run, changes: Sequence[Replace]) -> None:
    """Report the new ones; the old ones, still active, are cleared only once the new are confirmed."""
    listable = await _list_first(run, changes)
    late = [change for change in changes if not change.clear_first and listable.get(change.target, False)]
    early = [change for change in changes if not change.clear_first and change not in late]
    await _clear_replaced(run, early)
    owe(run, late)
    await report_wave(run, [change for change in changes if change.address not in run.failed])
    await _clear_replaced(run, [change for change in late if change.address not in run.failed])
    owe_no_more(run, [change for change in late if change.address in run.failed])


async def _list_first(run: Run, changes: Sequence[Replace]) -> dict[str, bool]:
    """Per target, whether its list can be read: without it a replacement clears first."""
    found: dict[str, bool] = {}
    for change in changes:
        if change.target not in found:
            target = run.targets.alarms[change.target]
            found[change.target] = await run.active(target, {change.address: change.before}) is not None
    return found


def _book(run: Run, changes: Sequence[Change]) -> None:
    """Everything that only the state hears of, in one durable step."""
    facts: list[AnyFact] = []
    booked: list[Change] = []
    for change in changes:
        made = _facts(change)
        facts += made
        if made and not _is_sent(change):
            booked.append(change)
    if facts:  # addresses are given up before they are taken: `moved` may be a chain
        run.session.record(sorted(facts, key=lambda fact: isinstance(fact, Put)))
    for change in booked:
        run.ended(change, "done")


def _facts(change: Change) -> list[AnyFact]:
    match change:
        case Forget():
            return [Drop(address=change.moved_from or change.address)]
        case Adopt(record=record):
            return [*_moved(change, change.before), Put(address=change.address, record=record)]
        case Move(before=before):
            return _moved(change, before)
        case Update(before=before, after=after, sends=False):
            sticky = isinstance(before, RecordedAlarm) and before.protect
            news: dict[str, object] = {"digest": after.digest, "content": dict(after.content)}
            if change.confirmation is not None:
                news["confirmation"] = change.confirmation
            if isinstance(after.resource, Alarm):
                news["protect"] = after.resource.is_protected(sticky=sticky)
            return [*_moved(change, before), Put(address=change.address, record=before.model_copy(update=news))]
        case Report() | Update() | Replace() | Renew() | Trigger() | Clear():
            return _moved(change, change.before)
        case Defer():
            return []
        case _:
            assert_never(change)


def _moved(change: Change, before: AnyRecorded | None) -> list[AnyFact]:
    """A record that changed its address takes the new one before anything else happens to it."""
    if change.moved_from is None or before is None:
        return []
    return [Put(address=change.address, record=before), Drop(address=change.moved_from)]
