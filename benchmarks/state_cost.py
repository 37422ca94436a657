"""What a shared state costs an apply: writes, bytes and seconds, on each kind of place, with the local file to compare with.

    python -m benchmarks.state_cost [COUNT]

Real runs against the emulator over HTTP; the servers are the tests' own: one with Terraform's protocol and GitLab's habits,
moto's S3, a PostgreSQL. The serial counts the writes. What is promised, and held by a test, is their number, not the seconds.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.generate import write_stack
from reconcile.emulator.credentials import FIXED_PROJECT_ID, FIXED_TOKEN
from tests.emulator_fixture import running_emulator, without_credentials
from tests.shared_state.places import KINDS, place

HEAD = ("state", "step", "alarms", "writes", "MB a write", "seconds")


@dataclass(frozen=True)
class Cost:
    """One apply."""

    kind: str
    step: str
    alarms: int
    writes: int
    size: int
    seconds: float


STEPS = ("report", "nothing", "update", "clear")


def costs(kind: str, count: int, *, steps: tuple[str, ...] = STEPS) -> list[Cost]:
    """A first apply, one with nothing to do, one that changes every alarm, one that clears them all."""
    with tempfile.TemporaryDirectory() as name, running_emulator() as url, _kept(kind) as (environ, config, document):
        folder = Path(name)
        settings = f", confirm_timeout: 60s, project_id: {FIXED_PROJECT_ID}"
        stack = Stack(folder, url, settings, config, environ)
        found: list[Cost] = []
        for step in steps:
            stack.write(count, 95 if step in ("update", "clear") else 90)
            before = _serial(document(folder))
            seconds = stack.run(*(("destroy", "--allow", f"clears={count}") if step == "clear" else ("apply",)))
            after = document(folder)
            size = len(json.dumps(after)) if step != "clear" else found[-1].size
            found.append(Cost(kind, step, count, _serial(after) - before, size, seconds))
        return found


@dataclass(frozen=True)
class Stack:
    """The folder of one machine."""

    folder: Path
    url: str
    settings: str
    config: str
    environ: dict[str, str]

    def write(self, count: int, percent: int) -> None:
        """Specs and config."""
        write_stack(self.folder, count, endpoint=self.url, settings=self.settings)
        for file in (self.folder / "specs").iterdir():
            file.write_text(file.read_text().replace("above 90 %", f"above {percent} %"))
        config = self.folder / "reconcile.yaml"
        config.write_text(config.read_text().replace("project_id: bench,", "") + self.config)

    def run(self, *argv: str) -> float:
        """One run; how long it took."""
        environ = without_credentials(os.environ) | {"HW_AUTH_TOKEN": FIXED_TOKEN, **self.environ}
        started = time.perf_counter()
        done = subprocess.run(
            [sys.executable, "-m", "reconcile", *argv, "--auto-approve"],
            cwd=self.folder,
            env={**environ, "PYTHONPATH": str(Path(__file__).parents[1])},
            capture_output=True,
            text=True,
        )
        if done.returncode != 0:
            raise RuntimeError(f"exit {done.returncode}: {done.stderr[-2000:]}{done.stdout[-500:]}")
        return time.perf_counter() - started


@contextmanager
def _kept(kind: str) -> Iterator[tuple[dict[str, str], str, Any]]:
    """(environment, the config's line, how to read the state) of a kind of place."""
    if kind == "local":
        yield {}, "", _local
        return
    with place(kind) as one:
        yield one.environ, one.config("bench"), lambda folder: one.document("bench")


def _local(folder: Path) -> dict[str, Any]:
    path = folder / "state" / "default.json"
    return json.loads(path.read_text()) if path.exists() else {}


def _serial(document: dict[str, Any]) -> int:
    return int(document.get("serial", 0))


def main(count: int) -> None:
    """Print the table."""
    print("| " + " | ".join(HEAD) + " |\n|" + "---|" * len(HEAD))
    for kind in ("local", *KINDS):
        for cost in costs(kind, count):
            print(
                f"| {cost.kind} | {cost.step} | {cost.alarms:,} | {cost.writes} | {cost.size / 1e6:.1f} | {cost.seconds:.1f} |",
                flush=True,
            )


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 10_000)
