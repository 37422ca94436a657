"""What only a real process shows: what is imported, closed pipes, signals, terminals, encodings."""

from __future__ import annotations

import json
import os
import pty
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.cli.conftest import CONFIG, process
from tests.emulator_fixture import running_emulator

TARGETS = """
targets:
  aom: {type: aom, endpoint: "URL", project_id: 0123456789abcdef0123456789abcdef, batch_size: 1, concurrency: 1}
"""
STATE = ("reconcile.state", "reconcile.model.snapshot", "reconcile.model.facts", "reconcile.planner", "reconcile.applier")
HEAVY = {"httpx", "deepdiff", "starlette", "rich", "uvicorn", "asyncio"}


def imported_by(*argv: str, cwd: Path) -> set[str]:
    """The modules that a command line loads."""
    code = f"import sys; from reconcile.cli.main import main; main({list(argv)!r}); print(*sorted(sys.modules), file=sys.stderr)"
    ran = subprocess.run([sys.executable, "-c", code], cwd=cwd, capture_output=True, text=True, check=True)
    return set(ran.stderr.split())


@pytest.mark.parametrize("argv", [("--help",), ("version",), ("plan", "--help"), ("--version",), ("plann",)])
def test_help_and_version_import_nothing_heavy(project: Path, argv: tuple[str, ...]) -> None:
    """Neither httpx nor pydantic nor yaml."""
    assert imported_by(*argv, cwd=project) & (HEAVY | {"pydantic", "yaml"}) == set()


def test_validate_imports_no_wire_and_no_terminal(project: Path) -> None:
    """Only what reading specs takes: no noun of the state, and no planner."""
    imported = imported_by("validate", cwd=project)
    assert imported & HEAVY == set()
    assert {name for name in imported if name.startswith(STATE)} == set()


def test_plan_imports_no_wire(project: Path) -> None:
    """A first plan compares no contents either."""
    assert imported_by("plan", cwd=project) & {"httpx", "starlette", "rich", "uvicorn"} == set()


def test_a_reader_that_goes_away_changes_nothing(project: Path) -> None:
    """`reconcile apply | true` applies to the end, quietly, with its own exit code."""
    started = process("apply", "--auto-approve", cwd=project)
    assert started.stdout is not None
    started.stdout.close()
    assert started.stderr is not None
    with started.stderr:
        told = started.stderr.read()
    assert started.wait(30) == 0
    assert "5/5" in told and "Error" not in told and "Broken" not in told
    assert json.loads((project / "state" / "default.json").read_text())["serial"] == 1


def test_a_locale_without_unicode_shows_escapes(project: Path) -> None:
    """Text never fails to be printed; JSON is ASCII anyway."""
    web = project / "specs" / "web.yaml"
    web.write_text(web.read_text(encoding="utf-8").replace("v42 is out", "磁盘已满"), encoding="utf-8")
    out, err = process("plan", cwd=project, PYTHONIOENCODING="ascii").communicate(timeout=30)
    assert "\\u78c1\\u76d8" in out and err == ""


@contextmanager
def slow_apply(project: Path, seconds: int) -> Iterator[subprocess.Popen[str]]:
    """An apply whose every push is answered late, once its first push is on its way."""
    token = {"HW_AUTH_TOKEN": "t" * 40}
    with running_emulator(environ=token, faults=[f"PUT:*/push/events*:delay={seconds}"]) as url:
        (project / "reconcile.yaml").write_text(CONFIG + TARGETS.replace("URL", url))
        web = project / "specs" / "web.yaml"
        web.write_text(web.read_text().split("handlings:")[0])
        started = process("apply", "--auto-approve", cwd=project, **token)
        assert started.stderr is not None
        journal = project / "state" / "default.json.journal"
        while not (journal.exists() and journal.stat().st_size):  # its first line is written right before the first push
            assert started.poll() is None, started.communicate()
            time.sleep(0.02)
        time.sleep(0.5)  # the server logs a push that it answers late only when it has answered
        yield started


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_the_first_signal_lets_what_is_in_flight_finish_and_saves(project: Path, number: signal.Signals, code: int) -> None:
    """Nothing new is started, what was acknowledged is in the state, the lock is free."""
    with slow_apply(project, 2) as started:
        started.send_signal(number)
        out, err = started.communicate(timeout=60)
    assert started.returncode == code, (out, err)
    assert "Stopping" in err
    assert 0 < len(json.loads((project / "state" / "default.json").read_text())["resources"]) < 4


def test_the_second_signal_ends_an_apply_at_once(project: Path) -> None:
    """The journal keeps what is open; the next run can read it."""
    with slow_apply(project, 60) as started:
        started.send_signal(signal.SIGINT)
        time.sleep(0.3)
        began = time.monotonic()
        started.send_signal(signal.SIGINT)
        out, err = started.communicate(timeout=60)
        assert time.monotonic() - began < 5
    assert started.returncode == 130, (out, err)
    shown = process("show", cwd=project)
    assert "pending" in shown.communicate(timeout=30)[0] and shown.returncode == 0


def test_in_a_terminal_only_yes_is_a_yes(project: Path) -> None:
    """A person is asked; anything else applies nothing and exits 1."""
    assert _in_terminal(project, "y\n")[0] == 1
    assert not (project / "state" / "default.json").exists()
    code, screen = _in_terminal(project, "yes\n")
    assert code == 0 and "Applied: 4 reported; 1 task triggered." in screen


def _in_terminal(project: Path, answer: str) -> tuple[int, str]:
    leader, follower = pty.openpty()
    environ = os.environ | {"TERM": "xterm", "COLUMNS": "80"}
    started = subprocess.Popen(
        [sys.executable, "-m", "reconcile", "apply"], cwd=project, env=environ, stdin=follower, stdout=follower, stderr=follower
    )
    os.close(follower)
    screen = b""
    while b"for a yes: " not in screen:
        screen += os.read(leader, 4096)
    os.write(leader, answer.encode())
    try:
        while piece := os.read(leader, 4096):
            screen += piece
    except OSError:
        pass  # the other side has closed
    os.close(leader)
    return started.wait(30), re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", screen.decode())
