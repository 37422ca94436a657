"""What the verbs need, as small Protocols with their promises in prose. Adapters fulfil them, `cli` connects them."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Any, Protocol

from reconcile.model.address import Address
from reconcile.model.live import CocAlarm, LiveAlarm
from reconcile.model.resources import Alarm, Event, Handling
from reconcile.model.snapshot import Drop, LastRun, Opened, Put, RecordedAlarm, Settled, Snapshot

AnyFact = Put | Drop | Opened | Settled
__all__ = [
    "AlarmTarget",
    "AnyFact",
    "Clock",
    "CocAlarm",
    "HistoryRow",
    "LiveAlarm",
    "Observer",
    "Progress",
    "Sending",
    "Stamp",
    "StateSession",
    "StateStore",
    "Targets",
    "TaskStatus",
    "TaskTarget",
]


class Clock(Protocol):
    """Time as the run sees it."""

    def now(self) -> int:
        """Milliseconds since the epoch, UTC."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Wait; cancellable."""
        ...


# -- alarms --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Sending:
    """One event ready for the wire. `body` may hold secrets: it is never stored, logged or shown.

    `group` is what may share a request (the enterprise project). `metadata` is what the state keeps, byte for byte.
    """

    address: Address
    group: str
    starts_at: int
    body: Mapping[str, Any] = field(repr=False)
    metadata: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Stamp:
    """The metadata that says an alarm is ours: `managed_by=reconcile`, `reconcile_key=key`."""

    key: str


class AlarmTarget(Protocol):
    """A place where alarms are reported and cleared.

    `report` and `clear` send one request for the whole batch, all of one group; they return when the server accepted
    it and raise TargetError otherwise. An adapter neither retries nor splits. `readable` is False where no read-back exists.
    `clear_needs_id` is the dialect's rule; `clear_without_id` the user's word that a clear may go without one.
    `confirm_timeout` is in ms.
    """

    name: str
    readable: bool
    batch_size: int
    concurrency: int
    clear_needs_id: bool
    clear_without_id: bool
    confirm_timeout: int

    def compose(
        self, resource: Alarm | Event, *, address: Address, starts_at: int, stamp: Stamp | None, alarm_id: str | None
    ) -> Sending:
        """Build the event that reports this resource. Pure. Secrets are already filled in."""
        ...

    def compose_clear(self, address: Address, record: RecordedAlarm, *, ends_at: int) -> Sending:
        """Build the event that clears this record, replaying its stored metadata. Pure."""
        ...

    async def report(self, batch: Sequence[Sending]) -> None:
        """Report a batch: a report of the same metadata again is harmless."""
        ...

    async def clear(self, batch: Sequence[Sending]) -> None:
        """Clear a batch. What is no longer active may count as cleared."""
        ...

    async def active(self, *, since: int, stamped: bool = True) -> list[LiveAlarm]:
        """All active alarms that started since (ms), every page; only stamped ones unless `stamped` is False.

        Raises TargetError with status 403 where listing is not granted.
        """
        ...

    async def ended(self, *, since: int, stamped: bool = True) -> list[LiveAlarm]:
        """Alarms that were cleared or expired since (ms), as far as the server keeps a history."""
        ...


# -- tasks ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class HistoryRow:
    """One row of an alarm's handle-histories."""

    work_order_id: str
    task_id: str | None
    task_name: str | None = None
    create_name: str | None = None
    start_time: int | None = None
    end_time: int | None = None
    status: str | None = None


@dataclass(frozen=True, slots=True)
class TaskStatus:
    """How a work order stands. `word` is the server's own; only words we know mean that it ended, or that it went well."""

    word: str | None
    ended: bool = False
    succeeded: bool = False


class TaskTarget(Protocol):
    """COC alarm management: starts auto-process tasks. `trigger` is not idempotent."""

    name: str
    settle_time: int

    async def histories(self, alarm_id: str) -> list[HistoryRow]:
        """Every row of every page."""
        ...

    async def show(self, alarm_id: str) -> CocAlarm | None:
        """The alarm, or None where the server does not know it."""
        ...

    async def trigger(self, alarm_id: str, handling: Handling) -> str:
        """Start the task once and return its work order. Secrets are already filled in.

        Raises TargetError; its `effect` decides whether it may be sent again (contract section 6). Never resends by itself
        but after a connect error, a 401 (once) or a 429.
        """
        ...

    async def follow(self, ticket: str, task_type: str, alarm_id: str) -> TaskStatus:
        """How a work order stands now."""
        ...


# -- state ---------------------------------------------------------------------------------------------------------


class StateSession(Protocol):
    """The state under its lock."""

    @property
    def snapshot(self) -> Snapshot:
        """The state with every recorded fact folded in. Cheap to call; valid until the next `record`."""
        ...

    def record(self, facts: Sequence[AnyFact]) -> None:
        """Make facts durable on this machine before returning. All or none of a call survives a crash."""
        ...

    def publish(self) -> None:
        """Make what was recorded durable in the backend itself: once per wave of triggers, before the first POST."""
        ...

    def commit(self, *, stack: str, last_run: LastRun) -> Snapshot:
        """Write the state with serial + 1 and empty the journal; nothing at all is written when nothing was recorded."""
        ...


class StateStore(Protocol):
    """Where a snapshot is kept. `read` takes no lock and changes nothing."""

    @property
    def where(self) -> str:
        """The place, for people."""
        ...

    def read(self) -> Snapshot:
        """The snapshot, journal folded in; an empty one (lineage None) when there is no state. Raises StateUnusable."""
        ...

    def session(self, *, operation: str, timeout: float) -> AbstractContextManager[StateSession]:
        """Take the lock, waiting at most `timeout` seconds. Raises StateLocked with who, since when, where."""
        ...


# -- what is told while it happens -----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Progress:
    """One step of an apply that ended. `outcome`: done | failed | unknown | skipped | unconfirmed."""

    address: Address
    action: str
    outcome: str
    detail: str = ""
    hint: str | None = None


class Observer(Protocol):
    """Is told what happens; never decides anything."""

    def started(self, total: int) -> None:
        """An apply begins; so many steps are to come."""
        ...

    def progressed(self, progress: Progress) -> None:
        """One step ended."""
        ...

    def told(self, text: str) -> None:
        """A sentence for people: waiting for a confirmation, a retry, a warning."""
        ...


class Targets(Protocol):
    """The configured targets by name, opened when first used."""

    @property
    def alarms(self) -> Mapping[str, AlarmTarget]:
        """Targets of type aom and coc-events."""
        ...

    @property
    def tasks(self) -> Mapping[str, TaskTarget]:
        """Targets of type coc."""
        ...

    def check(self, names: Collection[str]) -> None:
        """Resolve all of these now. Raises exit 10 naming target and variable, before anything is sent."""
        ...
