"""`POST /v1/event/huawei/custom/{integration_key}`: custom events (COC, Integration Management). Knows no aggregated alarm:
those come from conversion rules, for which there is no API.
"""

from __future__ import annotations

import json
from hashlib import sha256
from typing import Any

from reconcile.emulator.desk import Desk
from reconcile.emulator.exchange import Answer, Call, Refusal, as_json, dense, read_object
from reconcile.emulator.store import Store

REQUIRED = ("alarmName", "alarmId", "alarmLevel", "time", "nameSpace", "applicationId", "alarmDesc", "alarmSource")
OPTIONAL = ("regionId", "resourceName", "resourceId", "URL", "alarmStatus")
LEVELS = ("Critical", "Major", "Minor", "Info")
STATUSES = ("alarm", "ok")
TEXT_MAX = 255


def report(call: Call, desk: Desk) -> Answer:
    """Take one event; every broken rule is named, joined by bars."""
    body = read_object(call, "request body is invalid")
    problems = _problems(body)
    if problems:
        raise Refusal(400, " | ".join(problems))
    key = sha256(call.parts["integration_key"].encode()).hexdigest()
    desk.store.db.execute(
        "INSERT INTO coc_events VALUES (?, ?, ?, ?, ?, ?, 1, ?) ON CONFLICT DO UPDATE SET name = excluded.name, "
        "level = excluded.level, status = excluded.status, time = excluded.time, reports = reports + 1, body = excluded.body",
        (key, body["alarmId"], body["alarmName"], body["alarmLevel"], body.get("alarmStatus") or "alarm", body["time"],
         desk.store.veil(dense(body))),
    )  # fmt: skip
    return as_json(200, {"error_code": "COC.00000000", "error_msg": "success", "data": None, "provider_code": "049"})


def _problems(body: dict[str, Any]) -> list[str]:
    problems = [f"{name} must not be null" for name in REQUIRED if body.get(name) is None]
    given = {name: value for name, value in body.items() if value is not None}
    for name, value in given.items():
        problems += _wrong(name, value)
    if "alarmLevel" in given and given["alarmLevel"] not in LEVELS:
        problems.append(f"alarmLevel must be one of {', '.join(LEVELS)}")
    if given.get("alarmStatus", "") not in ("", *STATUSES):
        problems.append("alarmStatus must be alarm or ok")
    return problems


def _wrong(name: str, value: Any) -> list[str]:
    """What is wrong with one field that is not null."""
    if name == "time":
        return [] if type(value) is int and 1 <= value < 2**63 else ["time must be a long from 1 up"]
    if name == "additional":
        return [] if isinstance(value, dict) else ["additional must be an object"]
    if name not in REQUIRED and name not in OPTIONAL:
        return [f"{name} is not a known field"]
    least = 1 if name in REQUIRED else 0
    if type(value) is not str:
        return [f"{name} must be a string"]
    return [] if least <= len(value) <= TEXT_MAX else [f"{name} size must be between {least} and {TEXT_MAX}"]


def known_events(store: Store) -> list[dict[str, Any]]:
    """Every custom alarm by its id, as last reported, and how often it was: for tests, no API tells it."""
    rows = store.db.execute("SELECT alarm_id, status, reports, body FROM coc_events ORDER BY alarm_id, key_digest").fetchall()
    return [
        {"alarmId": alarm_id, "status": status, "reports": reports, "body": json.loads(store.unveil(body))}
        for alarm_id, status, reports, body in rows
    ]
