"""`plan --state FILE`: a plan against a copy, without the state's credentials, that applies to the state itself."""

from __future__ import annotations

import json
from pathlib import Path

from tests.cli.conftest import CONFIG, Run

ELSEWHERE = 'state: {backend: postgres, conn_str: "${env.NOT_SET_HERE}"}\n'


def edited(project: Path) -> None:
    """One alarm says something else."""
    spec = project / "specs" / "web.yaml"
    spec.write_text(spec.read_text("utf-8").replace("Major", "Critical"), "utf-8")


def test_a_plan_against_a_copy_needs_nothing_of_the_state(run: Run, project: Path) -> None:
    """Whatever backend the config names; the copy stays as it is, byte for byte."""
    assert run("apply", "--auto-approve").code == 0
    copy = project / "copy.json"
    copy.write_text(run("state", "pull").out)
    before, files = copy.read_bytes(), set(project.iterdir())
    edited(project)
    (project / "reconcile.yaml").write_text(CONFIG + ELSEWHERE)
    assert run("plan").code == 10
    ran = run("plan", "--state", "copy.json", "--json", "--detailed-exitcode")
    assert ran.code == 2 and [row["action"] for row in json.loads(ran.out)["changes"]] == ["update"]
    assert copy.read_bytes() == before and set(project.iterdir()) - files <= {project / ".reconcile"}


def test_the_graph_is_drawn_against_a_copy_too(run: Run, project: Path) -> None:
    """The same picture as with the state at hand."""
    assert run("apply", "--auto-approve").code == 0
    (project / "copy.json").write_text(run("state", "pull").out)
    edited(project)
    drawn = run("graph")
    (project / "reconcile.yaml").write_text(CONFIG + ELSEWHERE)
    assert run("graph").code == 10
    assert run("graph", "--state", "copy.json") == drawn and "update" in drawn.out


def test_the_plan_applies_to_the_state_it_is_a_copy_of(run: Run, project: Path) -> None:
    """And is refused once that has moved on."""
    assert run("apply", "--auto-approve").code == 0
    (project / "copy.json").write_text(run("state", "pull").out)
    edited(project)
    assert run("plan", "--state", "copy.json", "--out", "saved.json", "--markdown", "plan.md").code == 0
    assert run("apply", "saved.json").code == 0
    assert "No changes" in run("plan").out
    (project / "reconcile.yaml").write_text(CONFIG.replace("demo", "other"))
    assert run("plan", "--state", "copy.json").code == 1


def test_a_copy_that_is_not_there_is_a_warning_and_one_that_is_broken_an_error(run: Run, project: Path) -> None:
    """Before the first apply there is nothing to copy."""
    ran = run("plan", "--state", "nowhere.json")
    assert ran.code == 0 and "as if nothing had been reported" in ran.err and "to report" in ran.out
    (project / "broken.json").write_text("{")
    assert run("plan", "--state", "broken.json").code == 1
    assert run("apply", "--state", "copy.json").code == 64
