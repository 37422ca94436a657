"""What users declare: alarms, events, handlings. Field names are the keys of the specs (contract section 2).

Durations and instants are whole milliseconds here; the specs floor has already read `5d` and `2026-11-20T08:00:00Z`.
A string may still hold `${secret.env.X}`: see `Declared.secrets`.
"""

from __future__ import annotations

from typing import Any, Literal, TypeAlias

from pydantic import Field

from reconcile.model.base import Value

Severity: TypeAlias = Literal["Critical", "Major", "Minor", "Info"]
TaskType: TypeAlias = Literal["PLAN", "SCRIPT", "RUNBOOK"]
TaskOwner: TypeAlias = Literal["CUSTOMIZATION", "COMMUNAL"]


class Resource(Value):
    """What the alarm is about. Provider, type and id are part of an AOM alarm's identity."""

    provider: str
    type: str
    id: str
    name: str | None = None
    region: str | None = None


class Lifecycle(Value):
    """How the tool treats an alarm. Never sent; a change of it alone sends nothing."""

    protect: bool = False
    ignore_changes: tuple[str, ...] = Field(default=(), strict=False)
    renew_before: int | None = None
    on_external_clear: Literal["report", "accept", "fail"] = "report"


class Event(Value):
    """A one-off AOM event: reported once per content, never cleared."""

    target: str
    name: str
    severity: Severity
    resource: Resource
    message: str
    probable_cause: str | None = None
    fix_suggestion: str | None = None
    url: str | None = None
    starts_at: int | None = None
    enterprise_project_id: str | None = None
    namespace: str | None = None
    application_id: str | None = None
    source: str | None = None
    metadata: dict[str, str] = Field(default_factory=dict)
    annotations: dict[str, Any] = Field(default_factory=dict)
    attach_rule: dict[str, Any] | None = None
    resource_group_id: str | None = None
    additional: dict[str, Any] = Field(default_factory=dict)

    def content(self) -> dict[str, Any]:
        """The resource as plain data: what is digested, kept in the state and shown in a plan. Defaults are left out."""
        return self.model_dump(exclude_defaults=True, mode="json")


class Alarm(Event):
    """A desired active alarm. `timeout` in ms is None only where nothing expires (COC events)."""

    timeout: int | None = None
    lifecycle: Lifecycle = Lifecycle()

    def is_protected(self, *, sticky: bool) -> bool:
        """Whether a clear or replace is refused. Only `protect: false` written out lifts what the state remembers."""
        return self.lifecycle.protect if "protect" in self.lifecycle.model_fields_set else sticky


class Handling(Value):
    """Binds an alarm to an auto-process task. From `task_type` on, the names are the API's own (COC HandlerAlarm, Table 2)."""

    target: str
    alarm: str | None = None  # the full address of the alarm
    alarm_id: str | None = None
    rerun: Literal["occurrence", "change"] = "occurrence"
    on_unknown: Literal["hold", "retrigger"] = "hold"
    task_type: TaskType
    associated_task_id: str
    associated_task_type: TaskOwner
    associated_task_name: str
    associated_task_enterprise_project_id: str | None = None
    runbook_instance_mode: Literal["SAME", "DIFF", "MIXED"] | None = None
    region_id: str | None = None
    input_param: dict[str, Any] = Field(default_factory=dict)
    target_instances: list[dict[str, Any]] | None = None
    sub_task_info: dict[str, Any] | None = None

    def content(self) -> dict[str, Any]:
        """The handling as plain data; an explicit null of the specs stays, since it stands in the request."""
        return self.model_dump(exclude_unset=True, mode="json")

    def task(self) -> dict[str, Any]:
        """The task's own text: what `rerun: change` watches and what the request body is made of."""
        return {k: v for k, v in self.content().items() if k not in NOT_TASK}


NOT_TASK = frozenset({"target", "alarm", "alarm_id", "rerun", "on_unknown"})
AnyResource: TypeAlias = Alarm | Event | Handling
