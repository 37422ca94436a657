"""AOM alarms: PushEvents in its three dialects and ListEvents for the read-back. Builds bodies, reads lists; the wire sends.

The differences of the dialects are data of the model; what an alarm is called on the wire is here and nowhere else.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from reconcile.model.address import Address
from reconcile.model.config import Target
from reconcile.model.resources import Alarm, Event
from reconcile.model.snapshot import RecordedAlarm
from reconcile.ports import Lean, LiveAlarm, Sending, Stamp, as_listed
from reconcile.targets.aom_list import list_alarms
from reconcile.targets.http.wire import Params, Request, Wire

DEFAULT_PROJECT = "0"
CLEAR: Params = (("action", "clear"),)
ACCEPTED = frozenset({200, 204})


class AomTarget:
    """One AOM project. `project_id` is asked for when the first request leaves, since it may have to be looked up."""

    readable = True

    def __init__(self, target: Target, wire: Wire, *, project_id: Callable[[], Awaitable[str]], now: Callable[[], int]) -> None:
        self.name = target.name
        self.batch_size = target.batch_size
        self.concurrency = target.concurrency
        self.confirm_timeout = target.confirm_timeout
        self.clear_needs_id = target.rules.clear_needs_id
        self.clear_without_id = target.clear_without_id
        self._target = target
        self._rules = target.rules
        self._wire = wire
        self._project_id = project_id
        self._now = now

    def compose(
        self, resource: Alarm | Event, *, address: Address, starts_at: int, stamp: Stamp | None, alarm_id: str | None
    ) -> Sending:
        """Build the event that reports this resource; `timeout` is always in it."""
        metadata = _metadata(resource, stamp if self._target.stamp else None)
        timeout = resource.timeout if isinstance(resource, Alarm) else None
        body: dict[str, Any] = {
            "starts_at": starts_at,
            "timeout": self._rules.default_timeout if timeout is None else timeout,
            "metadata": metadata,
            "annotations": _annotations(resource),
        }
        if self._rules.attach_rule and resource.attach_rule is not None:
            body["attach_rule"] = resource.attach_rule
        if self._rules.resource_group_id and resource.resource_group_id is not None:
            body["resource_group_id"] = resource.resource_group_id
        return Sending(address, self._group(resource.enterprise_project_id), starts_at, body, metadata)

    def compose_clear(self, address: Address, record: RecordedAlarm, *, ends_at: int) -> Sending:
        """Build the event that clears this record: its metadata as it was sent, and its id where the dialect has one."""
        body: dict[str, Any] = {"ends_at": max(ends_at, record.reported_at), "metadata": dict(record.metadata)}
        if self._rules.clear_needs_id and record.remote_id:
            body["id"] = record.remote_id
        group = self._group(record.content.get("enterprise_project_id"))
        return Sending(address, group, record.reported_at, body, record.metadata)

    async def report(self, batch: Sequence[Sending]) -> None:
        """Report a batch; no body comes back."""
        await self._push(batch, ())

    async def clear(self, batch: Sequence[Sending]) -> None:
        """Clear a batch. Any other spelling of the action would report, so the request is checked as it will leave."""
        await self._push(batch, CLEAR)

    async def active(self, *, since: int, stamped: bool = True, lean: Lean = as_listed) -> list[LiveAlarm]:
        """All active alarms that started since, every page."""
        project = await self._project_id()
        return await list_alarms(
            self._wire,
            project,
            since=since,
            now=self._now(),
            stamped=stamped,
            all_projects=self._rules.enterprise_project_header,
            lean=lean,
        )

    async def ended(self, *, since: int, stamped: bool = True) -> list[LiveAlarm]:
        """Alarms of the history: cleared or expired since, every page."""
        project = await self._project_id()
        return await list_alarms(
            self._wire,
            project,
            since=since,
            now=self._now(),
            stamped=stamped,
            all_projects=self._rules.enterprise_project_header,
            active=False,
        )

    async def _push(self, batch: Sequence[Sending], params: Params) -> None:
        if not batch:
            return
        path = ("v2", await self._project_id(), "push", "events")
        request = Request(
            self._target.method if self._rules.post_allowed else "PUT",
            path,
            label="PushEvents (clear)" if params else "PushEvents",
            params=params,
            headers=self._headers(batch[0].group),
            body={"events": [sending.body for sending in batch]},
            repeatable=True,
            accepted=ACCEPTED,
            expects_json=False,
            permission="aom:alarm:put",
        )
        if (params == CLEAR) is not request.target().endswith("/push/events?action=clear"):
            raise AssertionError("a clear must say so on the wire, and nothing else may")
        await self._wire.send(request)

    def _group(self, enterprise_project_id: str | None) -> str:
        return (enterprise_project_id or DEFAULT_PROJECT) if self._rules.enterprise_project_header else DEFAULT_PROJECT

    def _headers(self, group: str) -> dict[str, str]:
        return {"enterprise-project-id": group} if self._rules.enterprise_project_header else {}


def _metadata(resource: Event, stamp: Stamp | None) -> dict[str, str]:
    about = resource.resource
    metadata = {
        "event_name": resource.name,
        "event_severity": resource.severity,
        "event_type": "alarm" if isinstance(resource, Alarm) else "event",
        "resource_provider": about.provider,
        "resource_type": about.type,
        "resource_id": about.id,
        **_given(resource_name=about.name, region=about.region),
        **resource.metadata,
    }
    if stamp is not None:
        metadata |= {"managed_by": "reconcile", "reconcile_key": stamp.key}
    return metadata


def _annotations(resource: Event) -> dict[str, Any]:
    annotations: dict[str, Any] = _given(
        alarm_probableCause_zh_cn=resource.probable_cause,
        alarm_fix_suggestion_zh_cn=resource.fix_suggestion,
        message=resource.message,
        url=resource.url,
    )
    annotations.update(resource.annotations)
    return annotations


def _given(**fields: str | None) -> dict[str, str]:
    return {name: value for name, value in fields.items() if value is not None}
