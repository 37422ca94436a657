"""What durability costs: the share of an apply that is spent in the journal, with 10 ms of network latency on every request.

    python benchmarks/journal_cost.py

Everything is real but the network: the tool's own emulator answers in-process, 10 ms late; state and journal lie on this disk.
"""

from __future__ import annotations

import asyncio
import statistics
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

from reconcile import engine
from reconcile.cli.wiring import SystemClock
from reconcile.emulator.app import close, make_app
from reconcile.emulator.coc_alarms import add_alarm
from reconcile.emulator.settings import Settings
from reconcile.planner import PlanOptions
from reconcile.state.journal import Journal
from reconcile.state.local import LocalStore
from reconcile.targets.open import open_targets
from tests.world import CONFIG, Diary, alarm, desired, handling

LATENCY = 0.010
ROUNDS = 3
CASES = ((100, 0), (1000, 0), (10_000, 0), (20, 20))


class Stopwatch:
    """How long the journal took, and how often it was asked."""

    def __init__(self) -> None:
        self.seconds, self.calls = 0.0, 0
        for name in ("begin", "append", "discard"):
            setattr(Journal, name, self._timed(getattr(Journal, name)))

    def _timed(self, true: Any) -> Any:
        def method(journal: Journal, *args: Any) -> Any:
            begun = time.perf_counter()
            try:
                return true(journal, *args)
            finally:
                self.seconds += time.perf_counter() - begun
                self.calls += 1

        return method


async def applied(alarms: int, handlings: int, folder: Path) -> float:
    """Apply so many new alarms and handlings; seconds."""
    app = make_app(None, Settings())
    desk = app.state.desk
    ids = [f"ALM{number:023d}" for number in range(handlings)]
    with desk.store.transaction():
        for id in ids:
            add_alarm(desk.store, id, now=desk.now(), name="n", importance="major", status="alarming")

    async def far_away(scope: Any, receive: Any, send: Any) -> None:
        await asyncio.sleep(LATENCY)
        await app(scope, receive, send)

    declared = [alarm(f"alarm.a{number}", ident=f"i{number}") for number in range(alarms)]
    declared += [handling(f"handling.h{n}", alarm=f"alarm.a{n}", alarm_id=id) for n, id in enumerate(ids)]
    clock = SystemClock()
    store = LocalStore(folder / "state.json", tool_version="0", clock=clock, entropy=lambda: "lineage")
    how = engine.Applying(options=PlanOptions(allow={"triggers": 1000}), environ={}, who="benchmark", salt=lambda: "salt")
    wanted = desired(*declared)
    begun = time.perf_counter()
    async with open_targets(CONFIG, environ={}, embedded=lambda: far_away, clock=clock, log=lambda text: None) as targets:
        account = await engine.apply(wanted, store, CONFIG, targets, clock, Diary(), how)
    took = time.perf_counter() - begun
    assert account.exit_code == 0, account.counts()
    close(app)
    return took


def main(cases: Sequence[tuple[int, int]] = CASES) -> int:
    """Print the table; 1 when the journal takes 5 % or more anywhere."""
    watch = Stopwatch()
    worst = 0.0
    print("| alarms | tasks | apply | journal | durable writes | share |\n|--:|--:|--:|--:|--:|--:|")
    for alarms, handlings in cases:
        rows = []
        for _ in range(ROUNDS):
            watch.seconds, watch.calls = 0.0, 0
            with tempfile.TemporaryDirectory(dir=Path.cwd()) as folder:
                took = asyncio.run(applied(alarms, handlings, Path(folder)))
            rows.append((watch.seconds / took, took, watch.seconds, watch.calls))
        share, took, journal, calls = statistics.median_low(rows)
        worst = max(worst, share)
        print(f"| {alarms:,} | {handlings} | {took:.3f} s | {journal * 1000:.1f} ms | {calls} | {share:.1%} |")
    return int(worst >= 0.05)


if __name__ == "__main__":
    sys.exit(main())
