"""What batches in flight make durable, gathered into few waits for the disk.

A batch's intents are on the disk before it leaves, and so is whatever was accepted until then. Knows no alarms.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from reconcile.ports import AnyFact, StateSession


class Recorder:
    """Records facts of several batches, in the order they came. All or none of what was noted together survives a crash."""

    def __init__(self, session: StateSession) -> None:
        self._session = session
        self._noted: list[AnyFact] = []
        self._failure: Exception | None = None

    def note(self, facts: Sequence[AnyFact]) -> None:
        """Take facts that are durable with the next `secure`, whoever calls it."""
        self._noted += facts

    async def secure(self, facts: Sequence[AnyFact] = ()) -> None:
        """Return once these facts and all that was noted are on the disk; who asks in the same turn shares the wait.

        Raises what the session raises, to everyone whose facts were in it.
        """
        self._noted += facts
        await asyncio.sleep(0)
        self.flush()

    def flush(self) -> None:
        """Record what was noted, now."""
        ours, self._noted = self._noted, []
        if not ours and self._failure is not None:
            raise self._failure
        try:
            self._session.record(ours)
        except Exception as error:
            self._failure = error
            raise


@asynccontextmanager
async def recording(session: StateSession) -> AsyncIterator[Recorder]:
    """A recorder whose facts are all durable at the end, however it ends."""
    recorder = Recorder(session)
    try:
        yield recorder
    finally:
        recorder.flush()
