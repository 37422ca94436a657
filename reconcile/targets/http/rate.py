"""A wire that keeps to a rate: requests leave at even distances, whoever asks and however many at once."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable

from reconcile.targets.http.wire import Request, Response, Wire


class RateLimited:
    """Sends through another wire, at most `rate` requests a second."""

    def __init__(
        self,
        inner: Wire,
        *,
        rate: float,
        sleep: Callable[[float], Awaitable[None]],
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._inner = inner
        self._distance = 1.0 / rate
        self._sleep = sleep
        self._monotonic = monotonic
        self._next = 0.0

    async def send(self, request: Request) -> Response:
        """Wait for this request's turn, then send it."""
        now = self._monotonic()
        turn = max(now, self._next)
        self._next = turn + self._distance
        if turn > now:
            await self._sleep(turn - now)
        return await self._inner.send(request)
