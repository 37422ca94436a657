"""COC tasks: auto-process, its work orders, handle-histories, executions and script orders. Every call is one more work order."""

from __future__ import annotations

import json
import re
import secrets
from datetime import UTC, datetime
from typing import Any

from reconcile.emulator.coc_alarms import find_alarm, resolved_record
from reconcile.emulator.desk import Desk
from reconcile.emulator.exchange import Answer, Call, Refusal, as_json, dense, read_object
from reconcile.emulator.store import Store
from reconcile.emulator.task_rules import check_task

# by task type: while it runs, when it went well, when it did not
WORDS = {
    "SCRIPT": ("PROCESSING", "FINISHED", "ABNORMAL"),
    "RUNBOOK": ("Running", "Succeed", "Failed"),
    "PLAN": ("Running", "Succeed", "Failed"),
}
_COLUMNS = "id, alarm_id, task_type, task_id, task_name, sub_task, create_name, start_time, end_time, outcome"


def auto_process(call: Call, desk: Desk) -> Answer:
    """Start a task and answer its work order. Not idempotent, as the document has it."""
    alarm = find_alarm(call.parts["alarm_id"], desk.store)
    body = read_object(call, "Invalid parameter: the body is no JSON object")
    check_task(body)
    order = open_order(desk, alarm["id"], body, create_name=call.caller, start_time=desk.now())
    return as_json(200, {"errorCode": "200", "errorMsg": "Success", "data": order})


def open_order(desk: Desk, alarm_id: str, body: dict[str, Any], *, create_name: str, start_time: int) -> str:
    """File a work order that began at `start_time`, and return its id."""
    instant = datetime.fromtimestamp(start_time / 1000, UTC).strftime("%Y%m%d%H%M%S")
    cursor = desk.store.db.execute(
        f"INSERT INTO work_orders ({_COLUMNS}) VALUES (NULL, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (alarm_id, body["task_type"], body["associated_task_id"], body["associated_task_name"], dense(body.get("sub_task_info")),
         create_name, start_time, start_time + round(desk.settings.task_seconds * 1000), desk.settings.task_outcome),
    )  # fmt: skip
    order = f"RBT{instant}{cursor.lastrowid:05d}{secrets.token_hex(2)}"
    desk.store.db.execute("UPDATE work_orders SET id = ? WHERE number = ?", (order, cursor.lastrowid))
    return order


def histories(call: Call, desk: Desk) -> Answer:
    """`GET …/handle-histories?offset&limit`: the work orders of an alarm, newest first."""
    alarm = find_alarm(call.parts["alarm_id"], desk.store)
    offset, limit = _bound(call, "offset", 0, 2**31), _bound(call, "limit", 1, 100)
    seen = desk.now() - round(desk.settings.history_lag * 1000)
    where = "FROM work_orders WHERE alarm_id = ? AND start_time <= ?"
    count = desk.store.db.execute(f"SELECT COUNT(*) {where}", (alarm["id"], seen)).fetchone()[0]
    rows = desk.store.db.execute(
        f"SELECT {_COLUMNS} {where} ORDER BY number DESC LIMIT ? OFFSET ?",
        (alarm["id"], seen, limit, offset),
    )
    shown = [_history(_order(row), desk.now()) for row in rows.fetchall()]
    return as_json(200, {"count": count, "alarm_handle_histories": shown, "resolved_record": resolved_record(alarm)})


def execution(call: Call, desk: Desk) -> Answer:
    """`GET /v1/executions/{execution_id}`: how a runbook's work order stands."""
    order = _find(desk.store, call.parts["execution_id"], "RUNBOOK")
    body = {"execution_id": order["id"], "document_id": order["task_id"], "document_name": order["task_name"]}
    return as_json(200, {"error_code": "COC.00000000", "error_msg": "success", "data": body | _standing(order, desk.now())})


def script_order(call: Call, desk: Desk) -> Answer:
    """`GET /v1/job/script/orders/{execute_uuid}`: how a script's work order stands."""
    order = _find(desk.store, call.parts["execute_uuid"], "SCRIPT")
    body = {"execute_uuid": order["id"], "script_uuid": order["task_id"], "order_name": order["task_name"]}
    return as_json(200, {"data": body | _standing(order, desk.now())})


def trigger_counts(store: Store) -> list[dict[str, Any]]:
    """How often each task ran for each alarm: what crash tests compare with."""
    rows = store.db.execute(
        "SELECT alarm_id, task_id, COUNT(*), json_group_array(id) FROM (SELECT * FROM work_orders ORDER BY number) "
        "GROUP BY alarm_id, task_id ORDER BY alarm_id, task_id"
    )
    names = ("alarm_id", "task_id", "count")
    return [dict(zip(names, row[:3], strict=True)) | {"work_orders": json.loads(row[3])} for row in rows.fetchall()]


def _order(row: tuple[Any, ...]) -> dict[str, Any]:
    return dict(zip(_COLUMNS.split(", "), row, strict=True))


def _find(store: Store, order_id: str, task_type: str) -> dict[str, Any]:
    text = f"SELECT {_COLUMNS} FROM work_orders WHERE id = ? AND task_type = ?"
    row = store.db.execute(text, (order_id, task_type)).fetchone()
    if row is None:
        raise Refusal(404, "The work order does not exist.")
    return _order(row)


def _standing(order: dict[str, Any], now: int) -> dict[str, Any]:
    """Status and times, as of now."""
    running, well, badly = WORDS[order["task_type"]]
    done = now >= order["end_time"]
    status = (well if order["outcome"] == "succeed" else badly) if done else running
    return {
        "status": status,
        "creator": order["create_name"],
        "start_time": order["start_time"],
        "end_time": order["end_time"] if done else None,
    }


def _history(order: dict[str, Any], now: int) -> dict[str, Any]:
    standing = _standing(order, now)
    ended = standing["end_time"]
    return {
        "work_order_id": order["id"],
        "create_name": order["create_name"],
        "create_alias": order["create_name"],
        "task_type": order["task_type"],
        "start_time": order["start_time"],
        "end_time": ended,
        "duration": None if ended is None else ended - order["start_time"],
        "status": standing["status"],
        "associated_task_id": order["task_id"],
        "associated_task_name": order["task_name"],
        "sub_task_info": json.loads(order["sub_task"]),
    }


def _bound(call: Call, name: str, least: int, most: int) -> int:
    text = call.asked(name) or ""
    if not re.fullmatch(r"\d{1,10}", text, re.ASCII) or not least <= int(text) <= most:
        raise Refusal(400, f"Invalid parameter: {name}")
    return int(text)
