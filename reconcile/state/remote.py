"""Remote: the state where pipelines meet. Lock, compare-and-swap and lost answers, over any place that can do four things.

The journal still lies on this machine, for what happens between two writes; open intents are published to the place itself.
"""

from __future__ import annotations

import os
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path

from reconcile.errors import CommandLineWrong, ReconcileError
from reconcile.model.snapshot import LastRun, Snapshot
from reconcile.ports import Clock
from reconcile.state.files import Files, write_whole
from reconcile.state.found import Generation, found
from reconcile.state.journal import Journal
from reconcile.state.local import beside
from reconcile.state.lock import FileLock, Holder, locked, ourselves
from reconcile.state.place import Backend, Change, Doubt, Held, Place, Stored, T, surely
from reconcile.state.rescue import Rescue
from reconcile.state.session import Session

WAITS = (1.0, 2.0, 4.0, 8.0, 16.0)
HINT = "wait for it with `--lock-timeout 5m`; if that run is dead, `reconcile state unlock ID`"


class RemoteStore:
    """Fulfils the port StateStore over a place. `desk` is where journal, dump and backups lie on this machine."""

    def __init__(
        self,
        place: Place,
        *,
        desk: Path,
        tool_version: str,
        clock: Clock,
        entropy: Callable[[], str],
        environ: Mapping[str, str] = os.environ,
        files: Files | None = None,
        sleep: Callable[[float], None] = time.sleep,
        seconds: Callable[[], float] = time.monotonic,
    ) -> None:
        self.where = place.where
        self._connect = place.connect
        self.again = place.again
        self._desk = desk
        self._tool_version = tool_version
        self._clock = clock
        self._entropy = entropy
        self._environ = environ
        self._files = files or Files()
        self._sleep = sleep
        self._seconds = seconds
        self._rescue = Rescue(self._files, beside(desk, ".errored.state.json"), tool_version=tool_version)

    def read(self) -> Snapshot:
        """The snapshot, with what this machine's journal adds to it; takes no lock and changes nothing."""
        with self._backend() as backend:
            written, dumped = self._journal().read(), self._rescue.read()
            stored = self.surely(backend.load)
            return found(self._decoded(stored, self.where), written, dumped, where=str(self._journal_path)).snapshot

    @contextmanager
    def session(self, *, operation: str, timeout: float) -> Iterator[Session]:
        """Take the lock of this machine, then that of the place. Raises StateLocked."""
        us = ourselves(
            operation,
            now=self._clock.now(),
            tool_version=self._tool_version,
            environ=self._environ,
            id=str(uuid.uuid4()),
        )
        end = time.monotonic() + timeout
        here = FileLock(self._files, beside(self._desk, ".lock"))
        with here.held(us, timeout=timeout), self._backend() as backend, self._held(backend, us, end):
            session = self._begin(backend, operation)
            try:
                yield session
            finally:
                session.close()

    def unlock(self, lock_id: str | None = None) -> str:
        """Break the lock with this id, whoever holds it."""
        if not lock_id:
            raise CommandLineWrong("say which lock to break", hint="a refused run shows it: `reconcile state unlock ID`")
        with self._backend() as backend:
            self.surely(lambda: backend.unlock(lock_id))
            return f"the lock {lock_id} of {self.where} is broken"

    def history(self) -> list[Generation]:
        """The version that is there; older ones are the place's own affair."""
        now = self.read()
        return [] if now.lineage is None else [Generation.of(now, self.where)]

    def restore(self, serial: int, *, last_run: LastRun) -> Snapshot:
        """Say how an older version comes back: the place keeps them, not we."""
        raise ReconcileError(
            f"serial {serial} is not kept here",
            where=self.where,
            hint="fetch that version where the state lies, then `reconcile state push --force FILE`",
        )

    @contextmanager
    def _backend(self) -> Iterator[Backend]:
        backend = self._connect()
        try:
            yield backend
        finally:
            backend.close()

    @contextmanager
    def _held(self, backend: Backend, us: Holder, end: float) -> Iterator[None]:
        self._take(backend, us, end)
        try:
            yield
        except BaseException:
            with suppress(ReconcileError):
                self._give_back(backend, us)
            raise
        self._give_back(backend, us)

    def _take(self, backend: Backend, us: Holder, end: float) -> None:
        waits, hint = iter(WAITS), HINT

        def once() -> None:
            nonlocal hint
            try:
                backend.lock(us)
            except Doubt:
                hint = f"an answer was lost, so the lock may be our own: then `reconcile state unlock {us.id}`"
                raise

        while True:
            try:
                return self.surely(once)
            except Held as held:
                left = end - time.monotonic()
                if left <= 0:
                    raise locked(held.holder, self.where, hint=HINT if held.holder else hint) from None
            self._sleep(min(next(waits, WAITS[-1]), left))

    def _give_back(self, backend: Backend, us: Holder) -> None:
        try:
            self.surely(lambda: backend.unlock(us.id))
        except ReconcileError as error:
            raise ReconcileError(
                f"the lock could not be given back: {error.message}", where=self.where, hint=f"reconcile state unlock {us.id}"
            ) from error

    def _begin(self, backend: Backend, operation: str) -> Session:
        stored = self.surely(backend.load)
        known = self._decoded(stored, self.where)
        writer = _Writer(self, backend, stored, known)
        written, dumped = self._journal().read(), self._rescue.read()
        return Session(
            found(known, written, dumped, where=str(self._journal_path)),
            journal=self._journal(),
            rescue=self._rescue,
            save=writer.save,
            entropy=self._entropy,
            tool_version=self._tool_version,
            operation=operation,
            shared=True,
            seconds=self._seconds,
        )

    @property
    def _journal_path(self) -> Path:
        return beside(self._desk, ".journal")

    def _journal(self) -> Journal:
        return Journal(self._files, self._journal_path)

    def _decoded(self, stored: Stored | None, where: str) -> Snapshot:
        return Snapshot() if stored is None else stored.snapshot(where=where, tool_version=self._tool_version)

    def keep(self, content: bytes) -> None:
        """Keep on this machine what is about to be replaced by something that does not follow it."""
        write_whole(self._files, beside(self._desk, ".backup"), [content])

    def pause(self, seconds: float) -> None:
        """Wait before another try."""
        self._sleep(seconds)

    def surely(self, attempt: Callable[[], T]) -> T:
        """Do what is harmless to do twice, as often as this place wants it tried."""
        return surely(attempt, self._sleep, self.again)


class _Writer:
    """Writes over what was last seen there, and finds out what became of a write whose answer was lost."""

    def __init__(self, store: RemoteStore, backend: Backend, stored: Stored | None, known: Snapshot) -> None:
        self._store = store
        self._backend = backend
        self._stored = stored
        self._known = known

    def save(self, snapshot: Snapshot) -> None:
        """Until it is there. Raises ReconcileError when something else is, or the place does not take it."""
        change = Change(snapshot, self._stored, self._known)
        if change.over is not None and not change.follows:
            self._store.keep(change.over.document())
        words = ""
        for wait in (0.0, *self._store.again):
            if words:
                self._store.pause(wait)
            try:
                return self._saved(self._backend.save(change), snapshot)
            except Doubt as doubt:
                words = str(doubt)
            if self._arrived(snapshot):
                return
            change = Change(snapshot, self._stored, self._known)
        raise ReconcileError(f"the place does not take it: {words}", where=self._backend.where)

    def _saved(self, stored: Stored, snapshot: Snapshot) -> None:
        self._stored = stored
        self._known = replace(snapshot, resources=dict(snapshot.resources), pending=dict(snapshot.pending))

    def _arrived(self, snapshot: Snapshot) -> bool:
        """Whether the document there is the one we meant to write. Raises when it is a third one."""
        there = self._store.surely(self._backend.load)
        version = None if there is None else there.version
        before = None if self._stored is None else self._stored.version
        if there is not None and version == (snapshot.lineage, snapshot.serial):
            if there.snapshot(where=self._backend.where, tool_version="") == snapshot:
                self._saved(there, snapshot)
                return True
        elif version == before and (there is None or there.snapshot(where=self._backend.where, tool_version="") == self._known):
            self._stored = there
            return False
        raise ReconcileError(
            f"somebody else wrote serial {version[1] if version else 'none'} meanwhile", where=self._backend.where
        )
