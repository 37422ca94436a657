"""Handlings: the three bodies of the API document, the alarm they belong to, their nested parts."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import pytest

from reconcile.model.resources import Handling
from tests.specs.writing import alarm, load, marked, only, problems, put, task

BODIES = json.loads((Path(__file__).parent / "golden" / "auto_process.json").read_text())
ENCODED = ("script_params", "execute_atomic_tasks", "vars", "target_instances")


def structured(body: Any, *, inside: str = "") -> Any:
    """The body with every string that holds JSON written as the list or mapping it holds."""
    if isinstance(body, dict):
        return {key: structured(value, inside=key) for key, value in body.items()}
    if isinstance(body, list):
        return [structured(value) for value in body]
    return json.loads(body) if inside in ENCODED and isinstance(body, str) else body


def encoded(body: Any, *, inside: str = "") -> Any:
    """The other way round, as the wire does it."""
    inner = {key: encoded(value, inside=key) for key, value in body.items()} if isinstance(body, dict) else body
    if isinstance(body, list):
        inner = [encoded(value) for value in body]
    steps = isinstance(body, list) and all(isinstance(value, dict) and "target_selection" in value for value in body)
    plain = inside not in ENCODED or isinstance(body, str) or body is None or (inside == "target_instances" and steps)
    return inner if plain else json.dumps(body, separators=(",", ":"), ensure_ascii=False)


def handling(folder: Path, **changes: Any) -> Handling:
    """The only handling of a folder, checked."""
    resource = load(folder, {"handlings": {"h": task(**changes)}}).declared["handling.h"].resource
    assert isinstance(resource, Handling)
    return resource


def refused(folder: Path, **changes: Any) -> tuple[str, str]:
    """Code and underlined text of the only problem of a handling."""
    problem = only(problems(folder, {"handlings": {"h": task(**changes)}}))
    return problem.code, marked(problem)


@pytest.mark.parametrize("body", BODIES, ids=[body["task_type"] for body in BODIES])
def test_the_documents_bodies_can_be_written_as_specs(body: dict[str, Any], tmp_path: Path) -> None:
    """As strings or structured, with every null: the task's text is the body."""
    plain = load(tmp_path, {"handlings": {"h": {"alarm_id": "ALM2025071417361705s6mUUrF", **body}}})
    assert plain.declared["handling.h"].resource.task() == body  # type: ignore[union-attr]
    spelled = load(tmp_path, {"handlings": {"h": {"alarm_id": "ALM2025071417361705s6mUUrF", **structured(body)}}})
    resource = spelled.declared["handling.h"].resource
    assert isinstance(resource, Handling)
    assert resource.task() == structured(body)
    assert resource.task() != body
    assert encoded(resource.task()) == body


def test_a_handling_keeps_only_what_was_said(tmp_path: Path) -> None:
    """The target is added; defaults are not, nulls of the task stay, nulls of the tool's own keys go."""
    declared = load(tmp_path, {"handlings": {"h": {**task(sub_task_info=None), "sub_task_info": None, "alarm": None}}}).declared
    assert declared["handling.h"].content == {"target": "coc", **task(), "sub_task_info": None}
    assert load(tmp_path, {"handlings": {"h": task(alarm_id=None)}}).declared["handling.h"].resource.alarm_id is None  # type: ignore[union-attr]


def test_the_target_of_a_handling_is_of_type_coc(tmp_path: Path) -> None:
    """The default target when it is one, else the only one there is."""
    assert handling(tmp_path).target == "coc"
    assert refused(tmp_path, target="aom") == ("S050", '"aom"')
    put(tmp_path, {"/reconcile.yaml": "default_target: b\ntargets: {a: {type: coc}, b: {type: coc}}"})
    assert handling(tmp_path).target == "b"
    put(tmp_path, {"/reconcile.yaml": "targets: {a: {type: coc}, b: {type: coc}}"})
    assert refused(tmp_path) == ("S050", '"h"')


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("web", "alarm.web"),
        ("alarm.web", "alarm.web"),
        ("web.dotted", "alarm.web.dotted"),
        ("alarm.odd", "alarm.alarm.odd"),
        ('disk["a b"]', 'alarm.disk["a b"]'),
        ('alarm.disk["x"]', 'alarm.disk["x"]'),
    ],
)
def test_the_alarm_becomes_its_full_address(text: str, address: str, tmp_path: Path) -> None:
    """NAME, NAME with key, with and without the kind before it."""
    names = {name: alarm(name=name) for name in ("web", "web.dotted", "alarm.odd")}
    disk = {**alarm(name="disk ${each.key}"), "for_each": ["a b", "x"]}
    desired = load(tmp_path, {"alarms": {**names, "disk": disk}, "handlings": {"h": task(alarm=text)}})
    assert desired.declared["handling.h"].content["alarm"] == address


def test_with_for_each_on_both_sides_the_own_key_is_meant(tmp_path: Path) -> None:
    """And with `for_each` on the handling alone, the one alarm."""
    disk = {**alarm(name="disk ${each.key}"), "for_each": ["a", "b"]}
    fix = {**task(alarm="disk", associated_task_name="fix-${each.key}"), "for_each": ["a", "b"]}
    declared = load(tmp_path, {"alarms": {"disk": disk}, "handlings": {"fix": fix}}).declared
    assert declared['handling.fix["b"]'].content["alarm"] == 'alarm.disk["b"]'
    declared = load(tmp_path, {"alarms": {"disk": alarm()}, "handlings": {"fix": fix}}).declared
    assert declared['handling.fix["b"]'].content["alarm"] == "alarm.disk"
    found = only(problems(tmp_path, {"alarms": {"disk": disk}, "handlings": {"fix": {**fix, "for_each": ["a", "c"]}}}))
    assert (found.code, marked(found)) == ("S051", '"disk"') and 'alarm.disk["c"]' in found.what
    found = only(problems(tmp_path, {"alarms": {"disk": disk}, "handlings": {"fix": task(alarm="disk")}}))
    assert found.code == "S051" and str(found.hint) == 'declared: alarm.disk["a"], alarm.disk["b"]'


def test_a_dangling_alarm_gets_the_closest_match(tmp_path: Path) -> None:
    """Or where it went, when it was moved; an event is no alarm."""
    alarms = {"web-1": alarm(), "bad": alarm(severity="x", name="bad")}
    found = only(problems(tmp_path, {"alarms": {"web-1": alarm()}, "handlings": {"h": task(alarm="web-l")}}))
    assert (found.code, found.hint, marked(found)) == ("S051", "did you mean `web-1`?", '"web-l"')
    moved = {"moved": [{"from": "alarm.old", "to": "alarm.web-1"}]}
    found = only(problems(tmp_path, {"alarms": {"web-1": alarm()}, "handlings": {"h": task(alarm="old")}, **moved}))
    assert found.hint == "it was moved to `alarm.web-1`"
    found = only(problems(tmp_path, {"events": {"e": alarm()}, "handlings": {"h": task(alarm="event.e")}}))
    assert found.hint == "a handling runs for an alarm"
    found = only(problems(tmp_path, {"alarms": alarms, "handlings": {"h": task(alarm="bad")}}))
    assert found.code == "S024"  # a wrong alarm is still declared


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"task_type": "SCRIPTS"}, ("S024", '"SCRIPTS"')),
        ({"task_type": None}, ("S023", '"h"')),
        ({"associated_task_type": "OTHER"}, ("S024", '"OTHER"')),
        ({"associated_task_id": 12}, ("S022", "12")),
        ({"associated_task_id": ""}, ("S023", '""')),
        ({"runbook_instance_mode": "SAMES"}, ("S024", '"SAMES"')),
        ({"rerun": "always"}, ("S024", '"always"')),
        ({"on_unknown": "retry"}, ("S024", '"retry"')),
        ({"input_parm": {}}, ("S020", '"input_parm"')),
        ({"input_param": []}, ("S021", "[]")),
        ({"alarm_id": "../x"}, ("S031", '"../x"')),
        ({"alarm_id": ""}, ("S031", '""')),
        ({"target_instances": {}}, ("S021", "{}")),
        ({"target_instances": [{"target_selection": "MANUAL"}]}, ("S023", "{")),
        ({"target_instances": [{"target_selection": "X", "order_no": 0}]}, ("S024", '"X"')),
        ({"target_instances": [{"target_selection": "ALL", "order_no": -1}]}, ("S027", "-1")),
        ({"target_instances": [{"target_selection": "ALL", "order_no": "0"}]}, ("S021", '"0"')),
        ({"target_instances": [{"target_selection": "ALL", "order_no": 0, "batch_strategy": "AUTO"}]}, ("S024", '"AUTO"')),
        ({"target_instances": [{"target_selection": "ALL", "order_no": 0, "instances": []}]}, ("S020", '"instances"')),
        (
            {"target_instances": [{"target_selection": "ALL", "order_no": 0, "sub_target_instances": [{"order_no": 0, "x": 1}]}]},
            None,
        ),
        ({"sub_task_info": {"sub_task_typ": "SCRIPT"}}, ("S020", '"sub_task_typ"')),
        ({"sub_task_info": {"sub_task_type": "JOB"}}, ("S024", '"JOB"')),
        ({"sub_task_info": {"sub_associated_task_id": "x" * 101}}, ("S027", '"' + "x" * 101 + '"')),
        ({"sub_task_info": {"sub_associated_task_name": "x" * 256}}, ("S027", '"' + "x" * 256 + '"')),
    ],
)
def test_a_wrong_part_is_told_at_its_place(changes: dict[str, Any], expected: tuple[str, str] | None, tmp_path: Path) -> None:
    """Nested parts included; enum values and unknown keys with the closest match."""
    if expected is None:
        assert [p.code for p in problems(tmp_path, {"handlings": {"h": task(**changes)}})] == ["S023", "S020"]
    else:
        assert refused(tmp_path, **changes) == expected


def test_a_thousand_dangling_handlings_over_many_alarms_are_told_in_time(tmp_path: Path) -> None:
    """The closest match costs the same however many alarms there are."""
    alarms = {f"web-{n}": alarm(name=f"web-{n}") for n in range(10_000)}
    handlings = {f"h{n}": task(alarm=f"web-{n}x") for n in range(1_000)}
    started = time.process_time()
    found = problems(tmp_path, {"alarms": alarms, "handlings": handlings})
    assert time.process_time() - started < 15
    assert len(found) == 1_000 and all(problem.hint for problem in found)


def test_an_unusual_alarm_id_is_only_a_warning(tmp_path: Path) -> None:
    """The shape is not documented, so it is noted, not refused."""
    desired = load(tmp_path, {"handlings": {"h": task(alarm_id="ALM1")}})
    assert desired.notes == ("specs/a.yaml:3: the alarm_id of handling.h does not look like `ALM` and 23 more characters",)
    assert load(tmp_path, {"handlings": {"h": task()}}).notes == ()
