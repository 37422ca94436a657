"""`checks:` on the command line: refused by every command that plans, listed with the guards, loaded only when asked for."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.conftest import CONFIG, Run

RULES = """
guards: {max_triggers: 0}
checks:
  named-teams:
    when: change.kind == "alarm" && change.action == "report"
    require: has(change.after.metadata)
    message: name a team
"""


def with_config(project: Path, more: str) -> None:
    """The project's config and this."""
    (project / "reconcile.yaml").write_text(CONFIG + more, encoding="utf-8")


def test_every_reason_is_listed_and_the_code_is_6(run: Run, project: Path) -> None:
    """Guards and checks together, for plan, a saved plan, apply and the plan file; nothing is sent, no state is made."""
    with_config(project, RULES)
    for argv in (("plan",), ("plan", "--out", "saved.json"), ("plan", "--detailed-exitcode"), ("apply", "--auto-approve")):
        ran = run(*argv)
        assert ran.code == 6
        assert ran.out.count("check `named-teams`: name a team") == 3 and "task would be triggered" in ran.out.replace(
            "tasks", "task"
        )
    document = json.loads(run("plan", "--json").out)
    assert [row["kind"] for row in document["violations"]] == ["triggers", "check", "check", "check"]
    assert run("apply", "saved.json").code == 6
    assert not (project / "state" / "default.json").exists()


def test_a_rule_that_came_after_the_plan_holds_for_its_apply(run: Run, project: Path) -> None:
    """And for a destroy; a plan that keeps to it goes through."""
    assert run("plan", "--out", "saved.json").code == 0
    with_config(project, RULES.replace("guards: {max_triggers: 0}\n", ""))
    assert run("apply", "saved.json").code == 6
    with_config(project, "checks:\n  standing: {over: plan, require: '!plan.destroy'}\n")
    assert run("apply", "saved.json").code == 0
    assert run("destroy", "--auto-approve").code == 6
    assert run("plan", "--destroy").code == 6
    assert run("plan").code == 0


def test_a_broken_rule_is_an_error_of_the_config_with_its_place(run: Run, project: Path) -> None:
    """Before anything else happens."""
    with_config(project, "checks:\n  slip: {require: 'chagne.action == 1'}\n")
    for argv in (("validate",), ("plan",), ("apply", "--auto-approve"), ("destroy", "--auto-approve")):
        ran = run(*argv)
        assert ran.code == 10
        assert "reconcile.yaml:4:20: error[C078]: there is no `chagne` here" in ran.out + ran.err


def ran_apart(project: Path, *argv: str, before: str = "pass") -> tuple[int, bool, str]:
    """In a process of its own: the exit code, whether the library was loaded, and what was said."""
    lines = ["import sys", before, "from reconcile.cli.main import main", f"code = main({list(argv)!r})"]
    told = "print(code, bool(sys.modules.get('cel')))"
    ran = subprocess.run(
        [sys.executable, "-c", "\n".join([*lines, told])], cwd=project, capture_output=True, text=True, check=True
    )
    code, loaded = ran.stdout.splitlines()[-1].split()
    return int(code), loaded == "True", ran.stderr


def test_the_library_is_loaded_only_for_checks(project: Path) -> None:
    """The others pay nothing."""
    assert ran_apart(project, "plan")[:2] == (0, False)
    with_config(project, "checks:\n  fine: {require: 'true'}\n")
    assert ran_apart(project, "plan")[:2] == (0, True)


@pytest.mark.parametrize("command", ["plan", "apply"])
def test_checks_without_the_library_are_no_free_pass(project: Path, command: str) -> None:
    """A policy that cannot be asked stops the run, and says what to install."""
    with_config(project, "checks:\n  fine: {require: 'true'}\n")
    argv = ["plan"] if command == "plan" else ["apply", "--auto-approve"]
    code, _, text = ran_apart(project, *argv, before="sys.modules['cel'] = None")
    assert code == 10 and "pip install '.[checks]'" in text
