"""In a GitHub step's log nothing from a spec can be taken for a workflow command."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

SPEC = 'alarms:\n  a: {severity: Major, resource: {provider: e, type: v, id: x}, message: "x ##[add-mask]y"}\n'


@pytest.mark.parametrize("arguments", [("plan",), ("plan", "--json"), ("plan", "--full"), ("apply", "--auto-approve", "--json")])
def test_no_command_of_a_spec_reaches_the_runner(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    """Text and JSON say the same, and arm nothing."""
    (tmp_path / "specs").mkdir()
    (tmp_path / "specs" / "a.yaml").write_text(SPEC)
    environ = os.environ | {"GITHUB_ACTIONS": "true"}
    command = [sys.executable, "-m", "reconcile", *arguments]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, env=environ, check=False)

    assert done.returncode == 0
    assert "##[" not in done.stdout + done.stderr and "add-mask" in done.stdout
    if arguments == ("plan", "--json"):
        assert json.loads(done.stdout)["changes"][0]["after"]["message"] == "x ##[add-mask]y"
