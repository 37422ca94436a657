"""`POST /v2/{project_id}/events`: ListEvents. Knows SQL and the shape of a record on the wire, nothing of how it came to be.

A page costs what it shows: unsorted, the marker is the number of the last record shown; sorted, it is how many were shown.
"""

from __future__ import annotations

import json
from typing import Any

from reconcile.emulator import records
from reconcile.emulator.desk import Desk
from reconcile.emulator.exchange import Answer, Call, Refusal
from reconcile.emulator.list_rules import Query, Relation, read_query
from reconcile.emulator.store import Store

COLUMNS = "number, eps, starts_at, ends_at, timeout, arrives_at, metadata, annotations, attach_rule"
SORTABLE = {"starts_at": "starts_at", "ends_at": "ends_at", "arrives_at": "arrives_at", "timeout": "timeout", "id": "number"}
# while shadows last, a record is shown as the oldest of them
SHADOWED = f"""(SELECT {COLUMNS}, project, state FROM records WHERE number NOT IN (SELECT number FROM shadows)
    UNION ALL SELECT {COLUMNS}, project, state FROM shadows WHERE hidden = 0
    AND sequence IN (SELECT MIN(sequence) FROM shadows GROUP BY number))"""


def list_events(call: Call, desk: Desk) -> Answer:
    """One page of records, in the order they were filed unless sorted."""
    if not desk.settings.listing:
        raise Refusal(403, "Policy doesn't allow aom:alarm:list to be performed.")
    modern = desk.settings.dialect in ("any", "current")
    query = read_query(call, now=desk.now(), has_header=modern)
    records.sweep(desk.store, desk.now())
    limit = query.limit if desk.settings.page_info else None
    rows = _select(desk.store, query, call.parts["project_id"], desk.settings.range_on, limit)
    shown = rows if limit is None else rows[:limit]
    events = ",".join(_rendered(row, desk.store, modern=modern) for row in shown)
    page = "" if limit is None else f',"page_info":{json.dumps(_page(query, rows, limit))}'
    return Answer(200, f'{{"events":[{events}]{page}}}'.encode(), (("content-type", "application/json"),))


def _page(query: Query, rows: list[tuple[Any, ...]], limit: int) -> dict[str, Any]:
    """The markers; the next one is null on the last page."""
    shown = rows[:limit]
    last = query.marker + len(shown) if query.order_by else (shown[-1][0] if shown else query.marker)
    following = str(last) if len(rows) > limit else None
    return {"current_count": len(shown), "previous_marker": str(query.marker), "next_marker": following}


def _select(store: Store, query: Query, project: str, range_on: str, limit: int | None) -> list[tuple[Any, ...]]:
    """The page's rows and one more, which says whether another page follows."""
    wanted: list[str] = ["project = ?", f"{range_on} >= ?"]
    values: list[Any] = [project, query.since]
    if query.states:
        wanted.append(f"state IN ({', '.join('?' * len(query.states))})")
        values += query.states
    if query.eps is not None:
        wanted.append("eps = ?")
        values.append(query.eps)
    if query.until is not None:
        wanted.append(f"{range_on} <= ?")
        values.append(query.until)
    if query.search:
        wanted.append("EXISTS (SELECT 1 FROM json_each(metadata) WHERE instr(lower(value), ?))")
        values.append(query.search.lower())
    _relate(query.relations, wanted, values)
    if limit is not None and not query.order_by:
        wanted.append("number > ?")
        values.append(query.marker)
    order = _order(query, values)
    bound = "" if limit is None else f" LIMIT {limit + 1}" + (f" OFFSET {query.marker}" if query.order_by else "")
    lagging = store.db.execute("SELECT 1 FROM shadows LIMIT 1").fetchone()
    source = SHADOWED if lagging else "records"
    text = f"SELECT {COLUMNS} FROM {source} WHERE {' AND '.join(wanted)} ORDER BY {order}{bound}"
    return store.db.execute(text, values).fetchall()


def _relate(relations: tuple[Relation, ...], wanted: list[str], values: list[Any]) -> None:
    """AND entries all hold, NOT entries do not, and of the OR entries at least one holds."""
    either: list[tuple[str, list[str]]] = []
    for entry in relations:
        marks = ", ".join("?" * len(entry.values))
        condition = f"EXISTS (SELECT 1 FROM json_each(metadata) WHERE key = ? AND value IN ({marks}))"
        if entry.relation == "OR":
            either.append((condition, [entry.key, *entry.values]))
            continue
        wanted.append(("NOT " if entry.relation == "NOT" else "") + condition)
        values += [entry.key, *entry.values]
    if either:
        wanted.append("(" + " OR ".join(condition for condition, _ in either) + ")")
        values += [value for _, bound in either for value in bound]


def _order(query: Query, values: list[Any]) -> str:
    direction = " DESC" if query.descending else ""
    terms = []
    for name in query.order_by:
        if name in SORTABLE:
            terms.append(SORTABLE[name] + direction)
        else:
            terms.append("(SELECT value FROM json_each(metadata) WHERE key = ?)" + direction)
            values.append(name)
    return ", ".join([*terms, "number" + (direction if terms else "")])


def _rendered(row: tuple[Any, ...], store: Store, *, modern: bool) -> str:
    """A record as JSON; old editions lack what the current one added."""
    number, eps, starts_at, ends_at, timeout, arrives_at, metadata, annotations, attach_rule = row
    text = (
        f'{{"id":"{records.id_of(number)}","starts_at":{starts_at},"ends_at":{ends_at},"timeout":{timeout},'
        f'"metadata":{metadata},"annotations":{store.unveil(annotations)},"attach_rule":{attach_rule}'
    )
    if not modern:
        return text + "}"
    serial = f"{number:019d}"
    return f'{text},"event_sn":"{serial}","arrives_at":{arrives_at},"enterprise_project_id":{json.dumps(eps)},"policy":{{}}}}'
