"""What durability costs: an apply with its journal against the same apply without one, with 10 ms of network latency on
every request.

    python benchmarks/journal_cost.py

The tool's own emulator is a process of its own and answers 10 ms late; state and journal lie on this disk. With and without
take turns, so that whatever else this machine does falls on both. The share is of the medians; that of the first quartiles
stands beside it, since other work only ever adds. Without: no line is spelled, written or waited for; the state is written at
the end all the same.
"""

from __future__ import annotations

import asyncio
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any
from unittest import mock

sys.path.insert(0, str(Path(__file__).parents[1]))

from reconcile import engine
from reconcile.cli.wiring import SystemClock
from reconcile.emulator.app import close, make_app
from reconcile.emulator.settings import Settings
from reconcile.model.config import Config
from reconcile.planner import PlanOptions
from reconcile.state.files import Files
from reconcile.state.journal import Journal
from reconcile.state.local import LocalStore
from reconcile.targets.open import open_targets
from tests.world import CONFIG, Diary, alarm, desired, handling

ROOT = Path(__file__).parents[1]
LATENCY = 0.010
CASES = ((100, 0, 40), (1000, 0, 40), (10_000, 0, 11), (20, 20, 20))  # alarms, tasks, rounds
ENVIRON = {"HW_AUTH_TOKEN": "t", "HW_REGION_NAME": "local"}


def serve(port: int) -> None:
    """The emulator, far away, until it is told to end."""
    import uvicorn

    app = make_app(None, Settings(auth_required=False))

    async def far_away(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "http":
            await asyncio.sleep(LATENCY)
        await app(scope, receive, send)

    uvicorn.run(far_away, host="127.0.0.1", port=port, log_level="error")
    close(app)


def alarm_id(number: int) -> str:
    """The COC alarm of this number."""
    return f"ALM{number:023d}"


@contextmanager
def far_away(port: int) -> Iterator[Config]:
    """A new server, and the config that points at it."""
    server = subprocess.Popen([sys.executable, __file__, str(port)], cwd=ROOT)
    try:
        _wait_for(port)
        there = {"endpoint": f"http://127.0.0.1:{port}", "project_id": "p"}
        targets = {name: target.model_copy(update=there) for name, target in CONFIG.targets.items()}
        yield CONFIG.model_copy(update={"targets": targets})
    finally:
        server.terminate()
        server.wait()


def _wait_for(port: int) -> None:
    import httpx

    for _ in range(200):
        try:
            httpx.get(f"http://127.0.0.1:{port}/")
            return
        except httpx.ConnectError:
            time.sleep(0.05)
    raise RuntimeError("the server did not start")


@contextmanager
def no_journal() -> Iterator[None]:
    """The tool with nothing made durable before the end."""

    def nothing(self: Journal, *args: Any) -> None:
        self._handle = self._handle or 0

    with mock.patch.multiple(Journal, begin=nothing, write=nothing, sync=nothing, discard=nothing, close=nothing):
        yield


@contextmanager
def counted() -> Iterator[list[int]]:
    """How often the disk is waited for."""
    waits: list[int] = []
    with mock.patch.object(Files, "sync_content", _counting(Files.sync_content, waits)):
        yield waits


def _counting(true: Any, waits: list[int]) -> Any:
    def method(self: Files, handle: int) -> None:
        waits.append(handle)
        true(self, handle)

    return method


async def applied(config: Config, alarms: int, handlings: int, folder: Path, round: str) -> float:
    """Apply so many new alarms and handlings; seconds."""
    declared = [alarm(f"alarm.a{number}", ident=f"i{round}-{number}") for number in range(alarms)]
    declared += [handling(f"handling.h{n}", alarm=f"alarm.a{n}", alarm_id=alarm_id(n)) for n in range(handlings)]
    clock = SystemClock()
    store = LocalStore(folder / "state.json", tool_version="0", clock=clock, entropy=lambda: "lineage")
    how = engine.Applying(
        options=PlanOptions(allow={"triggers": 1000}, rerun=("*",)), environ=ENVIRON, who="benchmark", salt=lambda: "salt"
    )
    wanted = desired(*declared)
    begun = time.perf_counter()
    async with open_targets(config, environ=ENVIRON, embedded=lambda: None, clock=clock, log=lambda text: None) as targets:
        account = await engine.apply(wanted, store, config, targets, clock, Diary(), how)
    took = time.perf_counter() - begun
    assert account.exit_code == 0, account.counts()
    return took


def measure(alarms: int, handlings: int, rounds: int, port: int) -> tuple[list[float], list[float], int]:
    """(seconds of each round with the journal, seconds without, waits for the disk)."""
    took: dict[bool, list[float]] = {True: [], False: []}
    waited = 0
    with far_away(port) as config:
        for number in range(-1, rounds):  # one to warm up
            for journal in (True, False) if number % 2 else (False, True):
                start_over(config, handlings)
                with (
                    tempfile.TemporaryDirectory(dir=Path.cwd()) as folder,
                    nullcontext() if journal else no_journal(),
                    counted() as waits,
                ):
                    seconds = asyncio.run(applied(config, alarms, handlings, Path(folder), f"{journal}{number}"))
                took[journal] += [seconds] if number >= 0 else []
                waited = len(waits) if journal else waited
    return took[True], took[False], waited


def start_over(config: Config, handlings: int) -> None:
    """Empty the server, but for the COC alarms that handlings need."""
    import httpx

    there = f"{config.targets['aom'].endpoint}/_emulator"
    httpx.post(f"{there}/reset", timeout=60).raise_for_status()
    for number in range(handlings):
        httpx.post(f"{there}/coc-alarms", json={"id": alarm_id(number), "status": "alarming"}).raise_for_status()


def share(with_it: float, without: float) -> float:
    """Of the time with it, how much is the journal's."""
    return 1 - without / with_it


def main(cases: Sequence[tuple[int, int, int]] = CASES) -> int:
    """Print the table; 1 when the journal takes 5 % or more anywhere."""
    worst = 0.0
    port = 20_000 + os.getpid() % 10_000
    print("| alarms | tasks | rounds | with the journal | without | waits for the disk | share | of the first quartiles |")
    print("|--:|--:|--:|--:|--:|--:|--:|--:|")
    for alarms, handlings, rounds in cases:
        with_it, without, waits = measure(alarms, handlings, rounds, port)
        middle = [statistics.median(times) for times in (with_it, without)]
        found, quick = share(*middle), share(*(statistics.quantiles(times)[0] for times in (with_it, without)))
        worst = max(worst, found)
        row = [f"{alarms:,}", handlings, rounds, *(f"{took:.3f} s" for took in middle), waits, f"{found:.1%}", f"{quick:.1%}"]
        print("| " + " | ".join(map(str, row)) + " |", flush=True)
    return int(worst >= 0.05)


if __name__ == "__main__":
    if sys.argv[1:]:
        serve(int(sys.argv[1]))
    else:
        sys.exit(main())
