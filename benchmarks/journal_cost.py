"""What durability costs: an apply with its journal against the same apply without one, with 10 ms of network latency on
every request.

    python benchmarks/journal_cost.py

The tool's own emulator is a process of its own and answers 10 ms late; state and journal lie on this disk. With and without
take turns, so that whatever else this machine does falls on both; the share is of the medians. Without: no line is spelled,
written or waited for; the state is written at the end all the same.
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
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest import mock

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from reconcile import engine
from reconcile.cli.wiring import SystemClock
from reconcile.emulator.app import close, make_app
from reconcile.emulator.coc_alarms import add_alarm
from reconcile.emulator.settings import Settings
from reconcile.model.config import Config
from reconcile.planner import PlanOptions
from reconcile.state.files import Files
from reconcile.state.journal import Journal
from reconcile.state.local import LocalStore
from reconcile.targets.open import open_targets
from tests.world import CONFIG, Diary, alarm, desired, handling

LATENCY = 0.010
ROUNDS = 9
CASES = ((100, 0), (1000, 0), (10_000, 0), (20, 20))
TASK_ALARMS = 1000
ENVIRON = {"HW_AUTH_TOKEN": "t", "HW_REGION_NAME": "local"}


def serve(port: int) -> None:
    """The emulator, far away, until it is told to end."""
    import uvicorn

    app = make_app(None, Settings(auth_required=False))
    desk = app.state.desk
    with desk.store.transaction():
        for number in range(TASK_ALARMS):
            add_alarm(desk.store, alarm_id(number), now=desk.now(), name="n", importance="major", status="alarming")

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
        targets = {
            name: target.model_copy(update={"endpoint": f"http://127.0.0.1:{port}", "project_id": "p"}) for name, target in CONFIG.targets.items()
        }
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

    with mock.patch.multiple(Journal, begin=nothing, append=nothing, discard=nothing, close=nothing):
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


def measure(alarms: int, handlings: int, port: int) -> tuple[float, float, float, int]:
    """(the share of the time that is the journal's, seconds with it, seconds without, waits for the disk)."""
    took: dict[bool, list[float]] = {True: [], False: []}
    shares, waits = [], []
    for number in range(ROUNDS):
        pair = {}
        for journal in (True, False) if number % 2 else (False, True):
            with far_away(port) as config, tempfile.TemporaryDirectory(dir=Path.cwd()) as folder:
                if journal:
                    with counted() as waits:
                        pair[journal] = asyncio.run(applied(config, alarms, handlings, Path(folder), str(number)))
                else:
                    with no_journal():
                        pair[journal] = asyncio.run(applied(config, alarms, handlings, Path(folder), str(number)))
            took[journal].append(pair[journal])
        shares.append(1 - pair[False] / pair[True])
    with_it, without = statistics.median(took[True]), statistics.median(took[False])
    return 1 - without / with_it, with_it, without, len(waits)


def main(cases: Sequence[tuple[int, int]] = CASES) -> int:
    """Print the table; 1 when the journal takes 5 % or more anywhere."""
    worst = 0.0
    port = 20_000 + os.getpid() % 10_000
    print("| alarms | tasks | with the journal | without | waits for the disk | share |\n|--:|--:|--:|--:|--:|--:|")
    for alarms, handlings in cases:
        share, with_it, without, waits = measure(alarms, handlings, port)
        worst = max(worst, share)
        print(f"| {alarms:,} | {handlings} | {with_it:.3f} s | {without:.3f} s | {waits} | {share:.1%} |", flush=True)
    return int(worst >= 0.05)


if __name__ == "__main__":
    if sys.argv[1:]:
        serve(int(sys.argv[1]))
    else:
        sys.exit(main())
