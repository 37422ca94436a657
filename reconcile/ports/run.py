"""What a run is surrounded by: time, the configured targets, and whoever is told what happens."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Protocol

from reconcile.model.address import Address
from reconcile.ports.alarms import AlarmTarget
from reconcile.ports.tasks import TaskTarget


class Clock(Protocol):
    """Time as the run sees it."""

    def now(self) -> int:
        """Milliseconds since the epoch, UTC."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Wait; cancellable."""
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
