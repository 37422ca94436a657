"""What batches in flight make durable: gathered into few waits for the disk, and those spent beside the network.

A batch's intents are on the disk before it leaves, and so is whatever was accepted until then. Knows no alarms.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from reconcile.ports import AnyFact, StateSession


class Recorder:
    """Records facts of several batches, in the order they came. All or none of what was noted together survives a crash."""

    def __init__(self, session: StateSession, *, beside: bool) -> None:
        self._session = session
        self._beside = beside
        self._noted: list[AnyFact] = []
        self._turn = asyncio.Lock()
        self._failure: Exception | None = None

    def note(self, facts: Sequence[AnyFact]) -> None:
        """Take facts that are durable with the next `secure`, whoever calls it."""
        self._noted += facts

    async def secure(self, facts: Sequence[AnyFact] = ()) -> None:
        """Return once these facts and all that was noted are on the disk; who asks meanwhile shares the next wait.

        Raises what the session raises, to everyone whose facts were in it.
        """
        self._noted += facts
        async with self._turn:
            ours, self._noted = self._noted, []
            if ours:
                await self._record(ours)
            elif self._failure is not None:
                raise self._failure

    async def _record(self, facts: list[AnyFact]) -> None:
        try:
            if self._beside:
                await _to_its_end(facts, self._session)
            else:
                self._session.record(facts)
        except Exception as error:
            self._failure = error
            raise


async def _to_its_end(facts: list[AnyFact], session: StateSession) -> None:
    """Record in a thread; one who is cancelled waits for it nevertheless, since nobody may close the journal under it."""
    writing = asyncio.get_running_loop().run_in_executor(None, session.record, facts)
    try:
        await asyncio.shield(writing)
    except asyncio.CancelledError:
        await asyncio.wait([writing])
        raise


@asynccontextmanager
async def recording(session: StateSession, *, beside: bool) -> AsyncIterator[Recorder]:
    """A recorder whose facts are all durable at the end, however it ends. `beside` says that there are other batches on their
    way whose answers can come in while the disk is waited for."""
    recorder = Recorder(session, beside=beside)
    try:
        yield recorder
    finally:
        await recorder.secure()
