"""A process that has loaded the tool and forks a run of it when told to: a real process to kill, without the wait for imports.

    python -m tests.crash.nest

A list of {"cwd", "argv", "environ", "kill_at", "folder"} comes in as one line, all of them run at once, and a list of
{"status", "points"} goes out. A status below 0 is a signal.
`kill_at` null runs the tool as it is; 0 counts the points; n kills at the n-th.
"""

from __future__ import annotations

import importlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

LOADED = (
    "reconcile.cli.main",
    "reconcile.cli.applying",
    "reconcile.cli.commands.apply",
    "reconcile.cli.commands.plan",
    "reconcile.specs.load",
    "reconcile.state.open",
    "reconcile.targets.open",
    "deepdiff",
)
PATIENCE = 60


def main() -> None:
    """Serve until stdin ends."""
    for name in LOADED:
        importlib.import_module(name)
    for line in sys.stdin:
        jobs = json.loads(line)
        children = [_born(job) for job in jobs]
        answers = [{"status": _awaited(child), "points": _points(job)} for child, job in zip(children, jobs, strict=True)]
        sys.stdout.write(json.dumps(answers) + "\n")
        sys.stdout.flush()


def _born(job: Mapping[str, Any]) -> int:
    child = os.fork()
    if child == 0:
        _live(job)
    return child


def _points(job: Mapping[str, Any]) -> list[str]:
    trail = Path(job["folder"], "points")
    return trail.read_text().splitlines() if job["kill_at"] is not None and trail.exists() else []


def _live(job: Mapping[str, Any]) -> None:
    code = 70
    try:
        os.chdir(job["cwd"])
        os.environ.clear()
        os.environ.update(job["environ"])
        folder = Path(job["folder"])
        for number, name in ((0, None), (1, "out"), (2, "err")):
            handle = os.open(os.devnull if name is None else folder / name, os.O_RDWR | os.O_CREAT | os.O_TRUNC, 0o600)
            os.dup2(handle, number)
        if job["kill_at"] is not None:
            from tests.crash.failpoints import Points, install

            trail = os.open(folder / "points", os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            install(Points(job["kill_at"], lambda name: os.write(trail, name.encode() + b"\n")))
        from reconcile.cli.main import main as run

        code = run(job["argv"])
        sys.stdout.flush()
        sys.stderr.flush()
    finally:
        os._exit(code)


def _awaited(child: int) -> int:
    """Its exit code, or minus the signal that ended it; one that hangs is killed and counts as 99."""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        found, status = os.waitpid(child, os.WNOHANG)
        if found:
            return os.waitstatus_to_exitcode(status)
        time.sleep(0.004)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return 99


class Nest:
    """The other side: starts one, tells it what to run, ends it. For one thread at a time."""

    def __init__(self) -> None:
        root = Path(__file__).parents[2]
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.crash.nest"], cwd=root, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        self._guard = threading.Lock()

    def run(
        self, *argv: str, cwd: Path, folder: Path, environ: Mapping[str, str], kill_at: int | None = None
    ) -> tuple[int, list[str]]:
        """(status, points that were passed)."""
        job = {"cwd": str(cwd), "argv": list(argv), "environ": dict(environ), "kill_at": kill_at, "folder": str(folder)}
        answer = self._ask([job])[0]
        return answer["status"], answer["points"]

    def tell(self, argv: Sequence[str], *, cwd: Path, environ: Mapping[str, str]) -> tuple[int, str, str]:
        """One run: its exit code, and what it wrote to stdout and stderr."""
        with tempfile.TemporaryDirectory() as folder:
            status, _ = self.run(*argv, cwd=cwd, folder=Path(folder), environ=environ)
            out, err = (Path(folder, name).read_text("utf-8") for name in ("out", "err"))
        return status, out, err

    def run_together(
        self, commands: Sequence[Sequence[str]], *, cwd: Path, folder: Path, environ: Mapping[str, str]
    ) -> list[int]:
        """Run all of them at once; their exit codes."""
        jobs = []
        for number, argv in enumerate(commands):
            (folder / str(number)).mkdir(exist_ok=True)
            place = str(folder / str(number))
            jobs.append({"cwd": str(cwd), "argv": list(argv), "environ": dict(environ), "kill_at": None, "folder": place})
        return [answer["status"] for answer in self._ask(jobs)]

    def run_apart(self, commands: Mapping[Path, Sequence[str]], *, environ: Mapping[str, str]) -> list[int]:
        """Run one command in each of these folders, all at once; their exit codes. What they print lies in `trail`."""
        base = {"environ": dict(environ), "kill_at": None}
        jobs = [
            {**base, "argv": list(argv), "cwd": str(folder), "folder": str(folder / "trail")} for folder, argv in commands.items()
        ]
        return [answer["status"] for answer in self._ask(jobs)]

    def _ask(self, jobs: list[dict[str, Any]]) -> list[dict[str, Any]]:
        assert self._process.stdin is not None and self._process.stdout is not None
        with self._guard:
            self._process.stdin.write(json.dumps(jobs) + "\n")
            self._process.stdin.flush()
            answers: list[dict[str, Any]] = json.loads(self._process.stdout.readline())
        return answers

    def close(self) -> None:
        """End it."""
        assert self._process.stdin is not None and self._process.stdout is not None
        self._process.stdin.close()
        self._process.wait(PATIENCE)
        self._process.stdout.close()


def started(argv: Sequence[str], *, cwd: Path, environ: Mapping[str, str]) -> tuple[int, str, str]:
    """The same as `Nest.tell`, with an interpreter of its own: for what counts before anything is imported."""
    command = [sys.executable, "-m", "reconcile", *argv]
    done = subprocess.run(
        command, cwd=cwd, env=environ, stdin=subprocess.DEVNULL, capture_output=True, timeout=PATIENCE, encoding="utf-8"
    )
    return done.returncode, done.stdout, done.stderr


if __name__ == "__main__":
    main()
