"""The tool and its emulator as processes, on stacks made for the measurement."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from generate import write_stack
from measure import PYTHON, ROOT, Took, median, once

TOKEN = "bench-token"
KEYS = {"HUAWEICLOUD_SDK_AK": "bench-ak", "HUAWEICLOUD_SDK_SK": "bench-sk"}
TOOL = [PYTHON, "-m", "reconcile"]


@contextmanager
def emulator() -> Iterator[str]:
    """The emulator as a process of its own, its world in memory; yields its URL."""
    environ = {**os.environ, **KEYS, "HW_AUTH_TOKEN": TOKEN}
    command = [*TOOL, "emulator", "--json"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=environ, cwd=ROOT, text=True)
    assert process.stdout is not None
    try:
        yield json.loads(process.stdout.readline())["url"]
    finally:
        process.terminate()
        process.wait()
        process.stdout.close()


def tool(folder: Path, *arguments: str) -> list[str]:
    """A command of the tool on a stack."""
    return [*TOOL, "-C", str(folder), *arguments]


def apply(folder: Path) -> Took:
    """Apply a stack to an emulator of its own, from nothing."""
    with emulator() as url:
        config = folder / "reconcile.yaml"
        config.write_text(config.read_text().replace('"embedded"', f'"{url}"'))
        shutil.rmtree(folder / "state", ignore_errors=True)
        try:
            return once(tool(folder, "apply", "--auto-approve", "-q"), environ={"HW_AUTH_TOKEN": TOKEN})
        finally:
            config.write_text(config.read_text().replace(url, "embedded"))


def forget(folder: Path) -> None:
    """Throw away what is kept to save time."""
    shutil.rmtree(folder / ".reconcile", ignore_errors=True)


def touch(folder: Path) -> None:
    """Change every alarm in one file of a hundred; each call writes other words."""
    files = sorted((folder / "specs").glob("*.yaml"))
    for path in files[::100]:
        text = path.read_text()
        path.write_text(text.replace("minutes", "minutes or so", 1) if "or so" not in text else text.replace(" or so", ""))


class Stack:
    """One stack of N alarms, applied; and the figures taken on it."""

    def __init__(self, folder: Path, count: int, runs: int) -> None:
        self.folder, self.count, self.runs = write_stack(folder, count), count, runs

    def figures(self) -> dict[str, Took]:
        """All figures, by name."""
        folder, plan = self.folder, tool(self.folder, "plan", "-q")
        found = {
            "parse": median(self.runs, lambda: [PYTHON, str(ROOT / "benchmarks" / "floors.py"), "parse", str(folder / "specs")])
        }
        once(plan)  # what an apply in a pipeline finds: the plan of the pull request was made before
        found["apply"] = apply(folder)
        found["plan, cold"] = median(self.runs, lambda: plan, before=lambda: forget(folder))
        once(plan)
        found["plan, warm"] = median(5, lambda: plan)
        found["plan, 1 % of the files changed"] = median(3, lambda: plan, before=lambda: touch(folder))
        found["state list"] = median(1, lambda: tool(folder, "state", "list"))
        found["plan --destroy --json"] = median(1, lambda: tool(folder, "plan", "--destroy", "--json", "--allow", "empty"))
        return found
