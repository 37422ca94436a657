"""A place where alarms are reported and cleared."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeAlias

from reconcile.model.address import Address
from reconcile.model.live import LiveAlarm
from reconcile.model.resources import Alarm, Event
from reconcile.model.snapshot import RecordedAlarm


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


Lean: TypeAlias = Callable[[LiveAlarm], LiveAlarm]


def as_listed(alarm: LiveAlarm) -> LiveAlarm:
    """The record as it was listed."""
    return alarm


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

    async def active(self, *, since: int, stamped: bool = True, lean: Lean = as_listed) -> list[LiveAlarm]:
        """All active alarms that started since (ms), every page; only stamped ones unless `stamped` is False. Of each, what
        `lean` makes of it is kept while the next pages come in.

        Raises TargetError with status 403 where listing is not granted.
        """
        ...

    async def ended(self, *, since: int, stamped: bool = True) -> list[LiveAlarm]:
        """Alarms that were cleared or expired since (ms), as far as the server keeps a history."""
        ...
