"""A plan as one page that carries everything in itself: no address of another place is in it, and none would be let through."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from reconcile.model.change import ACTIONS
from reconcile.model.instants import instant_ms
from reconcile.model.rows import Row
from reconcile.views import page_parts as parts
from reconcile.views.graph import graph_of, tone_of
from reconcile.views.layout import look_of, weight_of
from reconcile.views.markup import Markup, tag
from reconcile.views.page_rows import embedded, place_of
from reconcile.views.page_script import SCRIPT
from reconcile.views.page_style import STYLE
from reconcile.views.timeline import spans_of

if TYPE_CHECKING:
    from reconcile.model.desired import Desired
    from reconcile.model.snapshot import Snapshot

_HINT = "address, field or value ( / )"


def render_html(plan_document: Mapping[str, Any], *, desired: Desired | None = None, snapshot: Snapshot | None = None) -> str:
    """The page. With the specs the graph, and with the state the timeline, also show what the plan leaves unchanged."""
    title = f"Plan: {plan_document['stack'] or '(unnamed)'}"
    head = tag(
        "head",
        tag("meta", charset="utf-8"),
        tag("meta", http_equiv="Content-Security-Policy", content=_policy()),
        tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
        tag("meta", name="color-scheme", content="light dark"),
        tag("meta", name="referrer", content="no-referrer"),
        tag("title", title),
        tag("style", Markup(STYLE)),
    )
    as_of = instant_ms(plan_document["as_of"])
    sections = [
        *parts.alerts(plan_document),
        _changes(sorted(plan_document["changes"], key=lambda row: weight_of(row["action"])), as_of),
        parts.timeline(spans_of(plan_document, snapshot), as_of=as_of),
        parts.graph(graph_of(plan_document, desired)),
        *parts.drift(plan_document["drift"]),
        *parts.notes(plan_document.get("notes", [])),
    ]
    body = tag(
        "body",
        tag("a", "Skip to the changes", href="#changes", class_="skip"),
        tag("header", *parts.heading(plan_document), _contents(plan_document)),
        tag("main", *sections),
        tag("footer", tag("p", "This page stands by itself: it loads nothing and talks to nobody.")),
        *([tag("script", Markup(SCRIPT))] if plan_document["changes"] else []),
    )
    return f"<!doctype html>\n{tag('html', head, body, lang='en')}\n"


def _policy() -> str:
    """Nothing is loaded; only the script and the style that were written here are obeyed."""
    script, style = (base64.b64encode(hashlib.sha256(text.encode()).digest()).decode() for text in (SCRIPT, STYLE))
    rules = ["default-src 'none'", f"script-src 'sha256-{script}'", f"style-src 'sha256-{style}'"]
    return "; ".join([*rules, "base-uri 'none'", "form-action 'none'"])


def _contents(document: Mapping[str, Any]) -> Markup:
    names = {"changes": "Changes", "timeline": "Expiries and renewals", "graph": "Alarms and handlings"}
    names |= {key: key.capitalize() for key in ("drift", "notes") if document.get(key)}
    links = [tag("li", tag("a", name, href=f"#{key}")) for key, name in names.items()]
    return tag("nav", tag("ul", *links), aria_label="Sections")


def _changes(rows: list[Row], as_of: int) -> Markup:
    if not rows:
        return parts.section("changes", "Changes", tag("p", "None.", class_="soft"))
    return parts.section(
        "changes",
        "Changes",
        tag("div", *_tools(rows), id="changes-tools", hidden=True),
        tag("ol", id="rows", class_="rows"),
        tag("div", tag("button", "Show more", type="button", id="more", hidden=True), class_="tools"),
        _rows_for_script(rows, as_of),
        tag("noscript", _plain_table(rows)),
    )


def _rows_for_script(rows: list[Row], as_of: int) -> Markup:
    tones = json.dumps({action: tone_of(action) for action in ACTIONS})
    return tag("script", embedded(rows, as_of=as_of), type="application/json", id="plan-rows", data_tones=tones)


def _tools(rows: list[Row]) -> Iterator[Markup]:
    counts: dict[str, int] = {}
    for row in rows:
        counts[row["action"]] = counts.get(row["action"], 0) + 1
    chips = [_chip(action, counts[action]) for action in sorted(counts, key=lambda action: (weight_of(action), action))]
    yield tag("fieldset", tag("legend", "Show only"), *chips, class_="chips")
    yield tag(
        "div",
        tag("label", "Find", for_="find"),
        tag("input", type="search", id="find", autocomplete="off", spellcheck="false", placeholder=_HINT),
        tag("button", "Open all that are shown", type="button", id="unfold"),
        tag("button", "Show everything", type="button", id="all"),
        class_="tools",
        role="search",
    )
    yield tag("p", id="count", class_="count", role="status", aria_live="polite")


def _chip(action: str, count: int) -> Markup:
    label = tag("span", f"{look_of(action).symbol} {action}", class_="mono")
    total = tag("b", f"{count:,}")
    return tag("button", label, total, type="button", class_=f"chip {tone_of(action)}", data_action=action, aria_pressed="false")


def _plain_table(rows: list[Row]) -> Markup:
    """What is left of the list where scripts are not run."""
    lines = []
    for row in rows[: parts.MOST_ROWS]:
        address = tag("th", tag("code", row["address"]), scope="row")
        lines.append(tag("tr", tag("td", row["action"]), address, tag("td", row["reason"]), tag("td", place_of(row))))
    head = tag("tr", *(tag("th", name, scope="col") for name in ("Action", "Address", "Reason", "Place")))
    left = len(rows) - len(lines)
    rest = [tag("p", f"and {left:,} more", class_="soft")] if left else []
    return tag("div", tag("table", tag("thead", head), tag("tbody", *lines)), *rest)
