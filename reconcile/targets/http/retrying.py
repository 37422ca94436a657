"""A wire that tries again: only what is safe to repeat, never beyond a budget, as late as the server asks.

1. A repeatable request is sent again after anything transient.
2. Any other one only when it provably never left, or the gateway refused it for lack of quota.
3. Waits grow and are random; a throttled request waits at least half of the current step, so that a crowd spreads out.
4. All retries of a run share a budget of 10 % of its requests + 10: a server in trouble is not hammered.
"""

from __future__ import annotations

import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from reconcile.errors import Effect
from reconcile.targets.http.errors import WireError
from reconcile.targets.http.wire import Request, Response, Wire


@dataclass(frozen=True, slots=True)
class Patience:
    """How often and how long. Seconds; `longest_wait` is the most a server may ask for."""

    tries: int = 5
    first: float = 0.25
    first_throttled: float = 1.0
    most: float = 20.0
    longest_wait: float = 300.0


class Budget:
    """What all retries of a run share."""

    def __init__(self, share: float = 0.1, extra: int = 10) -> None:
        self._share = share
        self._left = float(extra)

    def earn(self) -> None:
        """A request was asked for."""
        self._left += self._share

    def spend(self) -> bool:
        """Take one retry, if there is one left."""
        if self._left < 1.0:
            return False
        self._left -= 1.0
        return True


class Retrying:
    """Sends through another wire, again where that is safe and may help."""

    def __init__(
        self,
        inner: Wire,
        *,
        budget: Budget,
        sleep: Callable[[float], Awaitable[None]],
        log: Callable[[str], None],
        patience: Patience | None = None,
        chance: Callable[[], float] = random.random,
    ) -> None:
        self._inner = inner
        self._budget = budget
        self._sleep = sleep
        self._log = log
        self._patience = patience or Patience()
        self._chance = chance

    async def send(self, request: Request) -> Response:
        """Send until it is answered, refused, or patience ends; raises the last error."""
        self._budget.earn()
        for tried in range(1, self._patience.tries):
            try:
                return await self._inner.send(request)
            except WireError as error:
                wait = self._wait(error, tried)
                if not _may_repeat(request, error) or wait is None or not self._budget.spend():
                    raise
                self._log(f"{request.label}: {error.message}; again in {wait:.1f} s")
                await self._sleep(wait)
        return await self._inner.send(request)

    def _wait(self, error: WireError, tried: int) -> float | None:
        """Seconds until the next try; None where the server asks for more than anybody should wait."""
        patience = self._patience
        if error.wait is not None and error.wait > patience.longest_wait:
            return None
        first = patience.first_throttled if error.throttled else patience.first
        step = min(patience.most, first * 2.0 ** (tried - 1))
        backoff = step / 2 + self._chance() * step / 2 if error.throttled else self._chance() * step
        return backoff if error.wait is None else error.wait + self._chance() * min(1.0, step)


def _may_repeat(request: Request, error: WireError) -> bool:
    if not error.transient:
        return False
    return request.repeatable or error.throttled or error.effect is Effect.NOT_SENT
