"""The state as a whole: pushed, brought back, unlocked, moved elsewhere; refused where it would lose something."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.conftest import Run


@pytest.fixture
def twice(run: Run, project: Path) -> Path:
    """A state at serial 2 with a backup at serial 1; `first.json` is the first, as pulled."""
    run("apply", "--auto-approve")
    (project / "first.json").write_text(run("state", "pull").out, encoding="utf-8")
    assert run("state", "rm", "event.deployed").code == 0
    return project / "state" / "default.json"


def changed(file: Path, to: Path, **keys: object) -> str:
    """A copy of a state file with other top-level values."""
    to.write_text(json.dumps(json.loads(file.read_text()) | keys), encoding="utf-8")
    return to.name


def test_an_older_a_foreign_and_a_broken_state_are_refused(run: Run, project: Path, twice: Path) -> None:
    """And the state stays as it is, byte for byte; --force takes the older one as the next serial, never another stack's."""
    before = twice.read_bytes()
    assert run("state", "push", "first.json").code == 1
    foreign = changed(twice, project / "foreign.json", lineage="other", serial=9)
    other = changed(twice, project / "other.json", stack="other", serial=9)
    assert run("state", "push", foreign).code == run("state", "push", other).code == 1
    assert run("state", "push", "--force", other).code == 1
    named = (project / "reconcile.yaml").read_text()
    (project / "reconcile.yaml").write_text("version: 1\n")
    assert run("state", "push", "--force", other).code == 1
    (project / "reconcile.yaml").write_text(named)
    (project / "broken.json").write_text("{")
    assert run("state", "push", "--force", "broken.json").code == 1
    assert run("state", "push", "nowhere.json").code == 64
    assert twice.read_bytes() == before
    assert run("state", "push", "--force", "first.json").code == 0
    now = json.loads(twice.read_text())
    assert now["serial"] == 3 and "event.deployed" in now["resources"]
    assert (project / "state" / "default.json.backup").read_bytes() == before


def test_a_newer_state_of_the_same_lineage_is_taken(run: Run, project: Path, twice: Path) -> None:
    """That is what `pull`, edit, `push` is for; pushing it again writes nothing."""
    newer = changed(project / "first.json", project / "newer.json", serial=7)
    assert run("state", "push", newer).code == 0
    before = twice.read_bytes()
    assert run("state", "push", newer).code == 0 and twice.read_bytes() == before
    assert json.loads(before)["serial"] == 7


def test_the_backup_comes_back(run: Run, twice: Path) -> None:
    """As the next serial; by its name or its serial; an unknown one is refused."""
    rows = json.loads(run("state", "history", "--json").out)
    assert [row["serial"] for row in rows] == [2, 1]
    assert run("state", "history").out.startswith("serial 2  ")
    assert run("state", "restore", "backup").code == 0
    now = json.loads(twice.read_text())
    assert now["serial"] == 3 and "event.deployed" in now["resources"] and now["last_run"]["command"] == "state restore"
    assert run("state", "restore", "99").code == 1
    assert run("state", "restore", "latest").code == 64


def test_protection_is_lifted_by_hand(run: Run, project: Path) -> None:
    """What the state remembers outlives the YAML, until a person says otherwise."""
    web = project / "specs" / "web.yaml"
    text = web.read_text()
    web.write_text(text.replace("message: CPU above 90 %", "message: x\n    lifecycle: {protect: true}"))
    run("apply", "--auto-approve")
    web.write_text(text.replace("  web-cpu:", "  disk2:").split("handlings:")[0].replace("id: ecs-1}", "id: ecs-9}"))
    assert run("plan", "--allow", "clears=9").code == 6
    assert run("state", "unprotect", "alarm.web-cpu").code == 0
    assert run("plan", "--allow", "clears=9").code == 0
    assert run("state", "unprotect", "alarm.nothing").code == 1


def test_a_local_lock_needs_no_breaking(run: Run, twice: Path) -> None:
    """The kernel frees it; a living holder keeps it."""
    from reconcile.cli.given import Given
    from reconcile.cli.wiring import Session

    assert run("state", "unlock").code == 0
    with Session(Given()).store.session(operation="apply", timeout=0):
        assert run("state", "unlock").code == 4
        assert run("state", "push", "first.json", "--force").code == 4


def test_a_state_moves_to_another_place(run: Run, project: Path, twice: Path) -> None:
    """Named as a file or by a config; the old one stays; one that is in use by another state is refused."""
    assert run("state", "migrate", "--to", "state/other.json").code == 0
    assert json.loads((project / "state" / "other.json").read_text())["resources"] == json.loads(twice.read_text())["resources"]
    (project / "next.yaml").write_text("version: 1\nstack: demo\nstate: state/next.json\n")
    assert run("state", "migrate", "--to", "next.yaml").code == 0
    assert run("plan", "--config", "next.yaml", "--detailed-exitcode").code == 2  # the event was dropped
    assert run("state", "migrate", "--to", "state/default.json").code == 64
    changed(twice, project / "state" / "foreign.json", lineage="other")
    assert run("state", "migrate", "--to", "state/foreign.json").code == 1
    assert run("state", "migrate", "--to", "state/x.json", "--config", "empty.yaml").code == 10
