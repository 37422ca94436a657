"""A wire that slows down when it is told to: one refusal for lack of quota holds back all requests, not only the one refused.

After the wait that the server asked for, requests leave at even distances, at most as fast as the server let them through before;
each success makes the pace a little faster again. Knows nothing of retries: a refused request is raised as it is.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from reconcile.targets.http.errors import WireError
from reconcile.targets.http.wire import Request, Response, Wire

LONGEST_WAIT = 300.0  # what asks for more is an error, not a pause
FIRST_WAIT, MOST_WAIT = 1.0, 20.0  # seconds, where the server names none
SHARE = 0.8  # of the pace that was too fast
FASTER = 0.98  # the distance after each success


class Throttled:
    """Sends through another wire; all requests of a target share one. `now` is in seconds; should it jump, no wait outlasts
    `LONGEST_WAIT`.
    """

    def __init__(self, inner: Wire, *, sleep: Callable[[float], Awaitable[None]], now: Callable[[], float]) -> None:
        self._inner = inner
        self._sleep = sleep
        self._now = now
        self._since = now()
        self._passed = 0
        self._distance = 0.0
        self._next = 0.0
        self._pause = FIRST_WAIT

    async def send(self, request: Request) -> Response:
        """Wait for this request's turn, then send it."""
        await self._turn()
        left = self._now()
        try:
            response = await self._inner.send(request)
        except WireError as error:
            if error.throttled:
                self._slow_down(left, error.wait)
            raise
        self._passed += 1
        self._distance *= FASTER
        self._pause = FIRST_WAIT
        return response

    async def _turn(self) -> None:
        while 0 < self._next - self._now() <= LONGEST_WAIT:
            await self._sleep(self._next - self._now())
        self._next = self._now() + self._distance

    def _slow_down(self, left: float, asked: float | None) -> None:
        if left < self._since or (asked is not None and asked > LONGEST_WAIT):
            return  # it left before the pause that its like have brought about already
        wait = self._pause if asked is None else asked
        self._pause = min(MOST_WAIT, self._pause * 2)
        reopens = self._now() + wait
        self._distance = max(self._distance, (reopens - self._since) / max(1, self._passed) / SHARE)
        self._distance = min(self._distance, 1.0)
        self._since, self._passed, self._next = reopens, 0, reopens
