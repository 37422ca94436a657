"""ListEvents: every page of the active alarms, filtered by the server and checked again here.

What the server may do wrong without harm: repeat a marker, forget `page_info`, ignore a filter, send an id as a number.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from reconcile.errors import Effect
from reconcile.ports import Lean, LiveAlarm, as_listed
from reconcile.targets.http.errors import WireError, unusable
from reconcile.targets.http.wire import Request, Response, Wire

PAGE = 1000
POINTS_MAX = 1440  # minutes * 60 / step in seconds must not exceed it
SHORTEST_WINDOW = 60  # minutes
SKEW_MINUTES = 10  # the window is counted by the server's clock
STAMP_FILTER = {"key": "managed_by", "relation": "AND", "value": ["reconcile"]}


def window(since: int, now: int) -> tuple[str, int]:
    """(`time_range` that reaches from `since` to now, `step` in ms that keeps the rule of 1,440 points)."""
    minutes = max(SHORTEST_WINDOW, -(-(now - since) // 60_000) + SKEW_MINUTES)
    step = max(60, -(-minutes * 60 // POINTS_MAX))
    return f"-1.-1.{minutes}", step * 1000


async def list_alarms(
    wire: Wire,
    project_id: str,
    *,
    since: int,
    now: int,
    stamped: bool,
    all_projects: bool,
    active: bool = True,
    lean: Lean = as_listed,
) -> list[LiveAlarm]:
    """All active alarms, or all of the history, by id, in the server's order."""
    time_range, step = window(since, now)
    body: dict[str, Any] = {"time_range": time_range, "step": step}
    if stamped:
        body["metadata_relation"] = [STAMP_FILTER]
    headers = {"Enterprise-Project-Id": "all_granted_eps"} if all_projects else {}
    found: dict[str, LiveAlarm] = {}
    seen: set[str] = set()
    marker: str | None = "0"
    while marker is not None and marker not in seen:
        seen.add(marker)
        request = _request(project_id, "active_alert" if active else "history_alert", marker, headers, body)
        response = await wire.send(request)
        rows = _rows(request, response)
        alarms = [alarm for alarm in map(live_alarm, rows) if alarm is not None]
        new = [alarm for alarm in alarms if alarm.id not in found]
        found.update((alarm.id, lean(alarm)) for alarm in new)
        marker = _next(response.json) if rows else None
        if marker in seen and len(rows) >= PAGE and new:
            raise WireError("ListEvents repeats a marker before its end: the list is not whole", effect=Effect.UNKNOWN)
    return [alarm for alarm in found.values() if is_wanted(alarm, stamped=stamped, active=active)]


def is_wanted(alarm: LiveAlarm, *, stamped: bool, active: bool = True) -> bool:
    """Whether a listed record is an active alarm (or one of the history), and, where asked for, stamped."""
    wanted = (not active or alarm.ends_at == 0) and alarm.metadata.get("event_type", "alarm") == "alarm"
    return wanted and (not stamped or alarm.metadata.get("managed_by") == "reconcile")


def live_alarm(row: Any) -> LiveAlarm | None:
    """One row of the list; None for what is no alarm record at all."""
    metadata = row.get("metadata") if isinstance(row, dict) else None
    if not isinstance(metadata, dict) or row.get("id") in (None, ""):
        return None
    annotations = row.get("annotations")
    project = row.get("enterprise_project_id")
    return LiveAlarm(
        id=str(row["id"]),
        starts_at=_integer(row.get("starts_at")) or 0,
        timeout=_integer(row.get("timeout")),
        metadata=_texts(metadata),
        annotations=annotations if isinstance(annotations, dict) else {},
        arrives_at=_integer(row.get("arrives_at")),
        ends_at=_integer(row.get("ends_at")) or 0,
        enterprise_project_id=None if project in (None, "") else str(project),
    )


def _texts(metadata: dict[str, Any]) -> dict[str, str]:
    if all(isinstance(value, str) for value in metadata.values()):
        return metadata
    return {key: value if isinstance(value, str) else str(value) for key, value in metadata.items()}


def _request(project_id: str, kind: str, marker: str, headers: Mapping[str, str], body: Mapping[str, Any]) -> Request:
    return Request(
        "POST",
        ("v2", project_id, "events"),
        label="ListEvents",
        params=(("type", kind), ("limit", str(PAGE)), ("marker", marker)),
        headers=headers,
        body=body,
        repeatable=True,
        permission="aom:alarm:list",
    )


def _rows(request: Request, response: Response) -> list[Any]:
    rows = response.json.get("events") if isinstance(response.json, dict) else None
    if rows is None and isinstance(response.json, dict) and ("events" in response.json or "page_info" in response.json):
        return []
    if not isinstance(rows, list):
        raise unusable(request, response.status, response.headers, "the body holds no list of events", where="ListEvents")
    return rows


def _next(body: Any) -> str | None:
    page = body.get("page_info")
    marker = page.get("next_marker") if isinstance(page, dict) else None
    return None if marker in (None, "") else str(marker)


def _integer(value: Any) -> int | None:
    if isinstance(value, str) and value.lstrip("-").isdigit():
        return int(value)
    return int(value) if isinstance(value, int | float) and not isinstance(value, bool) else None
