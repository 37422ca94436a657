"""The changes as the page's script reads them: every text once in a pool, rows as numbers. Knows no layout."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from reconcile.model.instants import instant_ms
from reconcile.model.rows import Row
from reconcile.model.template import put_at
from reconcile.views.change_text import expiry_words
from reconcile.views.inert import inert
from reconcile.views.layout import look_of
from reconcile.views.markup import Markup
from reconcile.views.units import rough
from reconcile.views.values import SECRET, flat, value_text

Fact = tuple[str, str]
Field = tuple[str, str | None, str | None]


class _Pool:
    """Each text once, by number; None is -1."""

    def __init__(self) -> None:
        self.numbers: dict[Any, int] = {}

    def __call__(self, item: Any) -> int:
        return -1 if item is None else self.numbers.setdefault(item, len(self.numbers))


def embedded(changes: Iterable[Row], *, as_of: int) -> Markup:
    """JSON that nothing in it can end early: `<`, `>` and `&` are escapes, as is everything beyond ASCII."""
    texts, shapes = _Pool(), _Pool()
    actions: dict[str, int] = {}
    rows = []
    for row in changes:
        action = actions.setdefault(inert(row["action"]), len(actions))
        fields = list(fields_of(row))
        shape = shapes(tuple(texts(path) for path, _, _ in fields))
        head = [action, *(texts(inert(text)) for text in (row["address"], row["target"], row["reason"], place_of(row)))]
        facts = [texts(text) for fact in facts_of(row, as_of) for text in fact]
        rows.append([*head, facts, shape, [texts(value) for _, *pair in fields for value in pair]])
    page = {
        "actions": [[name, look_of(name).symbol] for name in actions],
        "texts": list(texts.numbers),
        "shapes": list(shapes.numbers),
        "rows": rows,
    }
    text = json.dumps(page, separators=(",", ":"))
    return Markup(text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026"))


def place_of(row: Row) -> str:
    """`specs/web.yaml:3`, or nothing."""
    source = row.get("source")
    return f"{source['file']}:{source['line']}" if source else ""


def fields_of(row: Row) -> Iterator[Field]:
    """Every field before and after; None where it is absent. A changed secret differs in words only."""
    paths = row.get("secret_paths", ())
    before, after = (_fields(row[side], paths) for side in ("before", "after"))
    changed = [item["path"] for item in row["diff"] if SECRET in (item["before"], item["after"])]
    for path in [*after, *(path for path in before if path not in after)]:
        old, new = before.get(path), after.get(path)
        if old == new and (told := [name for name in changed if _is_within(name, path)]):
            new = f"{new} ({SECRET} changed)"
            changed = [name for name in changed if name not in told]
        yield inert(path), old, new
    yield from ((inert(path), SECRET, f"{SECRET} changed") for path in changed)


def _is_within(path: str, outer: str) -> bool:
    return path == outer or path.startswith((outer + ".", outer + "["))


def _fields(content: Mapping[str, Any] | None, secrets: Iterable[str]) -> dict[str, str]:
    for path in secrets if content else ():
        content = _masked(content or {}, path)
    return {path: value_text(path, value) for path, value in flat(content or {})}


def _masked(content: Mapping[str, Any], path: str) -> Mapping[str, Any]:
    try:
        return dict(put_at(content, path, SECRET))
    except (KeyError, IndexError, TypeError, ValueError):
        return content


def facts_of(row: Row, as_of: int) -> Iterator[Fact]:
    """What else there is to know of a change, in words."""
    if row.get("note"):
        yield "because", inert(row["note"])
    if row.get("moved_from"):
        yield "moved from", inert(row["moved_from"])
    if row.get("since"):
        yield "active", f"reported {rough(as_of - instant_ms(row['since']))} ago"
    if row.get("expires_at"):
        yield "expires", expiry_words(instant_ms(row["expires_at"]), as_of)
    yield from _task_facts(row)
    if row["action"] == "replace":
        order = ("clear the old one", "report the new one")
        first, then = order if row.get("clear_first") else order[::-1]
        yield "identity", f"differs: {first}, then {then}; may notify again"
    if not row.get("sends", True):
        yield "sent", "nothing; only the state changes"


def _task_facts(row: Row) -> Iterator[Fact]:
    if row["action"] != "trigger":
        return
    if row.get("depends_on"):
        yield "after", inert(f"{row['depends_on']} was reported")
    run = row.get("last_run")
    yield "last run", "never" if run is None else inert(f"{run['at']}, {run['outcome']}, ticket {run['ticket'] or 'unknown'}")
