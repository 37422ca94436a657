"""What batches in flight make durable: written as it comes, waited for before a request leaves, and beside the network.

A batch's intents are on the disk before it leaves. Knows no alarms.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager

from reconcile.ports import AnyFact, StateSession


class Recorder:
    """Records facts of several batches, in the order they came. All or none of one call survives a crash."""

    def __init__(self, session: StateSession, *, beside: bool) -> None:
        self._session = session
        self._beside = beside
        self._wait: Callable[[], None] | None = None

    def note(self, facts: Sequence[AnyFact]) -> None:
        """Write facts: a killed process has told them, and so has this machine, should its power fail, after the next wait."""
        if facts:
            self._wait = None  # the next one waits for these, too
            self._wait = self._session.write(facts)

    async def secure(self, facts: Sequence[AnyFact]) -> None:
        """Return once these facts and all that was noted are on the disk. Raises what the session raises."""
        self.note(facts)
        if self._beside and self._wait is not None:
            wait, self._wait = self._wait, None
            await self._to_its_end(wait)
        else:
            self.flush()

    async def _to_its_end(self, wait: Callable[[], None]) -> None:
        """Wait in a thread; one who is cancelled waits for it nevertheless: nobody may close the journal under it, and what
        went wrong there is known."""
        waiting = asyncio.get_running_loop().run_in_executor(None, wait)
        try:
            await asyncio.shield(waiting)
        except OSError as error:
            raise self._session.failed(error) from error
        except asyncio.CancelledError:
            await asyncio.wait([waiting])
            failure = waiting.exception()
            if isinstance(failure, OSError):
                self._session.failed(failure)
            raise

    def flush(self) -> None:
        """Wait for what was noted, now."""
        wait, self._wait = self._wait, None
        if wait is not None:
            try:
                wait()
            except OSError as error:
                raise self._session.failed(error) from error


@asynccontextmanager
async def recording(session: StateSession, *, beside: bool) -> AsyncIterator[Recorder]:
    """A recorder whose facts are all durable at the end, however it ends. `beside` says that other batches are on their way,
    whose answers can come in while the disk is waited for."""
    recorder = Recorder(session, beside=beside)
    try:
        yield recorder
    finally:
        recorder.flush()
