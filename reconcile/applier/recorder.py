"""What batches in flight make durable: gathered into few waits for the disk, and those spent beside the network.

A batch's intents are on the disk before it leaves, and so is whatever was accepted until then. Knows no alarms.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
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
        await asyncio.sleep(0)  # who is ready now, too, shares this one
        async with self._turn:
            if self._beside and self._noted:
                await self._record_beside()
            else:
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

    async def _record_beside(self) -> None:
        ours, self._noted = self._noted, []
        try:
            durable = self._session.write(ours)
            try:
                await _to_its_end(durable)
            except OSError as error:
                raise self._session.failed(error) from error
        except Exception as error:
            self._failure = error
            raise


async def _to_its_end(wait: Callable[[], None]) -> None:
    """Wait in a thread; one who is cancelled waits for it nevertheless: nobody may close the journal under it."""
    waiting = asyncio.get_running_loop().run_in_executor(None, wait)
    try:
        await asyncio.shield(waiting)
    except asyncio.CancelledError:
        await asyncio.wait([waiting])
        raise


@asynccontextmanager
async def recording(session: StateSession, *, beside: bool) -> AsyncIterator[Recorder]:
    """A recorder whose facts are all durable at the end, however it ends. `beside` says that other batches are on their way,
    whose answers can come in while the disk is waited for."""
    recorder = Recorder(session, beside=beside)
    try:
        yield recorder
    finally:
        recorder.flush()
