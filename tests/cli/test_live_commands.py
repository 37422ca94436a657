"""Commands that ask what is live: `plan --refresh`, `drift`, `renew`."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path

from tests.cli.conftest import Run


def clear_outside(project: Path) -> None:
    """Take one active alarm away from the embedded world, as somebody else would."""
    with closing(sqlite3.connect(project / "state" / "emulator.sqlite")) as world, world:
        world.execute("DELETE FROM records WHERE number = (SELECT min(number) FROM records)")


def test_drift_exits_2_unless_told_otherwise_and_writes_nothing(run: Run, project: Path) -> None:
    """One alarm is missing; an ignored one does not count."""
    run("apply", "--auto-approve")
    calm = run("drift")
    assert calm.code == 0 and calm.out.endswith("No drift. 3 alarms looked at.\n")
    clear_outside(project)
    before = {path: path.read_bytes() for path in (project / "state").glob("default.json*")}
    found = run("drift")
    assert found.code == 2 and "missing" in found.out.splitlines()[-1]
    assert run("drift", "--no-detailed-exitcode").code == 0
    assert run("drift", "--ignore", "alarm.*").code == 0
    document = json.loads(run("drift", "--json").out)
    assert document["summary"]["missing"] == 1 and len(document["drift"]) == 1
    assert {path: path.read_bytes() for path in (project / "state").glob("default.json*")} == before


def test_a_refreshed_plan_repairs_what_the_state_does_not_see(run: Run, project: Path) -> None:
    """Without --refresh nothing is known of it; with it, a plan file carries the repair."""
    run("apply", "--auto-approve")
    clear_outside(project)
    assert run("plan", "--detailed-exitcode").code == 0
    assert run("plan", "--refresh", "--detailed-exitcode", "--out", "plan.json").code == 2
    applied = run("apply", "plan.json")
    assert applied.code == 0 and "1 reported" in applied.out
    assert run("drift").code == 0


def test_renew_does_nothing_but_renew(run: Run, project: Path) -> None:
    """A new alarm waits for an apply."""
    run("apply", "--auto-approve")
    web = project / "specs" / "web.yaml"
    web.write_text(web.read_text().replace("[data, logs]", "[data, logs, tmp]"))
    renewed = run("renew", "--auto-approve")
    assert renewed.code == 0 and "to report" not in renewed.out
    assert run("plan", "--detailed-exitcode").code == 2
