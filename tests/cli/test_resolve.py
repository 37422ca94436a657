"""`resolve`: a person's word on a task whose answer was lost; and `apply --wait`, `drift`, `show` on how tasks end."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.clouds import cloud, started
from tests.cli.conftest import Run
from tests.emulator_fixture import control

LOST = ["POST:*/auto-process:503@1"]
ADDRESS = "handling.web-restart"


@pytest.fixture
def lost(run: Run, project: Path, monkeypatch: pytest.MonkeyPatch):  # type: ignore[no-untyped-def]
    """After an apply whose task's answer was lost."""
    with cloud(project, monkeypatch, faults=LOST) as url:
        assert run("apply", "--auto-approve").code == 7
        yield url


def test_a_ticket_closes_it_for_good(run: Run, lost: str) -> None:
    """The state shows the run; nothing is started, and the plan is empty."""
    shown = run("show").out.splitlines()
    assert "unknown" in shown[3] and "reconcile resolve" in shown[4], shown
    told = run("resolve", ADDRESS, "--ticket", "WO-1")
    assert told.code == 0 and "ran as work order WO-1" in told.out
    assert run("plan", "--detailed-exitcode").code == 0
    assert run("apply", "--auto-approve").code == 0
    assert started(lost) == 0 and "WO-1" in run("state", "show", ADDRESS).out


@pytest.mark.parametrize("word", ["--not-run", "--retrigger"])
def test_it_is_started_again_when_a_person_says_so(run: Run, lost: str, word: str) -> None:
    """Once, by the next apply."""
    told = run("resolve", ADDRESS, word)
    assert told.code == 0 and "he next apply" in told.out
    (row,) = json.loads(run("plan", "--json").out)["changes"]
    assert (row["action"], row["reason"]) == ("trigger", "retrigger" if word == "--retrigger" else "new")
    assert run("apply", "--auto-approve").code == 0
    assert run("apply", "--auto-approve").code == 0
    assert started(lost) == 1


def test_exactly_one_word_is_taken(run: Run, project: Path) -> None:
    """None, two, an empty ticket, no handling, no address: 64; nothing unknown: 1."""
    run("apply", "--auto-approve")
    for words in ((), ("--not-run", "--retrigger"), ("--ticket", "x", "--not-run"), ("--ticket", "")):
        assert run("resolve", ADDRESS, *words).code == 64
    assert run("resolve", "alarm.web-cpu", "--not-run").code == 64
    assert run("resolve", "nonsense", "--not-run").code == 64
    before = (project / "state" / "default.json").read_bytes()
    assert run("resolve", ADDRESS, "--not-run").code == 1
    assert (project / "state" / "default.json").read_bytes() == before


def test_apply_waits_for_its_tasks_and_says_how_they_end(run: Run, project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A good end is 0; its word is told on stderr while it waits, and in `show` afterwards."""
    with cloud(project, monkeypatch, task_seconds=0.2):
        ran = run("apply", "--auto-approve", "--wait")
        assert ran.code == 0 and "work order" in ran.err and "FINISHED" in ran.err
        assert "FINISHED" in run("show").out


def test_a_failed_task_is_3_when_waited_for_and_drift_tells_it(run: Run, project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without --wait nobody knows yet: drift asks, and that is no drift."""
    with cloud(project, monkeypatch, task_seconds=0.1, task_outcome="fail") as url:
        assert run("apply", "--auto-approve", "--wait").code == 3
        looked = run("drift")
        assert looked.code == 0 and "FAILED" in looked.out
        (task,) = json.loads(run("drift", "--json").out)["tasks"]
        assert (task["address"], task["ended"], task["succeeded"]) == (ADDRESS, True, False)
        assert "FAILED" in run("drift", "--markdown", "-").out
        assert started(url) == 1 and control(url, "alarms")
