"""COC alarm management: start an auto-process task, read an alarm, its histories and the status of a work order."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from reconcile.errors import TargetError
from reconcile.model.config import Target
from reconcile.model.resources import Handling
from reconcile.ports import CocAlarm, HistoryRow, TaskStatus
from reconcile.targets.coc_answers import insist, read
from reconcile.targets.coc_body import auto_process_body
from reconcile.targets.http.errors import unusable
from reconcile.targets.http.wire import Request, Wire

PAGE = 100
SUCCEEDED = frozenset({"SUCCEED", "SUCCEEDED", "SUCCESS", "FINISHED"})
ENDED_BADLY = frozenset({"FAILED", "FAIL", "TIMEOUT", "CANCELED", "CANCELLED", "ABNORMAL", "ROLLBACKED", "ERROR"})
ABSENT = frozenset({400, 404})  # what an unknown id may be answered with
STATUS_CALLS: Mapping[str, tuple[str, ...]] = {"RUNBOOK": ("v1", "executions"), "SCRIPT": ("v1", "job", "script", "orders")}
OWN_FIELDS = ("id", "name", "status", "owner")


class CocTarget:
    """One COC site."""

    def __init__(self, target: Target, wire: Wire) -> None:
        self.name = target.name
        self.settle_time = target.settle_time
        self._where = f"target `{target.name}`"
        self._wire = wire

    async def trigger(self, alarm_id: str, handling: Handling) -> str:
        """Start the task and return its work order. A success without one is an error with unknown effect."""
        request = Request(
            "POST",
            (*_alarm(alarm_id), "auto-process"),
            label="HandlerAlarm",
            body=auto_process_body(handling),
            repeatable=False,
            permission="coc:instance:executeDocument",
        )
        response = await self._wire.send(request)
        ticket = insist(request, response, where=self._where).get("data")
        if not isinstance(ticket, str) or not ticket.strip():
            raise unusable(request, response.status, response.headers, "without a work order", where=self._where)
        return ticket.strip()

    async def histories(self, alarm_id: str) -> list[HistoryRow]:
        """Every row of every page, each work order once."""
        rows: dict[str, HistoryRow] = {}
        offset = 0
        while True:
            page, count = await self._histories_page(alarm_id, offset)
            new = [row for row in map(history_row, page) if row is not None and row.work_order_id not in rows]
            rows.update((row.work_order_id, row) for row in new)
            offset += len(page)
            if not new or (len(page) < PAGE and offset >= count):
                return list(rows.values())

    async def show(self, alarm_id: str) -> CocAlarm | None:
        """The alarm, or None where the server does not know it."""
        request = Request("GET", _alarm(alarm_id), label="ShowAlarm", repeatable=True, permission="coc:alarm:get")
        try:
            told = read(request, await self._wire.send(request), where=self._where).get("data")
        except TargetError as error:
            if error.answer.status in ABSENT:
                return None
            raise
        if not isinstance(told, dict) or not told:
            return None
        extra = {key: value for key, value in told.items() if key not in OWN_FIELDS}
        owner = _text(told.get("owner_name")) or _text(told.get("owner"))
        return CocAlarm(_text(told.get("id")) or alarm_id, _text(told.get("name")), _text(told.get("status")), owner, extra)

    async def follow(self, ticket: str, task_type: str, alarm_id: str) -> TaskStatus:
        """How a work order stands: by the call of its task type, else by its row in the histories."""
        word = await self._status_word(ticket, task_type)
        if word is None:
            row = next((row for row in await self.histories(alarm_id) if row.work_order_id == ticket), None)
            word = row.status if row else None
        known = (word or "").upper()
        return TaskStatus(word, ended=known in SUCCEEDED | ENDED_BADLY, succeeded=known in SUCCEEDED)

    async def _status_word(self, ticket: str, task_type: str) -> str | None:
        path = STATUS_CALLS.get(task_type)
        if path is None:
            return None
        label = "ShowExecution" if task_type == "RUNBOOK" else "ListScriptOrders"
        request = Request("GET", (*path, ticket), label=label, repeatable=True)
        try:
            told = read(request, await self._wire.send(request), where=self._where).get("data")
        except TargetError as error:
            if error.answer.status in ABSENT | {403}:
                return None
            raise
        return _text(told.get("status")) if isinstance(told, dict) else None

    async def _histories_page(self, alarm_id: str, offset: int) -> tuple[list[Any], int]:
        """(rows, how many there are in all, as far as the server tells)."""
        request = Request(
            "GET",
            (*_alarm(alarm_id), "handle-histories"),
            label="ListAlarmHandleHistories",
            params=(("offset", str(offset)), ("limit", str(PAGE))),
            repeatable=True,
            permission="coc:alarm:listHandleHistories",
        )
        response = await self._wire.send(request)
        body = read(request, response, where=self._where)
        rows, count = body.get("alarm_handle_histories"), _integer(body.get("count"))
        if rows is None and count == 0:
            rows = []
        if not isinstance(rows, list):
            raise unusable(request, response.status, response.headers, "the body holds no histories", where=self._where)
        return rows, count or 0


def history_row(row: Any) -> HistoryRow | None:
    """One row; None for what names no work order."""
    ticket = _text(row.get("work_order_id")) if isinstance(row, dict) else None
    if not ticket:
        return None
    return HistoryRow(
        work_order_id=ticket,
        task_id=_text(row.get("associated_task_id")),
        task_name=_text(row.get("associated_task_name")),
        create_name=_text(row.get("create_name")),
        start_time=_integer(row.get("start_time")),
        end_time=_integer(row.get("end_time")),
        status=_text(row.get("status")),
    )


def _alarm(alarm_id: str) -> tuple[str, ...]:
    return ("v1", "alarm-mgmt", "alarm", alarm_id)


def _text(value: Any) -> str | None:
    return None if value is None or isinstance(value, dict | list) else str(value)


def _integer(value: Any) -> int | None:
    if isinstance(value, str) and value.isdigit():
        return int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) else None
