"""Batches in flight: one group a request, bounded concurrency, a rejected batch halved until the bad one stands alone.

Knows neither alarms nor state: it is given what to do before and after each request.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from reconcile.applier.together import together
from reconcile.errors import Effect, TargetError

T = TypeVar("T")
SPLIT_ON = (400, 413)


async def nothing_to_secure(batch: Sequence[object]) -> None:
    """For what leaves no trace of its own: the next look at what is active decides again."""


@dataclass(frozen=True)
class Delivery(Generic[T]):
    """How batches travel. `secure` runs ahead of each request, and must make durable what is about to leave and what was
    accepted until then; it is called with nothing when no more leaves. `after` follows an accepted request; `failed` one that
    is given up, never called for a batch that is still to be split.
    """

    size: int
    concurrency: int
    group: Callable[[T], str]
    send: Callable[[Sequence[T]], Awaitable[None]]
    secure: Callable[[Sequence[T]], Awaitable[None]]
    after: Callable[[Sequence[T]], None]
    failed: Callable[[Sequence[T], TargetError], None]
    halted: Callable[[], bool] = lambda: False


async def deliver(items: Sequence[T], delivery: Delivery[T]) -> list[T]:
    """Send everything; returns what a halt left unsent. Errors other than TargetError stop the rest and are raised."""
    queue = iter(list(_batches(items, delivery)))
    unsent: list[T] = []

    async def worker() -> None:
        for batch in queue:
            if delivery.halted():
                unsent.extend(batch)
            else:
                await _send(batch, delivery)
        await delivery.secure(())

    await together(worker() for _ in range(min(delivery.concurrency, len(items))))
    return unsent


def _batches(items: Sequence[T], delivery: Delivery[T]) -> Iterator[list[T]]:
    groups: dict[str, list[T]] = {}
    for item in items:
        groups.setdefault(delivery.group(item), []).append(item)
    for _, members in sorted(groups.items()):
        for start in range(0, len(members), delivery.size):
            yield members[start : start + delivery.size]


async def _send(batch: Sequence[T], delivery: Delivery[T]) -> None:
    await delivery.secure(batch)
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
