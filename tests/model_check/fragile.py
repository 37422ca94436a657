"""The world that behaves, with a fuse: it dies at the n-th effect, before or after it took place, and nothing happens after that.

An effect is a durable write of the session or a request that leaves. What a dead run did before stays done.
"""

from __future__ import annotations

import copy
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from reconcile.errors import TargetError
from reconcile.model.resources import Handling
from reconcile.model.snapshot import Snapshot
from reconcile.ports import HistoryRow, Lean, LiveAlarm, Sending, as_listed
from tests.world import AlarmServer, MemorySession, MemoryStore, TaskServer, World, lost


class Crash(BaseException):
    """The machine is gone. No handler of errors may catch it."""


@dataclass
class Fuse:
    """Burns at the n-th effect: odd numbers before it takes place, even ones after."""

    left: int | None = None
    dead: bool = False
    burnt: list[str] = field(default_factory=list)

    def arm(self, left: int | None) -> None:
        self.left, self.dead, self.burnt = left, False, []

    @contextmanager
    def around(self, what: str) -> Iterator[None]:
        self._step("before " + what)
        yield
        self._step("after " + what)

    def _step(self, what: str) -> None:
        if self.dead:
            raise Crash(what)
        self.burnt.append(what)
        if self.left is not None:
            self.left -= 1
            if self.left <= 0:
                self.dead = True
                raise Crash(what)


class FragileSession(MemorySession):
    """A session that may not come back from a write."""

    store: FragileStore

    def record(self, facts: Sequence[Any]) -> None:
        if facts:
            with self.store.fuse.around("record"):
                super().record(facts)

    def announce(self, facts: Iterable[Any]) -> None:
        if self.store.shared and (made := list(facts)):
            self.record(made)
            self.publish()

    def publish(self) -> None:
        with self.store.fuse.around("publish"):
            super().publish()
            self.store.backend = (dict(self.store.resources), dict(self.store.pending))

    def commit(self, *, stack: str, last_run: Any) -> Snapshot:
        with self.store.fuse.around("commit"):
            before = self.store.serial
            saved = super().commit(stack=stack, last_run=last_run)
            if saved.serial != before:
                self.store.generations.append(saved)
                self.store.backend = (dict(self.store.resources), dict(self.store.pending))
            return saved


@dataclass
class FragileStore(MemoryStore):
    """Keeps every committed state, so that an older one can be put back. Where it is `shared`, the backend knows only what was
    published, and the rest lies on the disk of the machine that runs.
    """

    fuse: Fuse = field(default_factory=Fuse)
    shared: bool = False
    backend: tuple[dict[str, Any], dict[str, Any]] = field(default_factory=lambda: ({}, {}))
    generations: list[Snapshot] = field(default_factory=list)

    @contextmanager
    def session(self, *, operation: str, timeout: float) -> Iterator[MemorySession]:
        yield FragileSession(self)

    def lose_disk(self) -> None:
        """What a pipeline does whose runner is thrown away."""
        self.resources, self.pending = dict(self.backend[0]), dict(self.backend[1])
        self.dirty = False

    def put_back(self, old: Snapshot) -> None:
        """What a person does who copies an older file over the state."""
        self.resources, self.pending = dict(old.resources), dict(old.pending)
        self.serial, self.last_run, self.dirty = old.serial, old.last_run, False
        self.backend = (dict(old.resources), dict(old.pending))
        self.generations = [kept for kept in self.generations if kept.serial <= old.serial]


@dataclass
class FragileAlarms(AlarmServer):
    """`doubts` are failures of pushes: (executed all the same?, what the client sees); None lets one pass."""

    fuse: Fuse = field(default_factory=Fuse)
    doubts: list[tuple[bool, TargetError] | None] = field(default_factory=list)
    blind: list[TargetError] = field(default_factory=list)
    cleared: list[dict[str, Any]] = field(default_factory=list)

    async def report(self, batch: Sequence[Sending]) -> None:
        with self.fuse.around("report"):
            doubt = self.doubts.pop(0) if self.doubts else None
            if doubt is None or doubt[0]:
                self.records = dict(self.active_now())  # what has expired is no alarm any more
                await super().report(batch)
            if doubt is not None:
                raise doubt[1]

    async def clear(self, batch: Sequence[Sending]) -> None:
        with self.fuse.around("clear"):
            doubt = self.doubts.pop(0) if self.doubts else None
            if doubt is None or doubt[0]:
                before = copy.copy(self.records)
                await super().clear(batch)
                self.cleared += [record for key, record in before.items() if key not in self.records]
            if doubt is not None:
                raise doubt[1]

    async def active(self, *, since: int, stamped: bool = True, lean: Lean = as_listed) -> list[LiveAlarm]:
        with self.fuse.around("list"):
            if self.blind:
                raise self.blind.pop(0)
            return await super().active(since=since, stamped=stamped, lean=lean)


@dataclass
class FragileTasks(TaskServer):
    """Histories may fail, too, or lag: `frozen` is how many rows of each alarm show meanwhile."""

    fuse: Fuse = field(default_factory=Fuse)
    blind: list[TargetError] = field(default_factory=list)
    frozen: dict[str, int] | None = None

    def freeze(self) -> None:
        self.frozen = {alarm_id: len(rows) for alarm_id, rows in self.rows.items()}

    async def histories(self, alarm_id: str) -> list[HistoryRow]:
        with self.fuse.around("histories"):
            if self.blind:
                raise self.blind.pop(0)
            rows = await super().histories(alarm_id)
            return rows if self.frozen is None else rows[: self.frozen.get(alarm_id, 0)]

    async def trigger(self, alarm_id: str, handling: Handling) -> str:
        with self.fuse.around("trigger"):
            return await super().trigger(alarm_id, handling)

    def start_by_hand(self, alarm_id: str, task_id: str) -> None:
        """A work order that is not ours."""
        ticket = f"WO{sum(map(len, self.rows.values())) + 1}"
        row = HistoryRow(ticket, task_id, create_name="colleague", start_time=self.clock.now())
        self.rows.setdefault(alarm_id, []).append(row)


class FragileWorld(World):
    """A world in which a run may die anywhere."""

    store: FragileStore
    aom: FragileAlarms
    events: FragileAlarms
    coc: FragileTasks

    def __init__(self, *, shared: bool = False, **hypotheses: Any) -> None:
        super().__init__()
        self.fuse = Fuse()
        self.store = FragileStore(fuse=self.fuse, shared=shared)
        self.aom = FragileAlarms(self.clock, fuse=self.fuse, **hypotheses)
        self.events = FragileAlarms(self.clock, name="coc-events", readable=False, batch_size=1, fuse=self.fuse)
        self.coc = FragileTasks(self.clock, fuse=self.fuse)
        self.servers.alarms |= {"aom": self.aom, "coc-events": self.events}
        self.servers.tasks |= {"coc": self.coc}

    def heal(self) -> None:
        """All faults are over, and the lists have had the time they are given."""
        self.fuse.arm(None)
        for server in (self.aom, self.events):
            server.doubts.clear()
            server.blind.clear()
        self.coc.faults.clear()
        self.coc.blind.clear()
        self.coc.frozen = None
        self.clock.at += self.aom.confirm_timeout + self.aom.lag


__all__ = ["Crash", "FragileWorld", "Fuse", "lost"]
