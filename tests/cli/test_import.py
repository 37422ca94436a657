"""`import`: one live alarm by its id, or specs for what nobody declared."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.conftest import Run

HOSTILE = "a: ${env.HOME} \x1b[2J # 'no'\n\u202e\"磁盘\" "


def forget_everything(run: Run, project: Path) -> dict[str, str]:
    """Leave the alarms active, without anybody's stamp and without a state. Their ids by address."""
    (project / "reconcile.yaml").write_text(
        "version: 1\nstack: demo\ntargets: {aom: {type: aom, stamp: false}, coc: {type: coc}}\n"
    )
    web = project / "specs" / "web.yaml"
    text = web.read_text(encoding="utf-8").replace("message: CPU above 90 %", "message: " + yaml_text(HOSTILE))
    web.write_text(
        text.replace("    name: CPU usage high\n", "    name: CPU usage high\n    timeout: 90s\n    metadata: {n: '0777'}\n")
    )
    assert run("apply", "--auto-approve").code == 0
    recorded = json.loads(run("state", "pull").out)["resources"]
    for path in (project / "state").glob("default.json*"):
        path.unlink()
    return {address: record["remote_id"] for address, record in recorded.items() if record["kind"] == "alarm"}


def yaml_text(text: str) -> str:
    """As a double-quoted scalar that means this very text."""
    return json.dumps(text.replace("${", "$${"))


def test_what_nobody_declared_becomes_specs_that_adopt_it(run: Run, project: Path) -> None:
    """Valid at once; --adopt then shows adopt and nothing else, and after it there is nothing to do."""
    forget_everything(run, project)
    (project / "specs" / "web.yaml").unlink()
    written = run("import", "--unmanaged", "--out", "specs/taken.yaml")
    assert written.code == 0 and "3 alarms" in written.err, written
    assert "\x1b" not in (project / "specs" / "taken.yaml").read_text(encoding="utf-8")
    assert run("validate").code == 0
    planned = run("plan", "--adopt")
    assert planned.code == 0 and planned.out.endswith("Plan: 3 to adopt.\n"), planned
    assert run("apply", "--adopt", "--auto-approve").code == 0
    assert run("plan", "--detailed-exitcode", "--refresh").code == 0
    assert run("import", "--unmanaged").out == ""


def test_only_what_is_asked_for_and_not_declared_is_written(run: Run, project: Path) -> None:
    """--name chooses; what the specs declare is left out; an existing file is never overwritten."""
    forget_everything(run, project)
    assert run("import", "--unmanaged").out == ""
    (project / "specs" / "web.yaml").unlink()
    assert run("import", "--unmanaged", "--name", "CPU*").out.count("severity:") == 1
    (project / "there.yaml").write_text("mine")
    assert run("import", "--unmanaged", "--out", "there.yaml").code == 64
    assert (project / "there.yaml").read_text() == "mine"


def test_one_alarm_is_taken_over_by_its_id(run: Run, project: Path) -> None:
    """Its identity must be the declared one; nothing is sent."""
    ids = forget_everything(run, project)
    assert run("import", "alarm.web-cpu", ids['alarm.disk["data"]']).code == 6
    taken = run("import", "alarm.web-cpu", ids["alarm.web-cpu"])
    assert taken.code == 0 and "now owns the alarm" in taken.out
    assert run("import", "alarm.web-cpu", ids["alarm.web-cpu"]).code == 1
    assert run("state", "list").out == "alarm.web-cpu\n"
    assert run("import", "alarm.nowhere", "1").code == 1


@pytest.mark.parametrize(
    "argv",
    [
        (),
        ("alarm.web-cpu",),
        ("event.deployed", "1"),
        ("x", "1"),
        ("alarm.a", "1", "--unmanaged"),
        ("alarm.a", "1", "--name", "x"),
    ],
)
def test_a_half_said_import_is_64(run: Run, argv: tuple[str, ...]) -> None:
    """Either ADDRESS and ID, or --unmanaged."""
    assert run("import", *argv).code == 64
