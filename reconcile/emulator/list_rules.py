"""What ListEvents allows in a query, read into one value. Pure.

The documents bound a query by minutes * 60 / step <= 1440 (step in seconds) and do not say what holds without a step: here a step
of one minute is taken, so that a window of more than a day needs one. The relation of several values in one entry is "any of".
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from reconcile.emulator.exchange import Call, Refusal, read_object

BAD = "param error"
DEFAULT_STEP = 60_000
MAX_POINTS = 1440
MAX_LIMIT = 1000
FIELDS = frozenset({"time_range", "step", "search", "sort", "metadata_relation"})
_RANGE = re.compile(r"(-1|\d{1,15})\.(-1|\d{1,15})\.(\d{1,9})")
_STATES: Mapping[str, tuple[str, ...]] = {"active_alert": ("active",), "history_alert": ("cleared", "expired")}


@dataclass(frozen=True, slots=True)
class Relation:
    """One entry of metadata_relation."""

    key: str
    values: tuple[str, ...]
    relation: str


@dataclass(frozen=True, slots=True)
class Query:
    """What is asked for. `eps` None is all enterprise projects, `until` None is no upper bound, `states` empty is all."""

    states: tuple[str, ...]
    limit: int
    marker: int
    eps: str | None
    since: int
    until: int | None
    search: str
    order_by: tuple[str, ...]
    descending: bool
    relations: tuple[Relation, ...]


def read_query(call: Call, *, now: int, has_header: bool) -> Query:
    """The query of a ListEvents request. Raises a Refusal with 400."""
    body = read_object(call, BAD)
    if not body.keys() <= FIELDS:
        raise Refusal(400, BAD)
    eps = (call.header("enterprise-project-id") if has_header else "all_granted_eps") or "0"
    since, until = _window(body, now)
    order_by, descending = _sort(body.get("sort"))
    return Query(
        states=_STATES.get(call.asked("type") or "", ()),
        limit=_whole(call, "limit", MAX_LIMIT, least=1, most=MAX_LIMIT),
        marker=_whole(call, "marker", 0, least=0, most=2**62),
        eps=None if eps == "all_granted_eps" else eps,
        since=since,
        until=until,
        search=_text(body.get("search")),
        order_by=order_by,
        descending=descending,
        relations=tuple(_relation(entry) for entry in _list(body.get("metadata_relation"))),
    )


def _whole(call: Call, name: str, default: int, *, least: int, most: int) -> int:
    text = call.asked(name)
    if text is None or text == "":
        return default
    if not re.fullmatch(r"\d{1,19}", text, re.ASCII) or not least <= int(text) <= most:
        raise Refusal(400, f"{name} is invalid")
    return int(text)


def _window(body: dict[str, Any], now: int) -> tuple[int, int | None]:
    """From when and until when (ms); an end of "now" is left open."""
    shape = _RANGE.fullmatch(body["time_range"]) if isinstance(body.get("time_range"), str) else None
    if shape is None:
        raise Refusal(400, "time_range is invalid")
    start, end, minutes = (int(part) for part in shape.groups())
    step = body.get("step", DEFAULT_STEP)
    if type(step) is not int or step <= 0 or minutes <= 0:
        raise Refusal(400, "time_range or step is invalid")
    if minutes * 60_000 > MAX_POINTS * step:
        raise Refusal(400, "time_range is invalid: durationInMinutes*60/period must not exceed 1440")
    if start >= 0 and end >= 0:
        if end < start or minutes < (end - start) / 60_000 - 1:
            raise Refusal(400, "time_range is invalid: the duration is shorter than the range")
        return start, end
    if start >= 0:
        return start, min(start + minutes * 60_000, now) if start + minutes * 60_000 < now else None
    return (end if end >= 0 else now) - minutes * 60_000, end if end >= 0 else None


def _sort(sort: Any) -> tuple[tuple[str, ...], bool]:
    if sort is None:
        return (), False
    if not isinstance(sort, dict) or not sort.keys() <= {"order_by", "order"} or sort.get("order", "asc") not in ("asc", "desc"):
        raise Refusal(400, BAD)
    names = _list(sort.get("order_by"))
    if not names or not all(isinstance(name, str) and name for name in names):
        raise Refusal(400, "order_by is invalid")
    return tuple(names), sort.get("order") == "desc"


def _relation(entry: Any) -> Relation:
    if not isinstance(entry, dict) or not entry.keys() <= {"key", "value", "relation"}:
        raise Refusal(400, BAD)
    key, values, relation = entry.get("key"), _list(entry.get("value")), entry.get("relation", "AND")
    if not isinstance(key, str) or not key or relation not in ("AND", "OR", "NOT"):
        raise Refusal(400, "metadata_relation is invalid")
    if not values or not all(isinstance(value, str) for value in values):
        raise Refusal(400, "metadata_relation is invalid")
    return Relation(key, tuple(values), relation)


def _list(value: Any) -> list[Any]:
    if value is None:
        return []
    if not isinstance(value, list):
        raise Refusal(400, BAD)
    return value


def _text(value: Any) -> str:
    if value is not None and not isinstance(value, str):
        raise Refusal(400, BAD)
    return value or ""
