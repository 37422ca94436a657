"""A plan with every kind of change, hostile text among them, and the pieces to build others."""

from __future__ import annotations

from typing import Any

from reconcile.model.base import digest
from reconcile.model.change import (
    Adopt,
    Change,
    Clear,
    Defer,
    Difference,
    Drift,
    Forget,
    Move,
    Renew,
    Replace,
    Report,
    Trigger,
    Update,
    Violation,
)
from reconcile.model.desired import Declared, Source
from reconcile.model.plan import Plan
from reconcile.model.resources import Alarm, Event, Handling, Resource
from reconcile.model.snapshot import Intent, RecordedAlarm, RecordedEvent, RecordedHandling, Run

AS_OF = 1_795_161_600_000  # 2026-11-20T08:00:00Z
HOUR, DAY = 3_600_000, 86_400_000
HOSTILE = "\x1b]0;owned\x07 \u202egnp.exe \x9b2J \r\nPlan: 0 to report. \ud800 \u200b"


def alarm(**changes: Any) -> Alarm:
    """A declared alarm."""
    fields: dict[str, Any] = {
        "target": "aom",
        "name": "CPU usage high",
        "severity": "Major",
        "resource": Resource(provider="ecs", type="vm", id="ecs-123"),
        "message": "CPU above 90 % for 5 minutes",
        "timeout": 5 * DAY,
    }
    return Alarm(**(fields | changes))


def handling(**changes: Any) -> Handling:
    """A declared handling."""
    fields: dict[str, Any] = {
        "target": "coc",
        "alarm": "alarm.web-1-cpu-high",
        "alarm_id": "ALM2025071417361705s6mUUrF",
        "task_type": "SCRIPT",
        "associated_task_id": "SC2025071006154101b779eb7",
        "associated_task_type": "CUSTOMIZATION",
        "associated_task_name": "restart-agent",
        "input_param": {
            "execute_user": "root",
            "script_params": [{"paramName": "token", "paramValue": "${secret.env.AGENT_TOKEN}"}],
        },
    }
    return Handling(**(fields | changes))


def declared(address: str, resource: Alarm | Event | Handling, line: int = 3, **changes: Any) -> Declared:
    """A resource as the specs give it."""
    content = resource.content()
    kind = address.partition(".")[0]
    source = Source("specs/web.yaml", line)
    return Declared(address, kind, resource, content, digest(content), source, **changes)  # type: ignore[arg-type]


def recorded(resource: Alarm, **changes: Any) -> RecordedAlarm:
    """An alarm as the state keeps it, reported three days and four hours before."""
    content = resource.content()
    fields: dict[str, Any] = {
        "target": resource.target,
        "digest": digest(content),
        "content": content,
        "occurrence": "oc-1",
        "starts_at": AS_OF - 3 * DAY - 4 * HOUR,
        "reported_at": AS_OF - 3 * DAY - 4 * HOUR,
        "expires_at": AS_OF + 22 * 60_000,
        "confirmation": "confirmed",
        "remote_id": "7311982749327412340",
    }
    return RecordedAlarm(**(fields | changes))


def run(**changes: Any) -> Run:
    """A start of a task."""
    fields: dict[str, Any] = {
        "occurrence": "oc-0",
        "alarm_id": "ALM2025071417361705s6mUUrF",
        "task_id": "SC2025071006154101b779eb7",
        "task_digest": "sha256:0",
        "at": AS_OF - DAY,
        "outcome": "started",
        "ticket": "WO-17",
    }
    return Run(**(fields | changes))


def recorded_handling(*runs: Run) -> RecordedHandling:
    """A handling as the state keeps it."""
    content = handling().content()
    return RecordedHandling(target="coc", digest=digest(content), content=content, runs=runs)


def base(address: str, reason: str, target: str = "aom", **changes: Any) -> dict[str, Any]:
    """What every change has."""
    return {"address": address, "kind": address.partition(".")[0], "target": target, "reason": reason} | changes


def all_changes() -> tuple[Change, ...]:
    """One change of every action, and the variants that look different."""
    old, worse = (
        alarm(),
        alarm(severity="Critical", message="CPU above 95 % for 5 minutes and nobody has looked at it since the morning"),
    )
    disk = 'alarm.disk-full["/var/lib/postgresql/data"]'
    event = Event(target="aom", name="deployed", severity="Info", resource=old.resource, message=HOSTILE)
    secrets = {"input_param.script_params[0].paramValue": "${secret.env.AGENT_TOKEN}"}
    severity = Difference("severity", "Major", "Critical")
    worded = (
        severity,
        Difference("message", old.message, worse.message),
        Difference("annotations.token", "(secret)", "(secret)"),
    )
    return (
        Move(**base("alarm.api", "moved", moved_from="alarm.api-old"), before=recorded(old), after=declared("alarm.api", old)),
        Adopt(**base("alarm.found", "stamp"), after=declared("alarm.found", old, 60), record=recorded(old)),
        Forget(**base("alarm.handed-over", "forget"), before=recorded(old)),
        Report(**base("alarm.web-2-cpu-high", "new"), after=declared("alarm.web-2-cpu-high", alarm(timeout=45 * 60_000), 14)),
        Report(**base("alarm.web-3-cpu-high", "expired"), after=declared("alarm.web-3-cpu-high", old, 25), before=recorded(old)),
        Report(**base("event.deployed", "new"), after=declared("event.deployed", event, 40)),
        Update(
            **base("alarm.web-1-cpu-high", "changed"),
            after=declared("alarm.web-1-cpu-high", worse),
            before=recorded(old),
            diff=worded,
        ),
        Update(
            **base("alarm.web-4-cpu-high", "lifecycle"),
            after=declared("alarm.web-4-cpu-high", old, 33),
            before=recorded(old),
            diff=(Difference("lifecycle.renew_before", DAY, 12 * HOUR + 30 * 60_000),),
            sends=False,
        ),
        Renew(**base("alarm.queue-lag", "expires soon"), after=declared("alarm.queue-lag", old, 51), before=recorded(old)),
        Replace(
            **base(disk, "identity"),
            after=declared(disk, alarm(resource=Resource(provider="ecs", type="vm", id="ecs-124")), 8),
            before=recorded(old),
            diff=(Difference("resource.id", "ecs-123", "ecs-124"),),
        ),
        Trigger(
            **base("handling.web-1-restart", "new", "coc"),
            after=declared("handling.web-1-restart", handling(), 70, secrets=secrets),
            before=recorded_handling(run()),
            after_alarm="alarm.web-1-cpu-high",
        ),
        Defer(
            **base("handling.db-plan", "no alarm_id", "coc", note="set `alarm_id`: no API finds the COC alarm"),
            after=declared("handling.db-plan", handling(alarm_id=None), 90),
        ),
        Clear(**base('alarm.gone["a b"]', "removed"), before=recorded(old)),
    )


def plan_of(*changes: Change, **fields: Any) -> Plan:
    """A plan of these changes."""
    head: dict[str, Any] = {
        "as_of": AS_OF,
        "stack": "payments-prod",
        "lineage": "0b7c9f0e",
        "serial": 41,
        "spec_digest": "sha256:1f",
        "unchanged": 209,
    }
    return Plan(changes=changes, **(head | fields))


def full_plan() -> Plan:
    """A plan with everything in it."""
    intent = Intent(
        id="in-1",
        op="trigger",
        address='handling.disk["a b"]',
        at=AS_OF - HOUR + 250,
        target="coc",
        phase="unknown",
        why=HOSTILE,
        run=run(outcome="unknown", ticket=None),
        baseline=("WO-1",),
    )
    return plan_of(
        *all_changes(),
        left_out=3,
        notes=("`alarm.web-2-cpu-high`: `starts_at` lies too far back, so the time of sending is used", HOSTILE),
        violations=(
            Violation(
                "protect", "`lifecycle.protect` forbids to clear it", "reconcile state unprotect ADDRESS", 'alarm.gone["a b"]'
            ),
            Violation("clears", "5 of 12 alarms would be cleared (41 %), the limit is 30 %", "--allow clears=5"),
        ),
        drift=(
            Drift("alarm.queue-lag", "missing", "aom", "cleared outside at 07:41"),
            Drift(None, "orphan", "aom", HOSTILE, remote_id="9"),
        ),
        pending=(intent,),
    )


def recorded_event() -> RecordedEvent:
    """An event as the state keeps it."""
    content = {"target": "aom", "name": "deployed", "severity": "Info", "message": HOSTILE}
    return RecordedEvent(target="aom", digest=digest(content), content=content, reported_at=AS_OF)
