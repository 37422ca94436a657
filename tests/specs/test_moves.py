"""`moved` and `forget`: what is read, and what is refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from reconcile.model.desired import Source
from tests.specs.writing import alarm, load, marked, only, problems

NEW = {"alarms": {"new": alarm(), "disk": {**alarm(name="d ${each.key}"), "for_each": ["a", "b"]}}}


def move(old: str, new: str) -> dict[str, str]:
    """One entry of `moved`."""
    return {"from": old, "to": new}


def test_moves_and_forgets_are_read_with_their_places(tmp_path: Path) -> None:
    """From all files; addresses with and without key."""
    spec = """
    alarms: {new: {severity: Info, resource: {provider: p, type: t, id: i}, message: m}}
    moved:
      - {from: alarm.old, to: alarm.new}
      - {from: 'alarm.disk["a"]', to: 'alarm.disk["b"]'}
    forget:
      - alarm.handed-over
      - event.x
    """
    desired = load(tmp_path, spec)
    assert [(m.old, m.new, m.source) for m in desired.moved] == [
        ("alarm.old", "alarm.new", Source("specs/a.yaml", 4)),
        ('alarm.disk["a"]', 'alarm.disk["b"]', Source("specs/a.yaml", 5)),
    ]
    assert [(f.address, f.source.line) for f in desired.forget] == [("alarm.handed-over", 7), ("event.x", 8)]


@pytest.mark.parametrize(
    ("moved", "what", "text"),
    [
        ([move("alarm.new", "alarm.x")], "still declared", '"alarm.new"'),
        ([move("alarm.disk", "alarm.x")], "still declared", '"alarm.disk"'),
        ([move('alarm.disk["a"]', "alarm.x")], "still declared", '"alarm.disk[\\"a\\"]"'),
        ([move("alarm.a", "alarm.a")], "circle", "{"),
        ([move("alarm.a", "alarm.new"), move("alarm.a", "alarm.x")], "moves twice", '"alarm.a"'),
        ([move("alarm.a", "alarm.new"), move("alarm.b", "alarm.new")], "two moves lead", '"alarm.new"'),
        ([move("alarm.a", "event.a")], "keeps the kind", '"event.a"'),
        ([move("web", "alarm.new")], "is not an address", '"web"'),
        ([move("alarm.a[b]", "alarm.new")], "is not an address", '"alarm.a[b]"'),
        ([{"from": "alarm.a"}], "`to` of a move is required", "{"),
        (["alarm.a"], "an entry of `moved`", '"alarm.a"'),
        ("alarm.a", "`moved` is a list", '"alarm.a"'),
        ([{"from": 3, "to": "alarm.new"}], "is a number", "3"),
    ],
)
def test_a_wrong_move_is_refused(moved: Any, what: str, text: str, tmp_path: Path) -> None:
    """Circles, sources that are still there, malformed addresses."""
    problem = only(problems(tmp_path, {**NEW, "moved": moved}))
    assert what in problem.what and marked(problem) == text


def test_a_circle_of_moves_is_told_at_each_of_them(tmp_path: Path) -> None:
    """a to b to c to a; a chain is fine."""
    circle = [move("alarm.a", "alarm.b"), move("alarm.b", "alarm.c"), move("alarm.c", "alarm.a")]
    assert [p.code for p in problems(tmp_path, {"moved": circle})] == ["S053"] * 3
    assert len(load(tmp_path, {**NEW, "moved": [move("alarm.a", "alarm.b"), move("alarm.b", "alarm.new")]}).moved) == 2


def test_an_alarm_may_become_an_instance_of_its_own_for_each(tmp_path: Path) -> None:
    """And back again: the plain address is not declared any more."""
    assert load(tmp_path, {**NEW, "moved": [move("alarm.disk", 'alarm.disk["a"]')]}).moved
    assert load(tmp_path, {**NEW, "moved": [move('alarm.new["x"]', "alarm.new")]}).moved


@pytest.mark.parametrize(
    ("forget", "what"),
    [
        (["alarm.new"], "still declared"),
        (["alarm.disk"], "still declared"),
        (['alarm.disk["a"]'], "still declared"),
        (["new"], "is not an address"),
        ([3], "is a number"),
        ({"alarm.x": None}, "`forget` is a list"),
    ],
)
def test_a_wrong_forget_is_refused(forget: Any, what: str, tmp_path: Path) -> None:
    """Forgetting what is declared would report it again at once."""
    assert what in only(problems(tmp_path, {**NEW, "forget": forget})).what


def test_what_is_moved_cannot_be_forgotten(tmp_path: Path) -> None:
    """The two say different things about one address."""
    spec = {**NEW, "moved": [move("alarm.old", "alarm.new")], "forget": ["alarm.old"]}
    assert "moved at specs/a.yaml" in only(problems(tmp_path, spec)).what
