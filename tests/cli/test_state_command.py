"""`reconcile state`: looking, renaming, dropping."""

from __future__ import annotations

import json
from pathlib import Path

from tests.cli.conftest import Run


def test_a_missing_state_is_empty_to_look_at(run: Run) -> None:
    """But there is nothing to pull or to drop."""
    assert run("state", "list") == (0, "", "")
    assert run("show").out.startswith("No state yet")
    assert run("state", "pull").code == run("state", "rm", "alarm.*").code == 1


def test_addresses_are_listed_and_shown(run: Run) -> None:
    """By glob, and one with all it holds."""
    run("apply", "--auto-approve")
    assert run("state", "list", "alarm.d*").out.splitlines() == ['alarm.disk["data"]', 'alarm.disk["logs"]']
    assert len(run("state", "list").out.splitlines()) == 5
    assert "CPU above 90 %" in run("state", "show", "alarm.web-cpu").out
    assert json.loads(run("state", "show", "alarm.web-cpu", "--json").out)["alarm.web-cpu"]["kind"] == "alarm"
    missing = run("state", "show", "alarm.web-cpv")
    assert missing.code == 1 and "did you mean alarm.web-cpu?" in missing.err


def test_a_state_moves_and_sends_nothing(run: Run, project: Path) -> None:
    """All instances move together; the specs follow, and the plan is empty."""
    run("apply", "--auto-approve")
    assert run("state", "mv", "alarm.disk", "alarm.volume").code == 0
    web = project / "specs" / "web.yaml"
    web.write_text(web.read_text().replace("  disk:", "  volume:\n    name: disk"))
    assert run("plan", "--detailed-exitcode").code == 0
    assert run("state", "mv", "alarm.volume", "alarm.web-cpu").code == 0  # other addresses: these have keys
    assert run("state", "mv", 'alarm.web-cpu["data"]', "alarm.web-cpu").code == 1
    assert run("state", "mv", "alarm.web-cpu", "event.web-cpu").code == 64


def test_a_state_drops_what_is_named_and_only_that(run: Run) -> None:
    """Every glob must name something, or nothing is dropped."""
    run("apply", "--auto-approve")
    assert run("state", "rm", "alarm.disk", "alarm.nothing").code == 1
    assert len(run("state", "list").out.splitlines()) == 5
    dropped = run("state", "rm", "alarm.disk")
    assert (dropped.code, dropped.out) == (0, "") and "2 resources" in dropped.err
    assert len(run("state", "list").out.splitlines()) == 3


def test_a_pulled_state_is_the_file(run: Run, project: Path) -> None:
    """Byte for byte, once the journal is folded in."""
    run("apply", "--auto-approve")
    assert run("state", "pull").out == (project / "state" / "default.json").read_text(encoding="utf-8")
    assert run("show", "--json").out == run("state", "pull").out
