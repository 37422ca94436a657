"""Checks of whole runs that return what broke a promise: nothing for the tool as it is, something for each of its mutants."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

from reconcile import engine
from reconcile.cli.wiring import SystemClock
from reconcile.emulator.app import close, make_app
from reconcile.emulator.coc_alarms import add_alarm
from reconcile.emulator.settings import Settings, changed
from reconcile.emulator.tasks import open_order, trigger_counts
from reconcile.model.snapshot import RecordedHandling
from reconcile.planner import PlanOptions
from reconcile.targets.open import open_targets
from tests.model_check.fragile import Crash, FragileWorld
from tests.world import CONFIG, Diary, MemoryStore, alarm, desired, handling

ALARM_ID = "ALM2025071417361705s6mUUrF"
WANTED = desired(
    alarm("alarm.a"),
    handling("handling.h", alarm="alarm.a", alarm_id=ALARM_ID),
    handling("handling.k", alarm="alarm.a", alarm_id=ALARM_ID + "2", associated_task_id="SC2"),
)
EFFECTS_MAX = 200


def deaths(_: Path) -> list[str]:
    """Die at every effect of a run, with the state on this disk or elsewhere and this disk lost, while histories lag or not."""
    wrong: list[str] = []
    for shared in (False, True):
        for lagging in (False, True):
            for effect in range(1, EFFECTS_MAX):
                died, said = _death(effect, shared=shared, lagging=lagging)
                wrong += said
                if not died:
                    break
    return wrong


def _death(effect: int, *, shared: bool, lagging: bool) -> tuple[bool, list[str]]:
    world = FragileWorld(shared=shared)
    died = False
    world.fuse.arm(effect)
    if lagging:
        world.coc.freeze()
    try:
        world.apply(WANTED)
    except Crash:
        died = True
        if shared:
            world.store.lose_disk()
    world.fuse.arm(None)
    world.apply(WANTED)
    world.heal()
    world.apply(WANTED)
    where = f"death at effect {effect}{', disk lost' if shared else ''}{', histories lag' if lagging else ''}"
    return died, [f"{where}: {one}" for one in _wrong_tasks(world)]


def _wrong_tasks(world: FragileWorld) -> list[str]:
    wrong = [f"{key} ran {world.coc.posts.count(key)} times" for key in set(world.coc.posts) if world.coc.posts.count(key) > 1]
    handlings = [record for record in world.store.resources.values() if isinstance(record, RecordedHandling)]
    known = {run.ticket for record in handlings for run in record.runs}
    pending = {intent.run.alarm_id for intent in world.store.pending.values() if intent.run is not None}
    for alarm_id, rows in world.coc.rows.items():
        wrong += [
            f"{row.work_order_id} is known to nobody"
            for row in rows
            if row.work_order_id not in known and alarm_id not in pending
        ]
    return wrong


def lost_answer(_: Path) -> list[str]:
    """The answer to a POST never comes: it is not sent again, and the history tells that it ran."""
    settings = changed(Settings(), {"faults": ["POST:*/auto-process:timeout=5@1"]})
    counts = asyncio.run(_embedded_apply(settings, earlier=0))
    return [f"{c['task_id']} ran {c['count']} times" for c in counts if c["count"] != 1]


def many_pages(_: Path) -> list[str]:
    """A lost state, and the one row that says that the task ran is on the second page."""
    counts = asyncio.run(_embedded_apply(Settings(), earlier=120))
    return [f"{c['task_id']} ran {c['count']} times" for c in counts if c["task_id"] == "SC1" and c["count"] != 1]


async def _embedded_apply(settings: Settings, *, earlier: int) -> list[dict[str, Any]]:
    """How often each task ran, after an apply on an empty state. With `earlier`, it ran before, and so did many others."""
    app = make_app(None, settings)
    desk = app.state.desk
    with desk.store.transaction():
        for id in (ALARM_ID, ALARM_ID + "2"):
            add_alarm(desk.store, id, now=desk.now(), name="cpu", importance="major", status="alarming")
        for number in range(earlier):
            task = {"task_type": "SCRIPT", "associated_task_id": f"X{number}" if number else "SC1", "associated_task_name": "x"}
            open_order(desk, ALARM_ID, task, create_name="somebody", start_time=desk.now())
    hasty = {name: target.model_copy(update={"request_timeout": 300}) for name, target in CONFIG.targets.items()}
    config = CONFIG.model_copy(update={"targets": hasty})
    how = engine.Applying(options=PlanOptions(), environ={}, who="test", salt=lambda: "salt")
    store: Any = MemoryStore()
    async with open_targets(
        config, directory=Path(), environ={}, embedded=lambda: app, clock=SystemClock(), log=lambda text: None
    ) as targets:
        await engine.apply(WANTED, store, config, targets, SystemClock(), Diary(), how)
    counts = trigger_counts(desk.store)
    close(app)
    return counts
