"""Local: the state as a file, NAME.json, with its backup, journal and lock beside it."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path

from reconcile.errors import ReconcileError, StateUnusable
from reconcile.kept import Kept
from reconcile.model.snapshot import LastRun, Snapshot
from reconcile.ports import Clock
from reconcile.state.codec import decode, encoded
from reconcile.state.files import Files, write_whole
from reconcile.state.found import Found, Generation, found
from reconcile.state.journal import Journal
from reconcile.state.lock import FileLock, ourselves
from reconcile.state.outlined import Outlined
from reconcile.state.rescue import Rescue
from reconcile.state.session import Session


class LocalStore:
    """Fulfils the port StateStore on a file system with flock: Linux and macOS disks."""

    def __init__(
        self,
        path: Path,
        *,
        tool_version: str,
        clock: Clock,
        entropy: Callable[[], str],
        environ: Mapping[str, str] = os.environ,
        files: Files | None = None,
        kept: Kept | None = None,
    ) -> None:
        self.path = path
        self._outlined = Outlined(kept, path) if kept is not None else None
        self._tool_version = tool_version
        self._clock = clock
        self._entropy = entropy
        self._environ = environ
        self._files = files or Files()
        self._journal = beside(path, ".journal")
        self._backup = beside(path, ".backup")
        self._lock = FileLock(self._files, beside(path, ".lock"))
        self._rescue = Rescue(self._files, path.with_name(path.stem + ".errored.state.json"), tool_version=tool_version)

    @property
    def where(self) -> str:
        """The path."""
        return str(self.path)

    def read(self) -> Snapshot:
        """The snapshot, journal folded in; takes no lock and changes nothing."""
        for _ in range(2):  # a state put in place by force, between two reads, does not fit the journal that was there before
            with suppress(StateUnusable):
                return self._find(self._recalled).snapshot
        return self._find(self._recalled).snapshot

    @contextmanager
    def session(self, *, operation: str, timeout: float) -> Iterator[Session]:
        """Take the lock, waiting at most `timeout` seconds. Raises StateLocked. Leaving without a commit keeps the journal."""
        us = ourselves(operation, now=self._clock.now(), tool_version=self._tool_version, environ=self._environ)
        with self._lock.held(us, timeout=timeout):
            for suffix in ("", ".backup", ".backup.new", ".journal", ".new"):
                self._files.refuse_link(beside(self.path, suffix))
            session = self._begin(operation)
            try:
                yield session
            finally:
                session.close()

    def unlock(self, lock_id: str | None = None) -> str:
        """Say that nothing has to be done: the kernel frees this lock. Raises StateLocked while its holder is alive."""
        us = ourselves("unlock", now=self._clock.now(), tool_version=self._tool_version, environ=self._environ)
        with self._lock.held(us, timeout=0):
            return "nobody holds the lock"

    def history(self) -> list[Generation]:
        """The versions that are kept, newest first."""
        rows = ((path, self._decode(path)) for path in (self.path, self._backup))
        return [Generation.of(snapshot, str(path)) for path, snapshot in rows if snapshot.lineage is not None]

    def restore(self, serial: int, *, last_run: LastRun) -> Snapshot:
        """Bring a kept version back as the next serial; what it replaces becomes the backup. Open intents stay open."""
        with self.session(operation="state restore", timeout=0) as session:
            kept = {s.serial: s for s in (self._decode(self._backup), self._decode(self.path)) if s.lineage is not None}
            now = session.snapshot
            if serial not in kept or now.lineage not in (None, kept[serial].lineage):
                known = ", ".join(map(str, sorted(kept))) or "none"
                raise ReconcileError(f"serial {serial} is not kept", where=self.where, hint=f"kept: {known}")
            back = kept[serial]
            pending = {**back.pending, **now.pending}
            return session.overwrite(replace(back, serial=max(now.serial, serial) + 1, pending=pending, last_run=last_run))

    def _begin(self, operation: str) -> Session:
        return Session(
            self._find(),
            journal=Journal(self._files, self._journal),
            rescue=self._rescue,
            save=self._save,
            entropy=self._entropy,
            tool_version=self._tool_version,
            operation=operation,
        )

    def _recalled(self, path: Path) -> Snapshot:
        """The state, its records built when they are asked for; decoded in full where it is not known yet."""
        if self._outlined is None:
            return self._decode(path)
        for known in (self._outlined.recall, self._outlined.outline):
            snapshot = known(self._files, tool_version=self._tool_version)
            if snapshot is not None:
                return snapshot
        return self._decode(path)

    def _find(self, decode: Callable[[Path], Snapshot] | None = None) -> Found:
        """Journal and dump first, state last: a commit in between has folded them in, and its serial says so."""
        written = Journal(self._files, self._journal).read()
        dumped = self._rescue.read()
        return found((decode or self._decode)(self.path), written, dumped, where=str(self._journal))

    def _decode(self, path: Path) -> Snapshot:
        content = self._files.read(path)
        return Snapshot() if content is None else decode(content, where=str(path), tool_version=self._tool_version)

    def _save(self, snapshot: Snapshot) -> None:
        write_whole(self._files, self.path, encoded(snapshot), backup=self._backup)


def beside(path: Path, suffix: str) -> Path:
    """The file next to the state with this suffix."""
    return path.with_name(path.name + suffix)
