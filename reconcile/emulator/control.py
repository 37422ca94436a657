"""`/_emulator/…`: what no API tells. The request log, the counts, the clock, the settings; for tests and for the curious.

GET  /_emulator/log[?since=SEQ]   every request to an API, oldest first
GET  /_emulator/triggers          how often each task ran for each alarm
GET  /_emulator/alarms[?state=active|cleared|expired|event]   the records as they are, whatever lag or rights hide
GET  /_emulator/coc-events        the custom alarms, as last reported
GET  /_emulator/settings          POST: change some, e.g. {"repeat": "second", "faults": ["PUT:*:503@1"]}
POST /_emulator/clock             {"shift_ms": N} moves the server's time by N more
POST /_emulator/coc-alarms        {"id": …} adds an aggregated alarm, or sets it anew (name, importance, status)
POST /_emulator/work-orders       a work order of somebody else: {"alarm_id", "task_id", "create_name", …}
POST /_emulator/reset             everything as it was at the start, the log included
"""

from __future__ import annotations

import json
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from reconcile.emulator import records
from reconcile.emulator.coc_alarms import add_alarm
from reconcile.emulator.coc_events import known_events
from reconcile.emulator.desk import Desk, log_rows
from reconcile.emulator.settings import changed, shown
from reconcile.emulator.tasks import open_order, trigger_counts

_RECORD = "number, project, eps, state, starts_at, ends_at, timeout, arrives_at, expires_at, metadata, annotations"


def _desk(request: Request) -> Desk:
    desk: Desk = request.app.state.desk
    return desk


async def _log(request: Request) -> JSONResponse:
    since = request.query_params.get("since", "0")
    return JSONResponse(log_rows(_desk(request).store, int(since) if since.isdigit() else 0))


async def _triggers(request: Request) -> JSONResponse:
    return JSONResponse(trigger_counts(_desk(request).store))


async def _coc_events(request: Request) -> JSONResponse:
    return JSONResponse(known_events(_desk(request).store))


async def _alarms(request: Request) -> JSONResponse:
    store = _desk(request).store
    with store.transaction():
        records.sweep(store, store.now())
    rows = store.db.execute(
        f"SELECT {_RECORD} FROM records WHERE state = COALESCE(?, state) ORDER BY number",
        (request.query_params.get("state"),),
    ).fetchall()
    found = [dict(zip(_RECORD.split(", "), row, strict=True)) for row in rows]
    for row in found:
        row["id"] = records.id_of(row.pop("number"))
        row["metadata"], row["annotations"] = json.loads(row["metadata"]), json.loads(store.unveil(row["annotations"]))
    return JSONResponse(found)


async def _settings(request: Request) -> JSONResponse:
    desk = _desk(request)
    if request.method == "POST":
        try:
            desk.behave(changed(desk.settings, await _object(request)))
        except (ValueError, TypeError, AttributeError) as error:
            return JSONResponse({"error_msg": str(error)}, status_code=400)
    return JSONResponse(shown(desk.settings))


async def _clock(request: Request) -> JSONResponse:
    shift = (await _object(request)).get("shift_ms")
    if type(shift) is not int:
        return JSONResponse({"error_msg": "shift_ms must be a whole number"}, status_code=400)
    store = _desk(request).store
    with store.transaction():
        store.keep("clock_shift", int(store.kept("clock_shift") or 0) + shift)
    return JSONResponse({"now": store.now(), "shift_ms": store.kept("clock_shift")})


async def _coc_alarm(request: Request) -> JSONResponse:
    wanted = await _object(request)
    store = _desk(request).store
    if not isinstance(wanted.get("id"), str):
        return JSONResponse({"error_msg": "id is missing"}, status_code=400)
    shape = {"name": "added", "importance": "major", "status": "alarming"}
    shape |= {name: str(wanted[name]) for name in shape if name in wanted}
    with store.transaction():
        add_alarm(store, wanted["id"], now=store.now(), **shape)
    return JSONResponse({"id": wanted["id"]})


async def _work_order(request: Request) -> JSONResponse:
    wanted = await _object(request)
    desk = _desk(request)
    if not all(isinstance(wanted.get(name), str) for name in ("alarm_id", "task_id", "create_name")):
        return JSONResponse({"error_msg": "alarm_id, task_id and create_name must be given"}, status_code=400)
    body = {
        "task_type": wanted.get("task_type", "SCRIPT"),
        "associated_task_id": wanted["task_id"],
        "associated_task_name": wanted.get("task_name", wanted["task_id"]),
    }
    start = int(wanted.get("start_time", desk.now()))
    with desk.store.transaction():
        order = open_order(desk, wanted["alarm_id"], body, create_name=wanted["create_name"], start_time=start)
    return JSONResponse({"work_order_id": order})


async def _reset(request: Request) -> JSONResponse:
    desk = _desk(request)
    with desk.store.transaction():
        desk.store.empty()
    desk.behave(desk.initial)
    return JSONResponse(shown(desk.settings))


async def _object(request: Request) -> dict[str, Any]:
    """The body as an object; anything else counts as an empty one."""
    try:
        value = json.loads(await request.body())
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}


ROUTES = [
    Route("/_emulator/log", _log),
    Route("/_emulator/triggers", _triggers),
    Route("/_emulator/alarms", _alarms),
    Route("/_emulator/coc-events", _coc_events),
    Route("/_emulator/settings", _settings, methods=["GET", "POST"]),
    Route("/_emulator/clock", _clock, methods=["POST"]),
    Route("/_emulator/coc-alarms", _coc_alarm, methods=["POST"]),
    Route("/_emulator/work-orders", _work_order, methods=["POST"]),
    Route("/_emulator/reset", _reset, methods=["POST"]),
]
