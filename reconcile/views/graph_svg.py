"""Alarms and the handlings bound to them as SVG: alarms left, handlings right. Draws nodes that have an edge, and says so."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from reconcile.views.graph import Graph, Node
from reconcile.views.markup import Markup, tag
from reconcile.views.timeline_svg import shortened

MOST_EDGES = 40
WIDTH, _BOX, _HIGH, _ROW = 1040, 430, 48, 62
_RIGHT = WIDTH - _BOX - 8


def graph_svg(graph: Graph) -> Markup:
    """The first handlings of the graph with their alarms, one below the other."""
    bound: dict[str, list[str]] = defaultdict(list)
    for alarm, handling in graph.edges[:MOST_EDGES]:
        bound[alarm].append(handling)
    parts: list[Markup] = []
    row = 0
    for alarm, handlings in bound.items():
        parts += _bundle(graph, alarm, handlings, row)
        row += len(handlings)
    height = row * _ROW + 8
    label = f"{len(bound):,} alarms and the {row:,} handlings bound to them; the list below says the same"
    box = f"0 0 {WIDTH} {height}"
    return tag("svg", *parts, class_="chart", role="img", aria_label=label, width=WIDTH, height=height, viewBox=box)


def _bundle(graph: Graph, alarm: str, handlings: list[str], row: int) -> Iterator[Markup]:
    middle = (row + (len(handlings) - 1) / 2) * _ROW + 8 + _HIGH / 2
    for number, handling in enumerate(handlings):
        y = (row + number) * _ROW + 8 + _HIGH / 2
        tone = graph.nodes[handling].tone
        yield tag("path", d=_curve(middle, y), class_=f"edge {tone}")
        yield tag("path", d=f"M{_RIGHT - 2} {y:.1f}l-9 -5v10z", class_=f"head {tone}")
        yield from _node(graph.nodes[handling], _RIGHT, y)
    yield from _node(graph.nodes[alarm], 8, middle)


def _curve(start: float, end: float) -> str:
    x, far = 8 + _BOX, _RIGHT - 10
    return f"M{x} {start:.1f}C{x + 80} {start:.1f} {far - 80} {end:.1f} {far} {end:.1f}"


def _node(node: Node, x: float, middle: float) -> Iterator[Markup]:
    top = middle - _HIGH / 2
    title = tag("title", f"{node.address}: {node.word}. {node.about}")
    yield tag("rect", title, x=x, y=top, width=_BOX, height=_HIGH, rx=8, class_="box")
    yield tag("rect", x=x, y=top + 8, width=5, height=_HIGH - 16, rx=2, class_=f"bar {node.tone}")
    yield tag("text", shortened(node.address, 56), x=x + 16, y=middle - 4, class_="name")
    yield tag("text", node.word, x=x + 16, y=middle + 15, class_=f"word {node.tone}")
    yield tag("text", shortened(node.about, 44), x=x + 110, y=middle + 15, class_="about")
