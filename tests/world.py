"""A world that behaves, in memory: a clock, a store, a server of alarms and tasks. Nothing in it is told what to answer."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from reconcile.errors import Answer, Effect, TargetError
from reconcile.model.base import digest
from reconcile.model.config import DEFAULT_TARGETS, Config
from reconcile.model.desired import Declared, Desired, Forgotten, Moved, Source
from reconcile.model.dialects import DAY
from reconcile.model.facts import fold
from reconcile.model.resources import Alarm, AnyResource, Event, Handling
from reconcile.model.snapshot import Snapshot
from reconcile.ports import CocAlarm, HistoryRow, Lean, LiveAlarm, Progress, Sending, Stamp, TaskStatus, as_listed

NOW = 1_800_000_000_000
CONFIG = Config(stack="shop", targets=DEFAULT_TARGETS)


def alarm(address: str, *, ident: str | None = None, target: str = "aom", **fields: Any) -> Declared:
    """A declared alarm; `ident` is its resource id, by default its name."""
    content: dict[str, Any] = {
        "target": target,
        "name": fields.pop("name", "cpu"),
        "severity": "Major",
        "resource": {"provider": "ecs", "type": "vm", "id": ident or address},
        "message": "busy",
        "timeout": None if target == "coc-events" else 5 * DAY,
        **({"enterprise_project_id": "0"} if target == "aom" else {"namespace": "n", "application_id": "a", "source": "s"}),
    }
    return _declared(address, "alarm", Alarm.model_validate(content | fields))


def event(address: str, **fields: Any) -> Declared:
    """A declared event."""
    content = {
        "target": "aom",
        "name": "deployed",
        "severity": "Info",
        "resource": {"provider": "app", "type": "release", "id": address},
        "message": "out",
        "enterprise_project_id": "0",
    }
    return _declared(address, "event", Event.model_validate(content | fields))


def handling(address: str, **fields: Any) -> Declared:
    """A declared handling of a script."""
    content = {
        "target": "coc",
        "task_type": "SCRIPT",
        "associated_task_id": "SC1",
        "associated_task_type": "CUSTOMIZATION",
        "associated_task_name": "restart",
        "input_param": {"timeout": 300},
    }
    return _declared(address, "handling", Handling.model_validate(content | fields))


def _declared(address: str, kind: Any, resource: AnyResource, secrets: Mapping[str, str] | None = None) -> Declared:
    content = resource.content()
    return Declared(address, kind, resource, content, digest(content), Source("specs/a.yaml", 1), secrets or {})


def with_secret(declared: Declared, path: str, template: str) -> Declared:
    """The declaration with the template at this path noted as one that needs a secret."""
    return Declared(
        declared.address, declared.kind, declared.resource, declared.content, declared.digest, declared.source, {path: template}
    )


def desired(*declared: Declared, moved: Sequence[tuple[str, str]] = (), forget: Sequence[str] = ()) -> Desired:
    """The set of all specs."""
    by_address = {d.address: d for d in sorted(declared, key=lambda d: d.address)}
    moves = tuple(Moved(old, new, Source("specs/a.yaml", 1)) for old, new in moved)
    forgotten = tuple(Forgotten(address, Source("specs/a.yaml", 1)) for address in forget)
    everything = digest([[d.address, d.digest] for d in by_address.values()] + [list(m[:2]) for m in moves] + list(forget))
    return Desired(by_address, moves, forgotten, everything)


@dataclass
class FrozenClock:
    """Time moves only when somebody sleeps, or the test says so."""

    at: int = NOW

    def now(self) -> int:
        return self.at

    async def sleep(self, seconds: float) -> None:
        self.at += int(seconds * 1000)


@dataclass
class MemorySession:
    store: MemoryStore

    @property
    def snapshot(self) -> Snapshot:
        return self.store.read()

    def record(self, facts: Sequence[Any]) -> None:
        if facts:
            fold(list(facts), self.store.resources, self.store.pending)
            self.store.dirty = True
            self.store.facts += facts

    def write(self, facts: Sequence[Any]) -> Callable[[], None]:
        self.record(facts)
        return lambda: None

    def failed(self, error: OSError) -> Exception:
        return error

    def note(self, facts: Sequence[Any]) -> None:
        self.record(facts)

    def announce(self, facts: Iterable[Any]) -> None:
        """Nobody shares this store."""

    def publish(self) -> None:
        self.store.published += 1

    def commit(self, *, stack: str, last_run: Any) -> Snapshot:
        store = self.store
        if store.dirty:
            store.stack, store.lineage, store.last_run = stack, store.lineage or "lineage-1", last_run
            store.serial += 1
            store.dirty = False
        return store.read()


@dataclass
class MemoryStore:
    """A StateStore that forgets everything with the process."""

    where: str = "memory"
    resources: dict[str, Any] = field(default_factory=dict)
    pending: dict[str, Any] = field(default_factory=dict)
    facts: list[Any] = field(default_factory=list)
    stack: str | None = None
    lineage: str | None = None
    serial: int = 0
    last_run: Any = None
    dirty: bool = False
    published: int = 0

    def read(self) -> Snapshot:
        return Snapshot(self.stack, self.lineage, self.serial, dict(self.resources), dict(self.pending), self.last_run, "0")

    @contextmanager
    def session(self, *, operation: str, timeout: float) -> Iterator[MemorySession]:
        yield MemorySession(self)


def refused(status: int, words: str = "no") -> TargetError:
    """A server's no."""
    return TargetError(f"HTTP {status}: {words}", effect=Effect.REFUSED, answer=Answer(status=status, words=words))


def lost() -> TargetError:
    """An answer that never came."""
    return TargetError("no answer", effect=Effect.UNKNOWN)


@dataclass
class AlarmServer:
    """Active alarms, under the hypotheses about what the server takes for the same one. `lag` in ms."""

    clock: FrozenClock
    name: str = "aom"
    readable: bool = True
    identity: str = "core"
    repeat: str = "update"
    clear_by: str = "id"
    lag: int = 0
    listing: bool = True
    batch_size: int = 3
    concurrency: int = 2
    clear_needs_id: bool = True
    clear_without_id: bool = False
    confirm_timeout: int = 10_000
    records: dict[str, dict[str, Any]] = field(default_factory=dict)
    log: list[tuple[str, list[str]]] = field(default_factory=list)
    faults: list[TargetError | None] = field(default_factory=list)
    poison: set[str] = field(default_factory=set)
    lists: int = 0
    _ids: Iterator[int] = field(default_factory=lambda: itertools.count(2**60))
    _seen: list[tuple[int, dict[str, dict[str, Any]]]] = field(default_factory=list)

    def compose(self, resource: Any, *, address: str, starts_at: int, stamp: Stamp | None, alarm_id: str | None) -> Sending:
        metadata = {
            "event_name": resource.name,
            "event_severity": resource.severity,
            "event_type": "alarm" if isinstance(resource, Alarm) else "event",
            "resource_provider": resource.resource.provider,
            "resource_type": resource.resource.type,
            "resource_id": resource.resource.id,
            **resource.metadata,
        }
        if stamp is not None:
            metadata |= {"managed_by": "reconcile", "reconcile_key": stamp.key}
        timeout = getattr(resource, "timeout", None) or DAY
        body = {
            "starts_at": starts_at,
            "timeout": timeout,
            "metadata": metadata,
            "annotations": {
                "message": resource.message,
                **({"url": resource.url} if resource.url else {}),
                **resource.annotations,
            },
            "alarm_id": alarm_id,
        }
        return Sending(address, resource.enterprise_project_id or "0", starts_at, body, metadata if self.readable else {})

    def compose_clear(self, address: str, record: Any, *, ends_at: int) -> Sending:
        body = {"id": record.remote_id, "metadata": record.metadata, "ends_at": ends_at, "alarm_id": record.alarm_id}
        return Sending(address, record.content.get("enterprise_project_id") or "0", ends_at, body, record.metadata)

    async def report(self, batch: Sequence[Sending]) -> None:
        self._answer("report", batch)
        for sending in batch:
            self._report(sending)
        self._after()

    def _answer(self, verb: str, batch: Sequence[Sending]) -> None:
        self.log.append((verb, [sending.address for sending in batch]))
        fault = self.faults.pop(0) if self.faults else None
        if fault is not None:
            raise fault
        if self.poison & {sending.address for sending in batch}:
            raise refused(400, "metadata is invalid")

    def _report(self, sending: Sending) -> None:
        body = dict(sending.body)
        if body["metadata"].get("event_type") == "event":
            return
        same = [i for i, r in self.records.items() if self._same(r, body)]
        fresh = {**body, "arrives_at": self.clock.now()}
        if same and self.repeat == "ignore":
            return
        if same and self.repeat == "update":
            self.records[same[0]] = fresh
        else:
            self.records[str(next(self._ids))] = fresh

    def _same(self, record: Mapping[str, Any], body: Mapping[str, Any]) -> bool:
        if not self.readable:
            return bool(record["alarm_id"] == body["alarm_id"])
        if self.identity == "metadata":
            return bool(record["metadata"] == body["metadata"])
        keys = ("event_name", "resource_provider", "resource_type", "resource_id")
        return all(record["metadata"][k] == body["metadata"][k] for k in keys)

    async def clear(self, batch: Sequence[Sending]) -> None:
        self._answer("clear", batch)
        for sending in batch:
            body = sending.body
            if self.clear_by == "id" and self.readable:
                self.records.pop(str(body["id"]), None)
            else:
                for key in [i for i, r in self.records.items() if self._same(r, body)]:
                    del self.records[key]
        self._after()

    def _after(self) -> None:
        self._seen.append((self.clock.now() + self.lag, {k: dict(v) for k, v in self.records.items()}))

    def active_now(self) -> dict[str, dict[str, Any]]:
        """What is really active."""
        return {i: r for i, r in self.records.items() if not self.readable or r["starts_at"] + r["timeout"] > self.clock.now()}

    async def active(self, *, since: int, stamped: bool = True, lean: Lean = as_listed) -> list[LiveAlarm]:
        self.lists += 1
        if not self.listing:
            raise refused(403, "aom:alarm:list")
        visible: dict[str, dict[str, Any]] = {}
        for at, records in self._seen:
            if at <= self.clock.now():
                visible = records
        return [
            lean(LiveAlarm(i, r["starts_at"], r["timeout"], r["metadata"], r["annotations"], r["arrives_at"]))
            for i, r in sorted(visible.items())
            if r["starts_at"] + r["timeout"] > self.clock.now()
            and r["starts_at"] >= since
            and (not stamped or r["metadata"].get("managed_by") == "reconcile")
        ]

    async def ended(self, *, since: int, stamped: bool = True) -> list[LiveAlarm]:
        return []


@dataclass
class TaskServer:
    """COC alarm management: every POST that arrives is a work order."""

    clock: FrozenClock
    name: str = "coc"
    settle_time: int = 600_000
    rows: dict[str, list[HistoryRow]] = field(default_factory=dict)
    faults: list[tuple[bool, TargetError]] = field(default_factory=list)  # (executed all the same?, what the client sees)
    hidden: bool = False
    posts: list[tuple[str, str]] = field(default_factory=list)
    inputs: list[Mapping[str, Any]] = field(default_factory=list)

    async def histories(self, alarm_id: str) -> list[HistoryRow]:
        return [] if self.hidden else list(self.rows.get(alarm_id, []))

    async def show(self, alarm_id: str) -> CocAlarm | None:
        return CocAlarm(alarm_id, "cpu", "alarming")

    async def follow(self, ticket: str, task_type: str, alarm_id: str) -> TaskStatus:
        return TaskStatus("FINISHED", ended=True, succeeded=True)

    async def trigger(self, alarm_id: str, handling: Handling) -> str:
        executed, fault = self.faults.pop(0) if self.faults else (True, None)
        ticket = f"WO{sum(map(len, self.rows.values())) + 1}"
        if executed:
            row = HistoryRow(ticket, handling.associated_task_id, create_name="me", start_time=self.clock.now())
            self.rows.setdefault(alarm_id, []).append(row)
            self.posts.append((alarm_id, handling.associated_task_id))
            self.inputs.append(handling.input_param)
        if fault is not None:
            raise fault
        return ticket


@dataclass
class Servers:
    alarms: dict[str, AlarmServer]
    tasks: dict[str, TaskServer]
    checked: set[str] = field(default_factory=set)

    def check(self, names: Collection[str]) -> None:
        self.checked |= set(names)


@dataclass
class Diary:
    """An observer that remembers."""

    progress: list[Progress] = field(default_factory=list)
    words: list[str] = field(default_factory=list)
    total: int = 0

    def started(self, total: int) -> None:
        self.total = total

    def progressed(self, progress: Progress) -> None:
        self.progress.append(progress)

    def told(self, text: str) -> None:
        self.words.append(text)


class World:
    """Everything an apply needs, wired together."""

    def __init__(self, config: Config = CONFIG, **hypotheses: Any) -> None:
        self.config = config
        self.clock = FrozenClock()
        self.store = MemoryStore()
        self.aom = AlarmServer(self.clock, **hypotheses)
        self.events = AlarmServer(self.clock, name="coc-events", readable=False, batch_size=1)
        self.coc = TaskServer(self.clock)
        self.servers = Servers({"aom": self.aom, "coc-events": self.events}, {"coc": self.coc})
        self.environ: dict[str, str] = {}
        self.diary = Diary()

    def plan(self, wanted: Desired, **options: Any) -> Any:
        from reconcile import engine
        from reconcile.planner import PlanOptions

        return engine.plan(
            wanted, self.store, self.config, options=PlanOptions(**options), clock=self.clock, environ=self.environ
        )

    def apply(self, wanted: Desired, *, expect: Any = None, halted: Any = lambda: None, **options: Any) -> Any:
        import asyncio

        from reconcile import engine
        from reconcile.planner import PlanOptions

        self.clock.at += 1000
        self.diary = Diary()
        salts = itertools.count()
        how = engine.Applying(
            options=PlanOptions(**options),
            environ=self.environ,
            who="test",
            salt=lambda: f"salt{next(salts)}",
            expect=expect,
            halted=halted,
        )
        return asyncio.run(engine.apply(wanted, self.store, self.config, self.servers, self.clock, self.diary, how))

    def actions(self, wanted: Desired, **options: Any) -> list[tuple[str, str, str]]:
        """(action, address, reason) of every change of the plan, in its order."""
        return [(c.action, c.address, c.reason) for c in self.plan(wanted, **options).changes]
