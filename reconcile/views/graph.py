"""Alarms, events and handlings with what a plan does to them, as a graph: Mermaid and DOT. Prints nothing; lays out nothing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from reconcile.model.rows import Row
from reconcile.views.inert import inert
from reconcile.views.layout import look_of

if TYPE_CHECKING:
    from reconcile.model.desired import Desired

_TONES = {
    "report": "add",
    "adopt": "add",
    "update": "change",
    "forget": "change",
    "replace": "remove",
    "clear": "remove",
    "trigger": "danger",
    "defer": "danger",
    "renew": "quiet",
    "move": "quiet",
}
_COLOURS = {  # fill, line, text: readable on a light and on a dark page, as they bring their own ground
    "add": ("#dcf5e3", "#1a7f37", "#0a3316"),
    "change": ("#fff3cd", "#9a6700", "#3b2300"),
    "remove": ("#ffe3e0", "#cf222e", "#4c0b10"),
    "danger": ("#f8d7fa", "#a21caf", "#3f0a45"),
    "quiet": ("#ddf1fb", "#0b7285", "#06303a"),
    "none": ("#f1f3f5", "#868e96", "#212529"),
}


def tone_of(action: str) -> str:
    """What an action means, as a colour."""
    return _TONES.get(action, "none")


@dataclass(frozen=True, slots=True)
class Node:
    """One resource; `action` is `none` where the plan leaves it as it is. `about` is what it is in a few words."""

    address: str
    kind: str
    action: str
    about: str = ""

    @property
    def tone(self) -> str:
        """Which colour it has."""
        return tone_of(self.action)

    @property
    def word(self) -> str:
        """`+ report`, or `unchanged`."""
        return "unchanged" if self.action == "none" else f"{look_of(self.action).symbol} {self.action}"


@dataclass(frozen=True, slots=True)
class Graph:
    """Nodes by address, sorted, and edges from an alarm to the handling of it."""

    nodes: Mapping[str, Node]
    edges: tuple[tuple[str, str], ...]


def graph_of(document: Mapping[str, Any], desired: Desired | None = None) -> Graph:
    """The graph of a plan document; with the specs also what the plan leaves unchanged."""
    nodes: dict[str, Node] = {}
    edges: set[tuple[str, str]] = set()
    for address, declared in (desired.declared if desired else {}).items():
        nodes[address] = Node(address, declared.kind, "none", _about(declared.kind, declared.content))
        edges |= _edges(address, declared.content)
    for row in document["changes"]:
        content: Row = row["after"] or row["before"] or {}
        nodes[row["address"]] = Node(row["address"], row["kind"], row["action"], _about(row["kind"], content))
        edges |= _edges(row["address"], content)
    for alarm, _ in sorted(edges):
        nodes.setdefault(alarm, Node(alarm, "alarm", "none"))
    return Graph(dict(sorted(nodes.items())), tuple(sorted(edges)))


def _edges(address: str, content: Mapping[str, Any]) -> set[tuple[str, str]]:
    alarm = content.get("alarm")
    return {(alarm, address)} if isinstance(alarm, str) and address.startswith("handling.") else set()


def _about(kind: str, content: Mapping[str, Any]) -> str:
    if kind == "handling":
        return f"{content.get('task_type', '?')} {content.get('associated_task_name', '?')}"
    return f"{content.get('severity', '?')}: {content.get('name', '?')}"


def render_mermaid(graph: Graph) -> str:
    """A flowchart for a Markdown block; no text in it is read as syntax or HTML."""
    names = {address: f"n{number}" for number, address in enumerate(graph.nodes)}
    lines = ["flowchart LR"]
    for node in graph.nodes.values():
        left, right = _SHAPES.get(node.kind, ("[", "]"))
        text = "<br/>".join(_mermaid(part) for part in (node.word, node.address, node.about) if part)
        lines.append(f'  {names[node.address]}{left}"{text}"{right}:::{node.tone}')
    lines += [f"  {names[alarm]} --> {names[handling]}" for alarm, handling in graph.edges]
    used = {node.tone for node in graph.nodes.values()}
    lines += [
        f"  classDef {tone} fill:{fill},stroke:{line},color:{ink}" for tone, (fill, line, ink) in _COLOURS.items() if tone in used
    ]
    return "\n".join(lines) + "\n"


_SHAPES = {"alarm": ("[", "]"), "event": ("(", ")"), "handling": ("{{", "}}")}
_BARE = frozenset(" _.,/-")


def _mermaid(text: str) -> str:
    """Everything but letters, digits and a few harmless signs as a character code."""
    return "".join(c if c.isalnum() or c in _BARE else f"#{ord(c)};" for c in inert(text))


def render_dot(graph: Graph) -> str:
    """A digraph for Graphviz."""
    lines = ["digraph reconcile {", "  rankdir=LR;", '  node [shape=box, style="filled,rounded", fontname="monospace"];']
    lines += [f"  {_quoted(node.address)} [{_attributes(node)}];" for node in graph.nodes.values()]
    lines += [f"  {_quoted(alarm)} -> {_quoted(handling)};" for alarm, handling in graph.edges]
    return "\n".join([*lines, "}"]) + "\n"


def _attributes(node: Node) -> str:
    fill, line, ink = _COLOURS[node.tone]
    label = "\\n".join(_escaped(part) for part in (node.word, node.address, node.about) if part)
    shape = {"event": ", shape=ellipse", "handling": ", shape=hexagon"}.get(node.kind, "")
    return f'label="{label}", fillcolor="{fill}", color="{line}", fontcolor="{ink}"{shape}'


def _quoted(text: str) -> str:
    return f'"{_escaped(text)}"'


def _escaped(text: str) -> str:
    return inert(text).replace("\\", "\\\\").replace('"', '\\"').replace("&", "&amp;")
