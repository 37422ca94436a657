"""A plan elsewhere than in the terminal: several files in one run, each whole or not at all; metrics also of failures."""

from __future__ import annotations

import json
import stat
from pathlib import Path

import pytest

from reconcile.cli.commands.plan import plan as plan_command
from tests.cli.conftest import Run


def test_several_reports_in_one_run(run: Run, project: Path) -> None:
    """The text goes on to the terminal; the files are there for others to read."""
    text = run("plan").out
    ran = run(
        "plan", "--out", "p.json", "--markdown", "m.md", "--html", "h.html", "--gitlab-report", "g.json", "--dotenv", "d.env"
    )
    assert ran.code == 0 and ran.out.splitlines()[1:-3] == text.splitlines()[1:][: len(ran.out.splitlines()[1:-3])]
    assert (project / "m.md").read_text().startswith("<!-- reconcile:plan stack=demo -->")
    assert (project / "h.html").read_text().startswith("<!doctype html>")
    assert json.loads((project / "g.json").read_text()) == {"create": 4, "update": 0, "delete": 0}
    assert "RECONCILE_CHANGES=true\n" in (project / "d.env").read_text()
    assert stat.S_IMODE((project / "m.md").stat().st_mode) == 0o644
    assert stat.S_IMODE((project / "p.json").stat().st_mode) == 0o600
    shown = run("show", "p.json", "--markdown", "-")
    assert shown.out == (project / "m.md").read_text()


@pytest.mark.parametrize("option", ["--markdown", "--html", "--gitlab-report", "--dotenv", "--metrics"])
def test_a_dash_is_stdout_and_only_one_can_have_it(run: Run, option: str) -> None:
    """Instead of the text; two, or one and --json, are a wrong command line."""
    ran = run("plan", option, "-")
    assert ran.code == 0 and ran.out and "Changes\n" not in ran.out
    assert run("plan", option, "-", "--json").code == 64
    other = "--html" if option != "--html" else "--markdown"
    assert run("plan", option, "-", other, "-").code == 64


def test_a_report_replaces_regular_files_only(run: Run, project: Path) -> None:
    """A link stays a link; a folder that is not there is told."""
    (project / "link.md").symlink_to("elsewhere.md")
    assert run("plan", "--markdown", "link.md").code == 64
    assert not (project / "elsewhere.md").exists()
    assert run("plan", "--markdown", "nowhere/x.md").code == 64
    assert [path.name for path in project.glob(".link*")] == []


def test_github_gets_annotations_outputs_and_a_summary(run: Run, project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Only with --github, and only where the runner names the files; what was in them stays."""
    (project / "out.txt").write_text("before=1\n")
    monkeypatch.setenv("GITHUB_OUTPUT", str(project / "out.txt"))
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(project / "summary.md"))
    assert run("plan").code == 0 and (project / "out.txt").read_text() == "before=1\n"
    ran = run("plan", "--github", "--detailed-exitcode", "--log-format", "json")
    lines = (project / "out.txt").read_text().splitlines()
    assert lines[:2] == ["before=1", "changes=true"] and lines[-1] == "exit_code=2" and ran.code == 2
    assert ran.err.startswith("::warning file=specs/web.yaml,line=")
    assert "### Alarm plan for `demo`" in (project / "summary.md").read_text()


def test_a_refused_plan_is_reported_too(run: Run, project: Path) -> None:
    """With the code that the run ends with."""
    run("apply", "--auto-approve")
    (project / "specs" / "web.yaml").write_text("")
    assert run("plan", "--markdown", "m.md", "--dotenv", "d.env", "--github").code == 6
    assert "**refused**" in (project / "m.md").read_text()
    assert "RECONCILE_EXIT_CODE=6" in (project / "d.env").read_text()


def test_metrics_tell_how_a_run_ended_also_when_it_failed(run: Run, project: Path) -> None:
    """The last success survives a failure."""
    assert run("apply", "--auto-approve", "--metrics", "m.prom").code == 0
    good = (project / "m.prom").read_text()
    assert 'reconcile_managed_resources{kind="alarm",stack="demo"} 3.0' in good
    assert 'reconcile_last_run_exit_code{command="apply",stack="demo"} 0.0' in good
    (project / "specs" / "web.yaml").write_text("")
    assert run("apply", "--auto-approve", "--metrics", "m.prom").code == 6
    bad = (project / "m.prom").read_text()
    success = [line for line in good.splitlines() if line.startswith("reconcile_last_success")]
    assert success and success[0] in bad
    assert 'reconcile_last_run_exit_code{command="apply",stack="demo"} 6.0' in bad
    assert 'reconcile_plan_changes{action="clear",stack="demo"} 3.0' in bad


def test_metrics_of_drift_and_renew(run: Run, project: Path) -> None:
    """Each command under its own name; a text answer steps aside for `-`."""
    run("apply", "--auto-approve")
    told = run("drift", "--metrics", "-")
    assert told.code == 0 and told.out.startswith("# HELP") and 'reconcile_drifted_alarms{kind="missing"' in told.out
    told = run("renew", "--auto-approve", "--metrics", "-")
    assert told.code == 0 and told.out.startswith("# HELP") and 'command="renew"' in told.out
    assert run("apply", "--auto-approve", "--json", "--metrics", "-").code == 64


def test_metrics_that_cannot_be_written_are_never_0(run: Run, project: Path) -> None:
    """The apply itself is done and saved."""
    (project / "m.prom").mkdir()
    assert run("apply", "--auto-approve", "--metrics", "m.prom").code == 64
    assert json.loads((project / "state" / "default.json").read_text())["serial"] == 1


def test_drift_as_markdown(run: Run, project: Path) -> None:
    """Beside the text, or instead of it."""
    run("apply", "--auto-approve")
    ran = run("drift", "--markdown", "d.md")
    assert ran.code == 0 and "No drift." in ran.out
    assert (project / "d.md").read_text().startswith("<!-- reconcile:drift stack=demo -->\n\n### Alarm drift for `demo`")
    assert run("drift", "--markdown", "-", "--json").code == 64


def test_the_reports_have_variables(run: Run, project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As every option has."""
    assert {"RECONCILE_MARKDOWN", "RECONCILE_HTML", "RECONCILE_METRICS"} <= {str(p.envvar) for p in plan_command.params}
    monkeypatch.setenv("RECONCILE_MARKDOWN", "env.md")
    assert run("plan").code == 0 and (project / "env.md").exists()
