"""Exit codes and streams of every command (contract sections 8 and 9)."""

from __future__ import annotations

import json
import re
import stat
from pathlib import Path

import pytest

from reconcile.cli.root import COMMANDS
from tests.cli.conftest import Run


@pytest.mark.parametrize(
    "argv",
    [
        (),
        ("plann",),
        ("state",),
        ("state", "lsit"),
        ("state", "show"),
        ("state", "mv", "alarm.a"),
        ("state", "mv", "nonsense", "alarm.b"),
        ("state", "rm"),
        ("--no-such-option",),
        ("plan", "--no-such-option"),
        ("plan", "extra"),
        ("plan", "--color", "pink"),
        ("plan", "--allow", "clears"),
        ("plan", "--allow", "empty=3"),
        ("plan", "--allow", "reports=3"),
        ("plan", "--as-of", "yesterday"),
        ("plan", "--as-of", "2026-11-20T08:00:00"),
        ("plan", "--out", "."),
        ("validate", "--format", "xml"),
        ("apply",),
        ("apply", "--json"),
        ("apply", "no-such-file"),
        ("apply", "plan.json", "--target", "x"),
        ("apply", "--auto-approve", "--lock-timeout", "soon"),
        ("destroy",),
        ("show", "no-such-file"),
        ("show", "--full"),
        ("emulator", "--port", "70000"),
        ("emulator", "--fault", "nonsense"),
    ],
)
def test_a_wrong_command_line_is_64(run: Run, argv: tuple[str, ...]) -> None:
    """Never click's own 2; words on stderr, nothing on stdout."""
    ran = run(*argv)
    assert ran.code == 64, ran
    assert ran.out == "" and ran.err != ""


@pytest.mark.parametrize("command", [(), *((name,) for name in COMMANDS), ("state", "mv"), ("state", "list")])
def test_help_is_0_and_shows_an_example(run: Run, command: tuple[str, ...]) -> None:
    """Of every command: a purpose, an example, the options."""
    ran = run(*command, "--help")
    assert (ran.code, ran.err) == (0, "")
    assert "reconcile " in ran.out and "Example" in ran.out and "--color" in ran.out


def test_the_list_of_commands_says_what_the_commands_say(run: Run) -> None:
    """The purposes of the table are the first sentences of the commands."""
    for name, entry in COMMANDS.items():
        assert entry.purpose.rstrip(".") in " ".join(run(name, "--help").out.split())


def test_the_version_is_told_in_both_spellings(run: Run) -> None:
    """As a command and as an option."""
    assert run("version") == run("--version")
    assert run("version").code == 0


def test_plan_exits_0_and_2_only_when_asked(run: Run) -> None:
    """`--detailed-exitcode` says that there are changes."""
    assert run("plan").code == 0
    assert run("plan", "--detailed-exitcode").code == 2
    assert run("apply", "--auto-approve").code == 0
    after = run("plan", "--detailed-exitcode")
    assert after.code == 0
    assert after.out.endswith("No changes. 5 resources match the specs.\n")


def test_renewals_and_deferrals_alone_are_0(run: Run, project: Path) -> None:
    """They are no changes."""
    assert run("apply", "--auto-approve").code == 0
    (project / "specs" / "more.yaml").write_text(
        (project / "specs" / "web.yaml")
        .read_text()
        .split("handlings:")[1]
        .join(["handlings:", ""])
        .replace("web-restart", "again")
        .replace("    alarm_id: ALM2025071417361705s6mUUrF\n", "")
    )
    later = run("plan", "--detailed-exitcode", "--as-of", "2040-01-01T00:00:00Z")
    assert later.code == 2  # all have expired by then
    assert run("plan", "--detailed-exitcode").out.endswith("1 deferred.\n")
    assert run("plan", "--detailed-exitcode").code == 0


def test_invalid_specs_are_10_with_the_answer_where_it_belongs(run: Run, project: Path) -> None:
    """`validate` answers on stdout; for the other commands it is an error."""
    (project / "specs" / "bad.yaml").write_text("alarms:\n  x: {severity: Critcal}\n", encoding="utf-8")
    validated, planned, applied = run("validate"), run("plan"), run("apply", "--auto-approve")
    assert validated.code == planned.code == applied.code == 10
    assert "bad.yaml:2:" in validated.out and validated.err == ""
    assert planned.out == applied.out == "" and "bad.yaml:2:" in planned.err
    assert run("plan", "--json").out == ""


@pytest.mark.parametrize("form", ["github", "json", "sarif"])
def test_validate_speaks_to_machines(run: Run, project: Path, form: str) -> None:
    """Good and bad alike, in the format asked for."""
    assert run("validate", "--format", form).code == 0
    (project / "specs" / "bad.yaml").write_text("alarms: {x: 1}\n", encoding="utf-8")
    out = run("validate", "--format", form).out
    assert out.startswith("::error file=specs/bad.yaml,line=1") if form == "github" else json.loads(out)


def test_a_guard_is_6_and_the_plan_is_still_shown(run: Run, project: Path) -> None:
    """By plan and by apply, as text and as JSON."""
    assert run("apply", "--auto-approve").code == 0
    (project / "specs" / "web.yaml").write_text("", encoding="utf-8")
    planned, applied = run("plan"), run("apply", "--auto-approve")
    assert planned.code == applied.code == 6
    for ran in (planned, applied):
        assert "REFUSED" in ran.out and "3 to clear" in ran.out and ran.err.startswith("Error: ")
    document = json.loads(run("plan", "--json").out)
    assert [row["kind"] for row in document["violations"]] == ["empty"]
    lines = [json.loads(line) for line in run("apply", "--auto-approve", "--json").out.splitlines()]
    assert lines[-1] == {"type": "summary", "exit_code": 6, "counts": {}}
    assert sum(line["type"] == "change" for line in lines) == 5
    assert run("plan", "--allow", "empty").code == 0


def test_a_locked_state_is_4(run: Run, project: Path) -> None:
    """While another run holds the lock; the error says who."""
    from reconcile.cli.given import Given
    from reconcile.cli.wiring import Session

    with Session(Given()).store.session(operation="apply", timeout=0):
        ran = run("apply", "--auto-approve")
        assert ran.code == 4 and ran.out == "" and "lock" in ran.err
        assert run("plan").code == 0


def test_a_saved_plan_is_private_and_does_exactly_what_it_says(run: Run, project: Path) -> None:
    """0600; applied once; again there is nothing to do."""
    saved = run("plan", "--out", "plan.json")
    assert "Saved to plan.json" in saved.out and saved.code == 0
    assert stat.S_IMODE((project / "plan.json").stat().st_mode) == 0o600
    assert run("show", "plan.json").out.splitlines()[-1] == saved.out.splitlines()[-1]
    assert run("show", "plan.json", "--json").out == (project / "plan.json").read_text()
    assert run("show", "plan.json", "--detailed-exitcode").code == 2
    assert run("apply", "plan.json").code == 0
    again = run("apply", "plan.json")
    assert again.code == 0 and "No changes." in again.out


def test_an_altered_or_stale_plan_is_5(run: Run, project: Path) -> None:
    """One byte is enough; so are other specs."""
    run("plan", "--out", "plan.json")
    text = (project / "plan.json").read_text()
    (project / "plan.json").write_text(text.replace('"Major"', '"Minor"', 1))
    assert run("apply", "plan.json").code == run("show", "plan.json").code == 5
    (project / "plan.json").write_text(text)
    web = project / "specs" / "web.yaml"
    web.write_text(web.read_text().replace("Major", "Critical"))
    stale = run("apply", "plan.json")
    assert stale.code == 5 and stale.out == "" and "Error: " in stale.err


def test_only_a_regular_file_is_replaced_by_a_plan(run: Run, project: Path) -> None:
    """Links and devices stay what they are."""
    (project / "link.json").symlink_to("elsewhere.json")
    assert run("plan", "--out", "link.json").code == 64
    assert not (project / "elsewhere.json").exists() and (project / "link.json").is_symlink()


def test_an_apply_in_json_is_json_from_the_first_byte_to_the_last(run: Run) -> None:
    """Version first, a row per change and step, the summary last; stderr stays silent."""
    ran = run("apply", "--auto-approve", "--json")
    rows = [json.loads(line) for line in ran.out.splitlines()]
    assert ran.code == 0 and ran.err == ""
    assert [row["type"] for row in rows] == ["version"] + ["change"] * 5 + ["progress"] * 5 + ["summary"]
    assert rows[-1]["exit_code"] == 0 and rows[-1]["counts"]["done"] == 5


def test_an_unexpected_failure_is_1_in_one_line(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """With -v it says where it comes from; no control character gets out."""

    def explode(*args: object, **settings: object) -> None:
        raise RuntimeError("boom \x1b[2J")

    monkeypatch.setattr("reconcile.engine.plan", explode)
    ran = run("plan")
    assert (ran.code, ran.out) == (1, "")
    assert ran.err == "Error: unexpected RuntimeError: boom \\x1b[2J\n\nHint: add -v to see where it comes from\n"
    assert "Traceback" in run("plan", "-v").err and "\x1b" not in run("plan", "-v").err


def test_a_broken_state_is_1_and_stays_as_it_is(run: Run, project: Path) -> None:
    """For every command that reads it."""
    (project / "state").mkdir()
    (project / "state" / "default.json").write_text("{", encoding="utf-8")
    for argv in (("plan",), ("apply", "--auto-approve"), ("show",), ("state", "list"), ("state", "pull")):
        assert run(*argv).code == 1
    assert (project / "state" / "default.json").read_text() == "{"


def test_quiet_keeps_the_answer_and_drops_the_rest(run: Run, project: Path) -> None:
    """The plan and the account stay on stdout; nothing is on stderr but errors."""
    loud = run("plan")
    ran = run("apply", "--auto-approve", "-q")
    assert ran.code == 0 and ran.err == ""
    assert loud.out.splitlines()[-1] in ran.out and ran.out.endswith("1 task triggered. State serial 1.\n")
    assert run("plan", "--state", "nowhere.json", "-q").err == ""


def test_after_a_partial_failure_the_way_on_is_told(run: Run, project: Path) -> None:
    """With a plan file the same file runs what is left; not told where nobody wants notes, or nothing failed."""
    web = project / "specs" / "web.yaml"
    web.write_text(web.read_text("utf-8").replace("ALM2025071417361705s6mUUrF", "ALM1"), "utf-8")
    run("plan", "--out", "the plan.json")
    ran = run("apply", "the plan.json")
    assert ran.code == 3 and "What is left of the same plan:  reconcile apply 'the plan.json'\n" in ran.err
    assert "What is left" not in run("apply", "the plan.json", "-q").err
    assert "What is left" not in run("apply", "--auto-approve").err


def test_a_stale_plan_is_refused_with_what_moved_and_who_moved_it(run: Run, project: Path) -> None:
    """Of the state its writer and time; of the specs each address that would be planned otherwise."""
    assert run("apply", "--auto-approve").code == 0
    web = project / "specs" / "web.yaml"
    planned = web.read_text("utf-8").replace("CPU above 90 %", "CPU above 95 %")
    web.write_text(planned, "utf-8")
    assert run("plan", "--out", "plan.json").code == 0
    web.write_text(planned.replace("above 95 %", "above 96 %").replace("Minor", "Info"), "utf-8")
    ran = run("apply", "plan.json")
    assert ran.code == 5 and "Error: the specs or targets changed since the plan was made\n" in ran.err
    assert 'alarm.disk["data"]: not in the plan, now update' in ran.err
    assert "alarm.web-cpu: planned update, now to other content" in ran.err
    web.write_text(planned, "utf-8")
    assert run("apply", "--auto-approve").code == 0
    ran = run("apply", "plan.json")
    assert ran.code == 5 and re.search(r"now 2, last written by \S+@\S+ \(apply, 20[0-9T:-]+Z\)\n", ran.err), ran.err
    assert "alarm.web-cpu: planned update, now nothing to do" in ran.err


def test_a_long_list_of_what_moved_is_cut(run: Run, project: Path) -> None:
    """With the number of the rest."""
    spec = "alarms:\n" + "".join(
        f"  a{number}: {{severity: Info, resource: {{provider: p, type: t, id: i{number}}}, message: m}}\n"
        for number in range(50)
    )
    (project / "specs" / "web.yaml").write_text(spec, "utf-8")
    assert run("plan", "--out", "plan.json").code == 0
    (project / "specs" / "web.yaml").write_text(spec.replace("message: m", "message: n"), "utf-8")
    ran = run("apply", "plan.json")
    assert ran.code == 5 and ran.err.count("planned report") == 20 and "... and 30 more\n" in ran.err
