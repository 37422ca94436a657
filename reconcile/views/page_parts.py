"""The sections of the page that need no script: head, alerts, drift, notes, and the tables beside the drawings."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from reconcile.model.rows import Row
from reconcile.views.graph import Graph
from reconcile.views.graph_svg import MOST_EDGES, graph_svg
from reconcile.views.markup import Markup, tag
from reconcile.views.plan_summary import summary_line
from reconcile.views.plan_text import resolve_command
from reconcile.views.timeline import Span
from reconcile.views.timeline_svg import MOST_LANES, timeline_svg, words
from reconcile.views.units import counted

MOST_ROWS = 500


def heading(document: Mapping[str, Any]) -> Iterator[Markup]:
    """What plan it is, and in one sentence what it does."""
    what = "Destroy plan for the stack" if document.get("destroy") else "Plan for the stack"
    yield tag("h1", tag("small", what), document["stack"] or "(unnamed)")
    yield tag("p", summary_line(document["summary"], destroy=document.get("destroy", False)), class_="lead")
    state = document["state"]
    facts = {
        "State": "none yet" if state.get("lineage") is None else f"serial {state.get('serial', 0):,}",
        "As of": document["as_of"],
        "Plan": document["plan_id"].removeprefix("sha256:")[:12],
        "Covers": "everything" if document["complete"] else "a part",
        "Made by": f"reconcile {document['tool_version']}",
    }
    rows = [tag("div", tag("dt", name), tag("dd", tag("span", text, class_="mono"))) for name, text in facts.items()]
    yield tag("dl", *rows, class_="facts")


def section(name: str, title: str, *body: str) -> Markup:
    """A landmark with a heading."""
    return tag("section", tag("h2", title, id=f"h-{name}"), *body, class_="card", id=name, aria_labelledby=f"h-{name}")


def alerts(document: Mapping[str, Any]) -> Iterator[Markup]:
    """Why it is refused, what has no answer yet, what is left out."""
    violations, pending, left_out = document.get("violations", []), document["pending"], document.get("left_out", 0)
    if violations:
        title = f"Refused: {counted(len(violations), 'reason')} why this plan will not be applied"
        yield _alert("refused", title, [_violation(row) for row in violations])
    if pending:
        title = f"Unknown: {counted(len(pending), 'operation')} without an answer"
        yield _alert("unknown", title, [_unanswered(row) for row in pending])
    if left_out:
        text = f"{counted(left_out, 'resource')} left out by the options given."
        yield _alert("partial", "This plan is partial", [tag("li", text)])


def _alert(name: str, title: str, items: Sequence[Markup]) -> Markup:
    body = tag("ul", *items[:MOST_ROWS])
    head = tag("h2", title, id=f"h-{name}")
    return tag("section", head, body, *_cut(len(items)), class_=f"card alert {name}", aria_labelledby=f"h-{name}")


def _cut(total: int, most: int = MOST_ROWS) -> list[Markup]:
    return [tag("p", f"and {total - most:,} more", class_="soft")] if total > most else []


def _violation(row: Row) -> Markup:
    where = [tag("code", row["address"]), ": "] if row.get("address") else []
    hint = [tag("span", tag("code", row["hint"]), class_="hint")] if row.get("hint") else []
    return tag("li", *where, row["message"], *hint)


def _unanswered(row: Row) -> Markup:
    text = f", sent {row['at']}" + (f": {row['why']}" if row.get("why") else "")
    asks = row["phase"] == "unknown" and row["op"] == "trigger"
    hint = [tag("span", tag("code", resolve_command(row["address"])), class_="hint")] if asks else []
    return tag("li", f"{row['op']} ", tag("code", row["address"]), text, *hint)


def _shown_as_table(title: str, names: Sequence[str], rows: Sequence[Sequence[str]], total: int) -> Markup:
    head = tag("thead", tag("tr", *(tag("th", name, scope="col") for name in names)))
    lines = [
        tag("tr", tag("th", tag("code", row[0]), scope="row"), *(tag("td", text or "–") for text in row[1:])) for row in rows
    ]
    table = tag("table", tag("caption", title, class_="unseen"), head, tag("tbody", *lines))
    return tag("details", tag("summary", "The same as a table"), table, *_cut(total, len(rows)), class_="asText")


def _scroll(name: str, drawing: Markup) -> Markup:
    return tag("div", drawing, class_="scroll", role="group", tabindex=0, aria_label=f"{name}, scrolls sideways")


def timeline(spans: Sequence[Span], *, as_of: int) -> Markup:
    """When alarms run out, and when they are renewed."""
    if not spans:
        return section("timeline", "Expiries and renewals", tag("p", "Nothing in this plan runs out by itself.", class_="soft"))
    legend = {"after": "active until then, after this plan", "before": "until then without it", "due": "renewal is due"}
    rows = [(span.address, *words(span, as_of)) for span in spans[:MOST_ROWS]]
    few = f" The {MOST_LANES} that run out first are drawn." if len(spans) > MOST_LANES else ""
    return section(
        "timeline",
        "Expiries and renewals",
        tag("p", f"{counted(len(spans), 'alarm')} with a timeout.{few} The axis is compressed towards the right.", class_="soft"),
        _scroll("Timeline", timeline_svg(spans, as_of=as_of)),
        tag("ul", *(tag("li", text, class_=name) for name, text in legend.items()), class_="legend"),
        _shown_as_table("When alarms run out", ("Alarm", "Runs out", "Without this plan", "Renewal due"), rows, len(spans)),
    )


def graph(found: Graph) -> Markup:
    """Which handling runs after which alarm."""
    title = "Alarms and their handlings"
    if not found.edges:
        return section("graph", title, tag("p", "No handling in this plan is bound to an alarm.", class_="soft"))
    nodes = found.nodes
    rows = [(alarm, nodes[alarm].word, handling, nodes[handling].word, nodes[handling].about) for alarm, handling in found.edges]
    few = f", the first {MOST_EDGES} drawn" if len(rows) > MOST_EDGES else ""
    names = ("Alarm", "Plan", "Handling", "Plan", "Task")
    return section(
        "graph",
        title,
        tag("p", f"{counted(len(rows), 'handling')} bound to an alarm{few}. Resources without one are not drawn.", class_="soft"),
        _scroll("Graph", graph_svg(found)),
        _shown_as_table(title, names, rows[:MOST_ROWS], len(rows)),
    )


def drift(rows: Sequence[Row]) -> Iterator[Markup]:
    """Where live differs from the state."""
    if rows:
        items = [
            tag("li", tag("code", row["address"] or row.get("remote_id") or "?"), f": {row['kind']}: {row['note']}")
            for row in rows[:MOST_ROWS]
        ]
        yield section("drift", "Drift: what is live differs from the state", tag("ul", *items, class_="plain"), *_cut(len(rows)))


def notes(texts: Sequence[str]) -> Iterator[Markup]:
    """Sentences for people."""
    if texts:
        items = [tag("li", text) for text in texts[:MOST_ROWS]]
        yield section("notes", "Notes", tag("ul", *items, class_="plain"), *_cut(len(texts)))
