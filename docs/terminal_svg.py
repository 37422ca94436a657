"""Draw docs/terminal.svg: what a terminal shows of the example in specs/, from a real run in a folder of its own.

python docs/terminal_svg.py
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
from io import StringIO
from pathlib import Path

from rich.console import Console
from rich.text import Text

ROOT = Path(__file__).parents[1]
PICTURE = ROOT / "docs" / "terminal.svg"
WIDTH = 100
LOGS = "      logs: {path: /var/log, owner: platform}\n"
MORE = "      logs: {path: /var/log, owner: web}\n      cache: {path: /var/cache, owner: web}\n"
EDITS = {"severity: Critical\n    resource: {id: ecs-web-2": "severity: Major\n    resource: {id: ecs-web-2", LOGS: MORE}
DROPPED = re.compile(r"  db-replica-lag:\n.*?\n\n", re.DOTALL)


def shown() -> str:
    """What the run prints, colours included: an apply, an edit, the plan of it."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        shutil.copytree(ROOT / "specs", folder / "specs")
        shutil.copy(ROOT / "reconcile.yaml", folder)
        applied = _run(folder, "apply", "--auto-approve").splitlines()[-1]
        _edit(folder / "specs")
        plan = _run(folder, "plan").rstrip("\n")
        drift = _run(folder, "drift").splitlines()[-1]
    return (
        f"$ reconcile apply --auto-approve\n{applied}\n\n$ $EDITOR specs/    # one alarm more, one changed, one removed\n"
        f"$ reconcile plan\n{plan}\n\n$ reconcile drift\n{drift}\n"
    )


def _run(folder: Path, *words: str) -> str:
    env = {key: value for key, value in os.environ.items() if not key.startswith(("RECONCILE_", "NO_COLOR"))}
    command = [sys.executable, "-m", "reconcile", *words, "--color", "always"]
    return subprocess.run(
        command, cwd=folder, env=env | {"PYTHONPATH": str(ROOT)}, capture_output=True, text=True, check=True
    ).stdout


def _edit(specs: Path) -> None:
    web, database = specs / "web.yaml", specs / "database.yaml"
    text = web.read_text("utf-8")
    for old, new in EDITS.items():
        assert old in text
        text = text.replace(old, new)
    web.write_text(text, "utf-8")
    database.write_text(DROPPED.sub("", database.read_text("utf-8")), "utf-8")


def picture(text: str) -> str:
    """The text as an SVG that fetches nothing."""
    console = Console(record=True, width=WIDTH, file=StringIO(), force_terminal=True, color_system="truecolor")
    for line in Text.from_ansi(text).split("\n", allow_blank=True):
        console.print(line, soft_wrap=True)
    svg = console.export_svg(title="reconcile", unique_id="reconcile")
    return re.sub(r"@font-face \{.*?\}\s*", "", svg, flags=re.DOTALL).replace("Fira Code, monospace", "monospace")


if __name__ == "__main__":
    PICTURE.write_text(picture(shown()), "utf-8")
