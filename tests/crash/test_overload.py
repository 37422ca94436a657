"""A gateway that lets so many requests a second through and answers 429 to the rest: we slow down, do not hammer, and finish."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import pytest

from reconcile import engine
from reconcile.cli.wiring import SystemClock
from reconcile.emulator.app import close, make_app
from reconcile.emulator.settings import Settings
from reconcile.planner import PlanOptions
from reconcile.targets.open import open_targets
from tests.world import CONFIG, Diary, MemoryStore, alarm, desired

PER_WINDOW = 20
SPELLINGS: dict[str, Callable[[], dict[str, str]]] = {
    "seconds": lambda: {"retry-after": "1"},
    "date": lambda: {"retry-after": format_datetime(datetime.now(UTC) + timedelta(seconds=2), usegmt=True)},
    "nothing": dict,
}


@dataclass
class Gateway:
    """Passes `PER_WINDOW` requests a second on to the app behind it."""

    app: Any
    headers: Callable[[], dict[str, str]]
    let_through: int = 0
    refused: int = 0
    _windows: dict[int, int] = field(default_factory=dict)

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        window = int(time.monotonic())
        self._windows[window] = self._windows.get(window, 0) + 1
        if self._windows[window] <= PER_WINDOW:
            self.let_through += 1
            await self.app(scope, receive, send)
            return
        self.refused += 1
        body = json.dumps({"error_code": "APIG.0308", "error_msg": "The throttling threshold has been reached"}).encode()
        headers = {"content-type": "application/json", "content-length": str(len(body)), **self.headers()}
        raw = [(name.encode(), value.encode()) for name, value in headers.items()]
        await send({"type": "http.response.start", "status": 429, "headers": raw})
        await send({"type": "http.response.body", "body": body})


def storm(alarms: int, headers: Callable[[], dict[str, str]]) -> tuple[Gateway, Any, int]:
    """Report so many alarms through the gateway: (gateway, account, how many are active then)."""
    app = make_app(None, Settings())
    gateway = Gateway(app, headers)
    wanted = desired(*(alarm(f"alarm.a{number}", ident=f"i{number}") for number in range(alarms)))
    size = alarms // 100  # a hundred requests, however many alarms
    targets = {name: target.model_copy(update={"batch_size": size}) for name, target in CONFIG.targets.items()}
    config = CONFIG.model_copy(update={"targets": targets})
    how = engine.Applying(options=PlanOptions(), environ={}, who="test", salt=lambda: "salt")
    store: Any = MemoryStore()

    async def run() -> Any:
        clock = SystemClock()
        async with open_targets(
            config, directory=Path(), environ={}, embedded=lambda: gateway, clock=clock, log=lambda text: None
        ) as opened:
            return await engine.apply(wanted, store, config, opened, clock, Diary(), how)

    account = asyncio.run(run())
    active = app.state.desk.store.db.execute("SELECT COUNT(*) FROM records WHERE state = 'active'").fetchone()[0]
    close(app)
    return gateway, account, active


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_a_storm_of_429_is_waited_out(spelling: str) -> None:
    """At most 1.2 requests for each that was needed; in the end everything is reported."""
    gateway, account, active = storm(1000, SPELLINGS[spelling])
    assert (account.exit_code, active) == (0, 1000)
    assert 0 < gateway.refused <= 0.2 * gateway.let_through, f"{gateway.refused} refused, {gateway.let_through} let through"


@pytest.mark.full
@pytest.mark.parametrize("spelling", SPELLINGS)
def test_a_storm_over_ten_thousand_alarms_is_waited_out(spelling: str) -> None:
    """The same at full size."""
    gateway, account, active = storm(10_000, SPELLINGS[spelling])
    assert (account.exit_code, active) == (0, 10_000)
    assert gateway.refused <= 0.2 * gateway.let_through, f"{gateway.refused} refused, {gateway.let_through} let through"
