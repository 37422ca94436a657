"""`@FILE` for globs: what stands in it counts as given, and what is no list is a wrong command line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.conftest import Run


def planned(run: Run, *argv: str) -> set[str]:
    """The addresses of the plan."""
    return {row["address"] for row in json.loads(run("plan", "--json", *argv).out)["changes"]}


def test_a_file_stands_for_the_globs_in_it(run: Run, project: Path) -> None:
    """Comments, empty lines, spaces, a byte order mark and Windows line ends are passed over; more globs may stand beside it."""
    (project / "list.txt").write_bytes('\ufeff# mine\r\n\r\n  alarm.disk["data"]\r\nevent.*\r\n'.encode())
    assert planned(run, "--target", "@list.txt") == {'alarm.disk["data"]', "event.deployed"}
    assert planned(run, "--target", "@list.txt", "--target", "alarm.web-*") == {
        'alarm.disk["data"]',
        "event.deployed",
        "alarm.web-cpu",
    }
    assert planned(run, "--exclude", "@list.txt") == {'alarm.disk["logs"]', "alarm.web-cpu", "handling.web-restart"}


def test_a_saved_plan_holds_the_globs_and_not_the_file(run: Run, project: Path) -> None:
    """It applies the same when the file is gone."""
    (project / "list.txt").write_text("alarm.web-cpu\n")
    assert run("plan", "--target", "@list.txt", "--out", "saved.json").code == 0
    (project / "list.txt").unlink()
    assert run("apply", "saved.json").code == 0
    assert run("state", "list").out == "alarm.web-cpu\n"


def test_the_file_is_looked_for_where_the_command_works(run: Run, project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Relative to -C; also by the variable."""
    (project / "list.txt").write_text("event.deployed\n")
    monkeypatch.chdir("/")
    monkeypatch.setenv("RECONCILE_TARGET", "@list.txt")
    assert planned(run, "-C", str(project)) == {"event.deployed"}


@pytest.mark.parametrize(
    ("argument", "text", "told"),
    [
        ("@missing.txt", None, "cannot be read"),
        ("@", None, "cannot be read"),
        ("@specs", None, "directory"),
        ("@list.txt", b"", "names nothing"),
        ("@list.txt", b"# nothing\n\n", "names nothing"),
        ("@list.txt", b"\xff\xfe", "not UTF-8"),
        ("@list.txt", b"@other.txt\n", "would be another file"),
    ],
)
@pytest.mark.parametrize("option", ["--target", "--exclude", "--replace", "--rerun"])
def test_what_is_no_list_is_a_wrong_command_line(
    run: Run, project: Path, option: str, argument: str, text: bytes | None, told: str
) -> None:
    """A slip must not become a plan of everything, or of nothing."""
    if text is not None:
        (project / "list.txt").write_bytes(text)
    for command in (["plan"], ["apply", "--auto-approve"], ["destroy", "--auto-approve"], ["renew", "--auto-approve"]):
        ran = run(*command, option, argument)
        assert ran.code == 64 and told in ran.err and f"{option} {argument}" in ran.err and not ran.out
    assert not (project / "state" / "default.json").exists()


def test_what_is_forced_may_stand_in_a_file(run: Run, project: Path) -> None:
    """`--replace @FILE` and `--rerun @FILE`."""
    assert run("apply", "--auto-approve").code == 0
    (project / "alarms.txt").write_text('# again\nalarm.disk["data"]\n')
    (project / "tasks.txt").write_text("handling.*\n")
    document = json.loads(run("plan", "--json", "--replace", "@alarms.txt", "--rerun", "@tasks.txt").out)
    found = [(row["address"], row["action"]) for row in document["changes"]]
    assert found == [('alarm.disk["data"]', "replace"), ("handling.web-restart", "trigger")]


@pytest.mark.parametrize(
    ("argv", "told"),
    [
        (("--replace", "handling.web-restart"), "--replace takes alarms, and handling.web-restart is none"),
        (("--replace", "event.*"), "--replace takes alarms"),
        (("--rerun", "alarm.web-cpu"), "--rerun takes handlings"),
        (("--on", "nowhere"), "--on nowhere: no such target is configured"),
    ],
)
def test_what_can_mean_nothing_is_a_wrong_command_line(run: Run, project: Path, argv: tuple[str, str], told: str) -> None:
    """A plan of nothing would look like success; `--json` says it too."""
    for command in (["plan"], ["apply", "--auto-approve"], ["renew", "--auto-approve"]):
        ran = run(*command, *argv)
        assert ran.code == 64 and told in ran.err and not ran.out
    lines = run("apply", "--auto-approve", "--json", "--on", "nowhere").out.splitlines()
    assert json.loads(lines[-1])["exit_code"] == 64
    assert not (project / "state" / "default.json").exists()


def test_drift_takes_a_file_too(run: Run, project: Path) -> None:
    """`--ignore @FILE`; a missing one is 64."""
    assert run("apply", "--auto-approve").code == 0
    (project / "ignored").write_text("alarm.disk*#message\n")
    assert run("drift", "--ignore", "@ignored").code == 0
    assert run("drift", "--ignore", "@nowhere").code == 64


def test_ten_thousand_names_are_looked_up_and_not_tried(run: Run, project: Path) -> None:
    """The first of those that name nothing are told; the one that does is planned."""
    (project / "list.txt").write_text("".join(f"alarm.a{number}\n" for number in range(10_000)) + "alarm.web-cpu\n")
    document = json.loads(run("plan", "--json", "--target", "@list.txt").out)
    assert [row["address"] for row in document["changes"]] == ["alarm.web-cpu"]
    assert len(document["notes"]) == 21 and document["notes"][-1] == "--target: 9,980 more name nothing in specs or state"
