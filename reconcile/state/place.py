"""Place: what a remote state needs of wherever it lies: lock, unlock, load, save; and how doubts are settled."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Protocol, TypeVar

from reconcile.errors import ReconcileError
from reconcile.model.snapshot import Snapshot
from reconcile.state.codec import decode, encode
from reconcile.state.lock import Holder

T = TypeVar("T")
AGAIN = (0.5, 2.0, 5.0)


@dataclass(frozen=True)
class Stored:
    """A state as the place holds it; `tag` is the place's own name for this version of it."""

    content: bytes
    tag: str | None = None

    @cached_property
    def version(self) -> tuple[object, object]:
        """Lineage and serial, whoever wrote it."""
        raw = json.loads(self.content)
        return (raw.get("lineage"), raw.get("serial")) if isinstance(raw, dict) else (None, None)

    def snapshot(self, *, where: str, tool_version: str) -> Snapshot:
        """What it says. Raises StateUnusable."""
        return decode(self.content, where=where, tool_version=tool_version)

    def document(self) -> bytes:
        """All of it as one file."""
        return self.content


@dataclass(frozen=True)
class Change:
    """What a place shall hold from now on: `now`, in place of `over`, of which `known` is what it says."""

    now: Snapshot
    over: Stored | None = None
    known: Snapshot | None = None

    @cached_property
    def content(self) -> bytes:
        """The new state as one file."""
        return encode(self.now)

    @property
    def follows(self) -> bool:
        """Whether the new state is the next serial of what is there, or the first."""
        return self.over is None or self.over.version == (self.now.lineage, self.now.serial - 1)


class Doubt(Exception):
    """It may or may not have happened: the answer is lost, or says that somebody was there before."""


class Held(Exception):
    """Another run holds the lock."""

    def __init__(self, holder: Holder | None) -> None:
        super().__init__(str(holder))
        self.holder = holder


class Backend(Protocol):
    """A place, for one session or one read. Every method may raise Doubt or ReconcileError."""

    where: str  # for people; no credentials

    def lock(self, us: Holder) -> None:
        """Take the lock, once. Raises Held. A lock that bears our id already is ours."""
        ...

    def unlock(self, lock_id: str) -> None:
        """Give the lock with this id back; an absent one counts as given back."""
        ...

    def load(self) -> Stored | None:
        """The document, or None."""
        ...

    def save(self, change: Change) -> Stored:
        """Write only over that predecessor and only while the lock is ours. Doubt: look what is there."""
        ...

    def close(self) -> None:
        """Let go of connections."""
        ...


@dataclass(frozen=True, slots=True)
class Place:
    """Where a state lies, and how to get there: each session and each read connects anew."""

    where: str
    connect: Callable[[], Backend]
    again: tuple[float, ...] = AGAIN  # seconds before each further try


def surely(attempt: Callable[[], T], sleep: Callable[[float], None], again: tuple[float, ...] = AGAIN) -> T:
    """Do what is harmless to do twice; a doubt that stays after the last try is an error. Runs that met do not meet again."""
    for wait in again:
        try:
            return attempt()
        except Doubt:
            sleep(wait * random.uniform(1, 1.5))
    try:
        return attempt()
    except Doubt as doubt:
        raise ReconcileError(str(doubt)) from doubt
