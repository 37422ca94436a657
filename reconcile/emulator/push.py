"""`PUT /v2/{project_id}/push/events`: report and clear, under whichever hypothesis is set. Knows no listing."""

from __future__ import annotations

import re
from fnmatch import fnmatchcase

from reconcile.emulator import records
from reconcile.emulator.desk import Desk
from reconcile.emulator.exchange import Answer, Call, Refusal, as_json
from reconcile.emulator.push_rules import METADATA, RULES, Pushed, read_push
from reconcile.emulator.records import Filed

_PROJECT = re.compile(r"[A-Za-z0-9_-]{1,64}")


def push(call: Call, desk: Desk) -> Answer:
    """Report, or clear with `action=clear`; any other action reports. One bad event refuses the whole batch."""
    rules = RULES[desk.settings.dialect]
    if call.method == "POST" and not rules.post:
        raise Refusal(405, "Method not allowed", "APIGW.0106")
    clearing = call.asked("action") == "clear"
    events = read_push(call, rules, clearing=clearing)
    _check_batch(events, desk)
    now = desk.now()
    records.sweep(desk.store, now)
    project, eps = _owner(call, desk)
    expiry_from = desk.settings.expiry_from
    filed = [records.file(event, project, eps, now=now, expiry_from=expiry_from, store=desk.store) for event in events]
    if clearing:
        _clear(filed, events, desk)
    else:
        _report(filed, desk)
    if rules.success == 204 and call.method == "PUT":
        return Answer(204)
    return as_json(200, {"error_code": "AOM.0200", "error_msg": "success", "error_type": None})


def _check_batch(events: list[Pushed], desk: Desk) -> None:
    if desk.settings.max_batch and len(events) > desk.settings.max_batch:
        raise Refusal(413, f"more than {desk.settings.max_batch} events")
    for glob in desk.settings.refuse:
        if any(fnmatchcase(event.metadata["resource_id"], glob) for event in events):
            raise Refusal(400, METADATA)


def _owner(call: Call, desk: Desk) -> tuple[str, str]:
    """Project and enterprise project of the batch."""
    project = call.parts["project_id"]
    if not _PROJECT.fullmatch(project):
        raise Refusal(400, "project_id is invalid")
    has_header = desk.settings.dialect in ("any", "current")
    eps = (call.header("enterprise-project-id") if has_header else None) or "0"
    if eps == "all_granted_eps" or not _PROJECT.fullmatch(eps):
        raise Refusal(400, "enterprise-project-id is invalid")
    return project, eps


def _report(filed: list[Filed], desk: Desk) -> None:
    """File every event; a report of an active alarm does what `repeat` says, within one batch too."""
    settings, store = desk.settings, desk.store
    until = desk.now() + round(settings.lag * 1000) if settings.lag else None
    alarms = [record for record in filed if record.state == "active"]
    active = {} if settings.repeat == "second" else records.active_by_key(store, alarms, settings.identity)
    number = records.next_number(store)
    fresh: dict[int, Filed] = {}
    renewed: dict[int, Filed] = {}
    for record in filed:
        key = record.key(settings.identity)
        known = active.get(key) if record.state == "active" and settings.repeat != "second" else None
        if known is None:
            fresh[number] = record
            active[key] = number
            number += 1
        elif settings.repeat == "update":
            (fresh if known in fresh else renewed)[known] = record
    records.insert(store, fresh, until)
    records.update(store, renewed, until)


def _clear(filed: list[Filed], events: list[Pushed], desk: Desk) -> None:
    """End the active records meant, by id or by what identifies them."""
    settings, store = desk.settings, desk.store
    until = desk.now() + round(settings.lag * 1000) if settings.lag else None
    by_id = settings.clear_by == "id"
    keyed = [record for record, event in zip(filed, events, strict=True) if not (by_id and event.id)]
    active = records.all_active_by_key(store, keyed, settings.identity)
    for record, event in zip(filed, events, strict=True):
        if by_id and event.id:
            numbers = records.active_by_id(store, event.id, record.project)
        else:
            numbers = active.pop(record.key(settings.identity), [])
        if not numbers and settings.unknown_clear == "refuse":
            raise Refusal(400, "the alarm to clear does not exist")
        records.end(store, numbers, event.ends_at, until)
