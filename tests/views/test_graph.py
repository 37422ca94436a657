"""The graph: its nodes and edges, and that no text in it becomes syntax of Mermaid or Graphviz."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Callable

import pytest

from reconcile.model.desired import Desired
from reconcile.views.graph import graph_of, render_dot, render_mermaid
from reconcile.views.plan_document import plan_document
from tests.views.poison import CORPUS, poisoned
from tests.views.samples import alarm, declared, full_plan, handling, plan_of

Golden = Callable[[str, str], None]
_NODE = re.compile(r' {2}n\d+(\["|\("|\{\{")[\w _.,/<>#;-]*("\]|"\)|"\}\}):::[a-z]+')


def test_the_graph_of_a_plan_as_mermaid_and_dot(golden: Golden) -> None:
    """Both languages, the same nodes."""
    graph = graph_of(plan_document(full_plan()))
    golden("../golden_review/graph.mmd", render_mermaid(graph))
    golden("../golden_review/graph.dot", render_dot(graph))


def test_with_the_specs_it_shows_what_stays_as_it_is() -> None:
    """Unchanged resources, and the edges between them."""
    found = {a: declared(a, r) for a, r in (("alarm.web-1-cpu-high", alarm()), ("handling.web-1-restart", handling()))}
    graph = graph_of(plan_document(plan_of()), Desired(found))
    assert [(node.address, node.word) for node in graph.nodes.values()] == [
        ("alarm.web-1-cpu-high", "unchanged"),
        ("handling.web-1-restart", "unchanged"),
    ]
    assert graph.edges == (("alarm.web-1-cpu-high", "handling.web-1-restart"),)


def test_an_alarm_the_plan_leaves_alone_is_still_there_for_its_handling() -> None:
    """An edge never hangs in the air."""
    graph = graph_of(plan_document(full_plan()))
    assert all(alarm in graph.nodes and handling in graph.nodes for alarm, handling in graph.edges)


@pytest.mark.parametrize("text", CORPUS, ids=range(len(CORPUS)))
def test_no_text_becomes_mermaid(text: str) -> None:
    """Every line is one of ours; the only tag is a line break."""
    lines = render_mermaid(graph_of(poisoned(text))).splitlines()
    assert len(lines) == len(render_mermaid(graph_of(poisoned("x"))).splitlines())
    for line in lines:
        assert _NODE.fullmatch(line) or re.fullmatch(r"flowchart LR|  n\d+ --> n\d+|  classDef \w+ [\w#:,-]+", line), line
        assert "<" not in line.replace("<br/>", "")


@pytest.mark.parametrize("text", CORPUS, ids=range(len(CORPUS)))
def test_no_text_becomes_dot(text: str) -> None:
    """Quotes in texts never close ours."""
    strings = re.compile(r'"(?:[^"\\\n]|\\.)*"')
    bare = [strings.sub("S", line) for line in render_dot(graph_of(poisoned(text))).splitlines()]
    assert bare == [strings.sub("S", line) for line in render_dot(graph_of(poisoned("x"))).splitlines()]


@pytest.mark.skipif(shutil.which("dot") is None, reason="Graphviz is not installed")
def test_graphviz_reads_hostile_labels() -> None:
    """The real parser finds the same nodes as we wrote."""
    graph = graph_of(poisoned("".join(CORPUS)))
    done = subprocess.run(["dot", "-Tplain"], input=render_dot(graph), capture_output=True, text=True, check=True)
    assert done.stderr == "" and len(re.findall(r"^node ", done.stdout, re.MULTILINE)) == len(graph.nodes)
