"""The nested parts of a handling (COC, Handling Alarms, Tables 3 and 4). Only for checking: nothing is rewritten."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from reconcile.model.base import Value
from reconcile.model.resources import TaskOwner, TaskType


class ScheduleInstance(Value):
    """One step's targets. `target_instances` is a string holding JSON, or the list or mapping it would hold."""

    target_selection: Literal["ALL", "MANUAL", "NONE"]
    order_no: int = Field(ge=0)
    batch_strategy: Literal["AUTO_BATCH", "MANUAL_BATCH", "NONE"] | None = None
    target_instances: str | list[Any] | dict[str, Any] | None = None
    sub_target_instances: list[ScheduleInstance] | None = Field(default=None, max_length=10_000)


class SubTask(Value):
    """The sub task of a contingency plan."""

    sub_task_type: TaskType | None = None
    sub_associated_task_id: str | None = Field(default=None, max_length=100)
    sub_associated_task_name: str | None = Field(default=None, max_length=255)
    sub_associated_task_type: TaskOwner | None = None
