"""COC alarm management, where tasks are started."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from reconcile.model.live import CocAlarm
from reconcile.model.resources import Handling


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
