"""Ask the targets what is live: one bulk listing per AOM target, one ShowAlarm per COC alarm id. Changes nothing."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from reconcile.applier.run import describe
from reconcile.errors import TargetError
from reconcile.model.config import Config
from reconcile.model.desired import Desired
from reconcile.model.dialects import LOOK_BACK
from reconcile.model.live import CocAlarm, Live, LiveAlarm
from reconcile.model.resources import Handling
from reconcile.model.snapshot import RecordedAlarm, Snapshot
from reconcile.ports import Clock, Observer, Targets


@dataclass(frozen=True, slots=True)
class Look:
    """What is asked. `stamped` leaves out what nobody stamped; `ended` also asks what ended lately."""

    config: Config
    stamped: bool = True
    ended: bool = False
    coc: bool = True  # also what COC says of the alarms that handlings name
    every: bool = False  # every configured AOM target, used or not
    lenient: bool = False  # a target that cannot be listed is told and left out, not an error


async def look(asked: Look, desired: Desired | None, snapshot: Snapshot, targets: Targets, clock: Clock, told: Observer) -> Live:
    """Everything live that plan or drift may need. Raises TargetError where a target does not answer, unless lenient."""
    names = sorted(_aom_targets(asked.config, desired, snapshot, every=asked.every))
    targets.check(names)
    since = clock.now() - LOOK_BACK
    since = min([since, *(r.reported_at for r in snapshot.resources.values() if isinstance(r, RecordedAlarm))])
    alarms: dict[str, list[LiveAlarm]] = {}
    ended: dict[str, list[LiveAlarm]] = {}
    for name in names:
        target = targets.alarms[name]
        stamped = asked.stamped and asked.config.targets[name].stamp
        try:
            alarms[name] = await target.active(since=since, stamped=stamped)
            if asked.ended and _is_missing_any(name, snapshot, alarms[name]):
                ended[name] = await target.ended(since=since, stamped=stamped)
        except TargetError as error:
            if error.answer.status != 403 and not asked.lenient:
                raise
            told.told(f"target {name}: what is active could not be listed: {describe(error)}")
    return Live(alarms, await _coc(desired, targets, told) if asked.coc else {}, ended)


def _aom_targets(config: Config, desired: Desired | None, snapshot: Snapshot, *, every: bool) -> set[str]:
    declared = desired.declared.values() if desired else ()
    used = {entry.resource.target for entry in declared} | {record.target for record in snapshot.resources.values()}
    return {name for name, target in config.targets.items() if (every or name in used) and target.type == "aom"}


def _is_missing_any(name: str, snapshot: Snapshot, alarms: Iterable[LiveAlarm]) -> bool:
    ids = {alarm.id for alarm in alarms}
    records = (r for r in snapshot.resources.values() if isinstance(r, RecordedAlarm) and r.target == name)
    return any(record.remote_id not in ids for record in records)


async def _coc(desired: Desired | None, targets: Targets, told: Observer) -> Mapping[tuple[str, str], CocAlarm | None]:
    wanted = sorted(
        {
            (entry.resource.target, entry.resource.alarm_id)
            for entry in (desired.declared.values() if desired else ())
            if isinstance(entry.resource, Handling) and entry.resource.alarm_id is not None
        }
    )
    found: dict[tuple[str, str], CocAlarm | None] = {}
    for target, alarm_id in wanted:
        try:
            found[target, alarm_id] = await targets.tasks[target].show(alarm_id)
        except TargetError as error:
            told.told(f"COC alarm {alarm_id} could not be shown: {describe(error)}")
    return found
