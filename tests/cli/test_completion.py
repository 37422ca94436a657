"""Shell completion: the scripts are made for each shell, and bash completes commands, options and addresses by them."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.cli.conftest import CONFIG, Run

BIN = Path(sys.executable).parent
TRY = """\
eval "$(_RECONCILE_COMPLETE=bash_source reconcile)"
compopt() { :; }
COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); COMPREPLY=()
_reconcile_completion reconcile
printf '%s\\n' "${COMPREPLY[@]}"
"""


def shell(script: str, *words: str, cwd: Path) -> str:
    """What bash says."""
    assert (BIN / "reconcile").exists(), "the project is installed where the tests run"
    environ = os.environ | {"PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}"}
    ran = subprocess.run(
        ["bash", "-c", script, "bash", *words], cwd=cwd, env=environ, capture_output=True, text=True, check=True, timeout=30
    )
    assert ran.stderr == ""
    return ran.stdout


def completed(cwd: Path, *words: str) -> list[str]:
    """What bash offers for the last of these words."""
    return shell(TRY, *words, cwd=cwd).split()


@pytest.mark.parametrize(
    ("name", "mark"), [("bash", "complete -o"), ("zsh", "#compdef reconcile"), ("fish", "complete --no-files")]
)
def test_each_shell_gets_its_script(project: Path, name: str, mark: str) -> None:
    """And where the shell is at hand, it can read it."""
    script = shell(f"_RECONCILE_COMPLETE={name}_source reconcile", cwd=project)
    assert mark in script
    if found := shutil.which(name):
        subprocess.run([found, "-n"], input=script, text=True, check=True, capture_output=True)


@pytest.mark.parametrize(
    ("words", "offered"),
    [
        (["reconcile", "dr"], ["drift"]),
        (["reconcile", "-C", ".", "val"], ["validate"]),
        (["reconcile", "state", "his"], ["history"]),
        (["reconcile", "plan", "--detail"], ["--detailed-exitcode"]),
        (["reconcile", "--log-format", "j"], ["json"]),
        (["reconcile", "schema", "s"], ["spec", "state"]),
        (["reconcile", "nonsense", "x"], []),
    ],
)
def test_commands_options_and_choices_are_completed(project: Path, words: Sequence[str], offered: list[str]) -> None:
    """Before and after the command."""
    assert completed(project, *words) == offered


def test_addresses_of_the_state_are_completed(run: Run, project: Path) -> None:
    """Where a command takes some; without their keys, which a shell would have to quote."""
    assert completed(project, "reconcile", "state", "show", "") == []
    assert run("apply", "--auto-approve").code == 0
    assert completed(project, "reconcile", "state", "show", "alarm.") == ["alarm.disk", "alarm.web-cpu"]
    assert completed(project, "reconcile", "plan", "--target", "event") == ["event.deployed"]
    assert completed(project, "reconcile", "apply", "--replace", "") == ["alarm.disk", "alarm.web-cpu"]
    assert completed(project, "reconcile", "plan", "--rerun", "") == ["handling.web-restart"]
    assert completed(project, "reconcile", "resolve", "") == ["handling.web-restart"]
    assert completed(Path("/"), "reconcile", "-C", str(project), "state", "rm", "alarm.w") == ["alarm.web-cpu"]


def test_nothing_is_asked_for_and_nothing_is_said_while_a_line_is_typed(run: Run, project: Path) -> None:
    """A state elsewhere would take the network; a broken config is told by the command."""
    assert run("apply", "--auto-approve").code == 0
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.setblocking(False)
        elsewhere = f"state: {{backend: http, address: 'http://127.0.0.1:{server.getsockname()[1]}/'}}\n"
        (project / "reconcile.yaml").write_text(CONFIG + elsewhere)
        assert completed(project, "reconcile", "state", "show", "") == []
        with pytest.raises(BlockingIOError):
            server.accept()
    (project / "reconcile.yaml").write_text("version: [\n")
    assert completed(project, "reconcile", "state", "show", "") == []
