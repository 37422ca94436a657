"""COC's aggregated alarms: the few that exist from the start, ShowAlarm and ClearAlarm. Knows no task."""

from __future__ import annotations

from typing import Any

from reconcile.emulator.credentials import FIXED_DOMAIN_ID, FIXED_REGION
from reconcile.emulator.desk import Desk
from reconcile.emulator.exchange import Answer, Call, Refusal, as_json, read_object
from reconcile.emulator.store import Store

SEEDED_AT = 1_752_485_777_000  # 2025-07-14T09:36:17Z, as the documents' example id says in UTC+8
SEEDS = (  # id, name, importance, status
    ("ALM2025071417361705s6mUUrF", "CPU usage high", "major", "alarming"),
    ("ALM2025071417361806k2Qbw9T", "Host unreachable", "urgent", "alarming"),
    ("ALM2025071417361907xNc4LzP", "Database does not answer", "urgent", "alarming"),
    ("ALM2025071417362008aWv7HyR", "Certificate runs out", "warn", "alarming"),
    ("ALM2025071417362109pJt3GfM", "Memory usage high", "major", "resolved"),
)
_COLUMNS = "id, name, importance, status, region, create_time, update_time, resolved_by, remarks"
_CANCEL = {"alarm_ids": str, "remarks": str, "is_service_interrupt": bool, "start_time": int, "fault_recovery_time": int}


def seed(store: Store) -> None:
    """Put the first alarms in place. Within a transaction."""
    for id, name, importance, status in SEEDS:
        add_alarm(store, id, name=name, importance=importance, status=status, now=SEEDED_AT)


def add_alarm(store: Store, id: str, *, name: str, importance: str, status: str, now: int) -> None:
    """Add an alarm, or set it anew."""
    resolved_by = "system" if status == "resolved" else None
    store.db.execute(
        "INSERT OR REPLACE INTO coc_alarms VALUES (?, ?, ?, ?, ?, ?, ?, ?, '')",
        (id, name, importance, status, FIXED_REGION, now, now, resolved_by),
    )


def find_alarm(id: str, store: Store) -> dict[str, Any]:
    """The alarm. Raises a Refusal with 404."""
    row = store.db.execute(f"SELECT {_COLUMNS} FROM coc_alarms WHERE id = ?", (id,)).fetchone()
    if row is None:
        raise Refusal(404, f"The alarm {id} does not exist.")
    return dict(zip(_COLUMNS.split(", "), row, strict=True))


def resolved_record(alarm: dict[str, Any]) -> dict[str, Any] | None:
    """Who resolved the alarm, and when; None while it is alarming."""
    if alarm["status"] != "resolved":
        return None
    return {"resolved_time": alarm["update_time"], "create_name": alarm["resolved_by"], "remarks": alarm["remarks"]}


def show(call: Call, desk: Desk) -> Answer:
    """`GET /v1/alarm-mgmt/alarm/{alarm_id}`: ShowAlarm."""
    alarm = find_alarm(call.parts["alarm_id"], desk.store)
    count = desk.store.db.execute("SELECT COUNT(*) FROM work_orders WHERE alarm_id = ?", (alarm["id"],)).fetchone()[0]
    owner = desk.credentials.user
    shown = {
        "come_from": "custom", "come_from_en": "custom", "transfer_rule": "TR2025070100000000", "transfer_rule_name": "all",
        "app": "app-1", "owner": owner, "owner_name": owner, "owner_alias": owner, "converge_count": 1 + count,
        "associate_event_id": None, "domain_id": FIXED_DOMAIN_ID, "creator": "system", "creator_name": "system",
        "task_type": None, "associated_task_type": None, "associated_task_id": None, "associated_task_name": None,
    }  # fmt: skip
    del alarm["resolved_by"]
    return as_json(200, {"data": alarm | shown})


def cancel(call: Call, desk: Desk) -> Answer:
    """`POST /v1/alarm-mgmt/alarms/cancel`: resolve alarms; the answer names those that this call resolved."""
    body = read_object(call, "Invalid parameter: the body is no JSON object")
    for name, value in body.items():
        if name not in _CANCEL or (value is not None and type(value) is not _CANCEL[name]):
            raise Refusal(400, f"Invalid parameter: {name}")
    ids = [id for id in (body.get("alarm_ids") or "").split(",") if id]
    if not ids or len(body.get("remarks") or "") > 100:
        raise Refusal(400, "Invalid parameter: alarm_ids or remarks")
    resolved = [
        id for id in dict.fromkeys(ids)
        if desk.store.db.execute(
            "UPDATE coc_alarms SET status = 'resolved', update_time = ?, resolved_by = ?, remarks = ? "
            "WHERE id = ? AND status = 'alarming'",
            (desk.now(), call.caller, body.get("remarks") or "", id),
        ).rowcount
    ]  # fmt: skip
    return as_json(200, {"data": resolved})
