"""Batches in flight: one group a request, bounded concurrency, a rejected batch halved until the bad one stands alone.

Knows neither alarms nor state: it is given what to do before and after each request.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Generic, TypeVar

from reconcile.applier.together import together
from reconcile.errors import Effect, TargetError

T = TypeVar("T")
SPLIT_ON = (400, 413)


async def nothing_to_secure(batch: Sequence[object]) -> None:
    """For what leaves no trace of its own: the next look at what is active decides again."""


@dataclass(frozen=True)
class Delivery(Generic[T]):
    """How batches travel. `secure` runs ahead of the requests, and must make durable what is about to leave; it is called for
    several batches at once, one call at a time. `after` follows an accepted request; `failed` one that is given up, never
    called for a batch that is still to be split.
    """

    size: int
    concurrency: int
    group: Callable[[T], str]
    send: Callable[[Sequence[T]], Awaitable[None]]
    secure: Callable[[Sequence[T]], Awaitable[None]]
    after: Callable[[Sequence[T]], None]
    failed: Callable[[Sequence[T], TargetError], None]
    halted: Callable[[], bool] = lambda: False


async def deliver(items: Iterable[T], delivery: Delivery[T]) -> list[T]:
    """Send everything; returns what a halt left unsent. Errors other than TargetError stop the rest and are raised."""
    unsent: list[T] = []
    ahead = _Ahead(_batches(items, delivery), delivery)

    async def worker() -> None:
        while batch := await ahead.take():
            if delivery.halted():
                unsent.extend(batch)
            else:
                await _send(batch, delivery)

    try:
        await together(worker() for _ in range(delivery.concurrency))
    finally:
        await ahead.close()
    return unsent


class _Ahead(Generic[T]):
    """Batches that may leave: while some are on their way more are made durable, one at first, that it can leave early, and in
    the end as many at a time as can travel at once.
    """

    def __init__(self, batches: Iterator[list[T]], delivery: Delivery[T]) -> None:
        self._batches = batches
        self._delivery = delivery
        self._ready: deque[list[T]] = deque()
        self._reach = 1
        self._turn = asyncio.Lock()
        self._next: asyncio.Task[list[list[T]]] | None = None

    async def take(self) -> list[T] | None:
        """The next batch; None when there is no more."""
        async with self._turn:
            if not self._ready:
                coming, self._next = self._next or asyncio.ensure_future(self._secured()), None
                self._ready.extend(await coming)
            batch = self._ready.popleft() if self._ready else None
            if batch and not self._ready:
                self._next = asyncio.ensure_future(self._secured())
            return batch

    async def _secured(self) -> list[list[T]]:
        batches = list(islice(self._batches, self._reach))
        self._reach = min(2 * self._reach, self._delivery.concurrency)
        if batches and not self._delivery.halted():
            await self._delivery.secure([item for batch in batches for item in batch])
        return batches

    async def close(self) -> None:
        """Wait for what was begun and nobody took: an error stopped the rest, and is the one to tell."""
        if self._next is not None:
            await asyncio.gather(self._next, return_exceptions=True)


def _batches(items: Iterable[T], delivery: Delivery[T]) -> Iterator[list[T]]:
    """Full ones as they come together, the rest of each group at the end."""
    groups: dict[str, list[T]] = {}
    for item in items:
        group = delivery.group(item)
        groups.setdefault(group, []).append(item)
        if len(groups[group]) == delivery.size:
            yield groups.pop(group)
    yield from (members for _, members in sorted(groups.items()))


async def _send(batch: Sequence[T], delivery: Delivery[T]) -> None:
    try:
        await delivery.send(batch)
    except TargetError as error:
        if len(batch) > 1 and error.effect is Effect.REFUSED and error.answer.status in SPLIT_ON:
            middle = len(batch) // 2
            await _send(batch[:middle], delivery)
            await _send(batch[middle:], delivery)
        else:
            delivery.failed(batch, error)
    else:
        delivery.after(batch)
