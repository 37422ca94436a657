"""A project folder of its own for each test, the command line in-process, and as a real process."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest

from reconcile.cli.main import main

SPECS = """\
alarms:
  web-cpu:
    name: CPU usage high
    severity: Major
    resource: {provider: ECS, type: vm, id: ecs-1}
    message: CPU above 90 %
  disk:
    for_each: [data, logs]
    severity: Minor
    resource: {provider: ECS, type: vm, id: "ecs-1:${each.key}"}
    message: disk ${each.key} is full
events:
  deployed:
    severity: Info
    resource: {provider: app, type: release, id: v42}
    message: v42 is out
handlings:
  web-restart:
    alarm: web-cpu
    alarm_id: ALM2025071417361705s6mUUrF
    task_type: SCRIPT
    associated_task_id: SC2025071006154101b779eb7
    associated_task_type: CUSTOMIZATION
    associated_task_name: restart-agent
    input_param: {timeout: 300, execute_user: root, success_rate: 100}
"""
CONFIG = "version: 1\nstack: demo\n"


class Ran(NamedTuple):
    """How a command ended."""

    code: int
    out: str
    err: str


Run = Callable[..., Ran]


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a config and four resources, as the working directory; no RECONCILE_… variable is set."""
    for name in [name for name in os.environ if name.startswith(("RECONCILE_", "HW_", "HUAWEICLOUD_"))]:
        monkeypatch.delenv(name)
    for name in ("NO_COLOR", "TERM", "COLUMNS"):
        monkeypatch.delenv(name, raising=False)
    (tmp_path / "specs").mkdir()
    (tmp_path / "specs" / "web.yaml").write_text(SPECS, encoding="utf-8")
    (tmp_path / "reconcile.yaml").write_text(CONFIG, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def run(project: Path, capsys: pytest.CaptureFixture[str]) -> Run:
    """Run a command line in this process; stdin is no terminal."""

    def go(*argv: str) -> Ran:
        capsys.readouterr()
        code = main(argv)
        out, err = capsys.readouterr()
        return Ran(code, out, err)

    return go


def process(*argv: str, cwd: Path, **environ: str) -> subprocess.Popen[str]:
    """Start a command line as a process of its own."""
    return subprocess.Popen(
        [sys.executable, "-m", "reconcile", *argv],
        cwd=cwd,
        env=os.environ | environ,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
