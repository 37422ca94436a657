"""COC custom events: one event a request, to an integration key. Nothing can be read back.

What a clear repeats is kept as the record's metadata: the flat fields as they were sent, never `additional`,
which may hold secrets.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from reconcile.model.address import Address
from reconcile.model.config import Target
from reconcile.model.resources import Alarm, Event
from reconcile.model.snapshot import RecordedAlarm
from reconcile.ports import Lean, LiveAlarm, Sending, Stamp, as_listed
from reconcile.targets.coc_answers import insist
from reconcile.targets.http.wire import Masked, Request, Wire
from reconcile.targets.settings import Settings

GROUP = "0"


class CocEventsTarget:
    """One custom-event integration."""

    readable = False
    batch_size = 1
    clear_needs_id = False
    clear_without_id = False

    def __init__(self, settings: Settings, wire: Wire) -> None:
        target: Target = settings.target
        self.name = target.name
        self.concurrency = target.concurrency
        self.confirm_timeout = target.confirm_timeout
        self._settings = settings
        self._wire = wire

    def compose(
        self, resource: Alarm | Event, *, address: Address, starts_at: int, stamp: Stamp | None, alarm_id: str | None
    ) -> Sending:
        """Build the event that raises this alarm."""
        flat = {"alarmId": alarm_id or "", **self._flat(resource)}
        hints = {"probable_cause": resource.probable_cause, "fix_suggestion": resource.fix_suggestion}
        additional = {**{key: value for key, value in hints.items() if value is not None}, **resource.additional}
        body = {**flat, "time": starts_at, "alarmStatus": "alarm", "additional": additional}
        return Sending(address, GROUP, starts_at, body, flat)

    def compose_clear(self, address: Address, record: RecordedAlarm, *, ends_at: int) -> Sending:
        """Build the event that restores this alarm: the same alarmId with status ok."""
        flat = {**record.metadata, "alarmId": record.alarm_id or record.metadata.get("alarmId", "")}
        body = {**flat, "time": ends_at, "alarmStatus": "ok", "additional": {}}
        return Sending(address, GROUP, record.reported_at, body, record.metadata)

    async def report(self, batch: Sequence[Sending]) -> None:
        """Raise the alarms, one request each."""
        for sending in batch:
            await self._send(sending)

    async def clear(self, batch: Sequence[Sending]) -> None:
        """Restore the alarms, one request each."""
        for sending in batch:
            await self._send(sending)

    async def active(self, *, since: int, stamped: bool = True, lean: Lean = as_listed) -> list[LiveAlarm]:
        """Nothing: no such call exists, and `readable` says so."""
        return []

    async def ended(self, *, since: int, stamped: bool = True) -> list[LiveAlarm]:
        """Nothing: no such call exists."""
        return []

    async def _send(self, sending: Sending) -> None:
        request = Request(
            "POST",
            ("v1", "event", "huawei", "custom", Masked(self._settings.integration_key)),
            label="ReportCustomEvent",
            body=sending.body,
            repeatable=True,
        )
        insist(request, await self._wire.send(request), where=f"target `{self.name}`")

    def _flat(self, resource: Event) -> dict[str, str]:
        """The text fields, in the document's order; what is absent here and in the target is left out."""
        about, settings = resource.resource, self._settings
        fields: dict[str, Any] = {
            "alarmName": resource.name,
            "alarmLevel": resource.severity,
            "nameSpace": resource.namespace or settings.namespace,
            "regionId": about.region,
            "applicationId": resource.application_id or settings.application_id,
            "resourceName": about.name,
            "resourceId": about.id,
            "alarmDesc": resource.message,
            "URL": resource.url,
            "alarmSource": resource.source or settings.source,
        }
        return {name: value for name, value in fields.items() if value is not None}
