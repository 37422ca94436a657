"""Small states and facts to test with, and stores on a folder."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Mapping
from pathlib import Path

from reconcile.model.facts import Drop, Opened, Put, Settled
from reconcile.model.snapshot import Intent, LastRun, RecordedAlarm, RecordedEvent, RecordedHandling, Run
from reconcile.state.files import Files
from reconcile.state.local import LocalStore

VERSION = "9.9.9"
LINEAGE = "11111111-2222-4333-8444-555555555555"


class StillClock:
    """A clock that stands, so that bytes are equal."""

    def now(self) -> int:
        """2026-11-20T08:00:00Z."""
        return 1_795_161_600_000

    async def sleep(self, seconds: float) -> None:
        """Do not wait."""
        await asyncio.sleep(0)


def alarm(number: int = 1, message: str = "CPU above 90 % für 5 minutes") -> RecordedAlarm:
    """A reported alarm."""
    return RecordedAlarm(
        target="aom",
        digest=f"sha256:{number:064x}",
        content={"target": "aom", "name": "CPU", "severity": "Major", "message": message, "timeout": 432_000_000},
        occurrence=f"o{number}",
        starts_at=1_795_161_600_000 + number,
        reported_at=1_795_161_600_000 + number,
        expires_at=1_795_593_600_000 + number,
        confirmation="confirmed",
        remote_id=f"id-{number}",
        metadata={"event_name": "CPU", "resource_id": f"ecs-{number}"},
    )


def event() -> RecordedEvent:
    """A reported event."""
    return RecordedEvent(
        target="aom", digest="sha256:ee", content={"message": "v42 is out"}, reported_at=5, secrets={"X": "salted"}
    )


def run(ticket: str | None = "WO1") -> Run:
    """A start of a task."""
    return Run(
        occurrence="o1",
        alarm_id="ALM1",
        task_id="SC1",
        task_digest="sha256:cc",
        at=7,
        outcome="started" if ticket else "unknown",
        ticket=ticket,
        how="answered" if ticket else None,
    )


def handling(*runs: Run) -> RecordedHandling:
    """A handling with its runs."""
    return RecordedHandling(target="coc", digest="sha256:aa", content={"task_type": "SCRIPT", "sub_task_info": None}, runs=runs)


def intent(id: str = "i1", *, at: int = 8) -> Intent:
    """A trigger about to be sent."""
    return Intent(id=id, op="trigger", address="handling.restart", at=at, target="coc", run=run(None), baseline=("WO0",))


def last_run(command: str = "apply") -> LastRun:
    """An account of a run."""
    return LastRun(at=9, command=command, who="alice@ops-1", plan_id="sha256:ab", exit_code=0, counts={"report": 2})


def put(number: int, message: str = "full") -> Put:
    """The fact that an alarm was reported."""
    return Put(address=f"alarm.web-{number}", record=alarm(number, message))


def drop(number: int) -> Drop:
    """The fact that an alarm was cleared."""
    return Drop(address=f"alarm.web-{number}")


def opened(id: str = "i1") -> Opened:
    """The fact that an intent was written."""
    return Opened(intent=intent(id))


def settled(id: str = "i1") -> Settled:
    """The fact that an intent was answered."""
    return Settled(intent_id=id, how="answered")


def local(path: Path, *, files: Files | None = None, environ: Mapping[str, str] | None = None) -> LocalStore:
    """A store on a file whose new states have a known lineage."""
    numbers = itertools.count()
    return LocalStore(
        path,
        tool_version=VERSION,
        clock=StillClock(),
        entropy=lambda: LINEAGE if next(numbers) == 0 else f"lineage-{next(numbers)}",
        environ=environ if environ is not None else {"USER": "alice"},
        files=files,
    )
