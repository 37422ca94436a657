"""Signals while an apply runs: the first lets it finish what is in flight and save, the second ends it now, journal intact."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

from reconcile.cli.streams import tell
from reconcile.errors import Interrupted

T = TypeVar("T")
SIGNALS = (signal.SIGINT, signal.SIGTERM)


class Halt:
    """Whether a signal asked to stop, and which."""

    def __init__(self) -> None:
        self.number: int | None = None

    def __call__(self) -> int | None:
        """The number of the first signal, or None."""
        return self.number


def run_halting(work: Callable[[Halt], Coroutine[Any, Any, T]]) -> T:
    """Run the work to its end. Raises Interrupted when a second signal ends it."""
    halt = Halt()

    async def guarded() -> T:
        loop, task = asyncio.get_running_loop(), asyncio.current_task()
        assert task is not None
        for number in SIGNALS:
            loop.add_signal_handler(number, _caught, halt, number, task)
        try:
            return await work(halt)
        finally:
            for number in SIGNALS:
                loop.remove_signal_handler(number)

    before = {number: signal.getsignal(number) for number in SIGNALS}
    try:
        return asyncio.run(guarded())
    except asyncio.CancelledError:
        raise Interrupted(halt.number or signal.SIGINT) from None
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _caught(halt: Halt, number: int, task: asyncio.Task[Any]) -> None:
    if halt.number is None:
        halt.number = number
        tell("\nStopping: what is in flight is finished and saved. Once more stops now.\n")
    else:
        task.cancel()
