"""Lock: one run at a time on one state file. Freed by the kernel when the holder dies; the file itself is never removed."""

from __future__ import annotations

import fcntl
import getpass
import json
import os
import socket
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from pydantic import ConfigDict, ValidationError

from reconcile.errors import StateLocked, StateUnusable
from reconcile.model.base import Value
from reconcile.state.files import Files

POLL = 0.05


class Holder(Value):
    """Who holds a lock, for people. A remote place may tell only some of it."""

    model_config = ConfigDict(extra="ignore")

    id: str = ""
    who: str
    since: str
    pid: int | None = None
    operation: str | None = None
    tool_version: str | None = None
    url: str | None = None

    def __str__(self) -> str:
        known = [
            f"pid {self.pid}" if self.pid else "",
            self.operation or "",
            f"reconcile {self.tool_version}" if self.tool_version else "",
            f"lock id {self.id}" if self.id else "",
            f"run {self.url}" if self.url else "",
        ]
        details = ", ".join(filter(None, known))
        return f"{self.who} ({details}) since {self.since}" if details else f"{self.who} since {self.since}"


def ourselves(operation: str, *, now: int, tool_version: str, environ: Mapping[str, str], id: str = "") -> Holder:
    """This run as the holder of a lock."""
    return Holder(
        id=id,
        who=who(environ),
        pid=os.getpid(),
        operation=operation,
        since=stamp(now),
        tool_version=tool_version,
        url=job_url(environ),
    )


def who(environ: Mapping[str, str]) -> str:
    """user@host, also where the user has no name."""
    try:
        user = environ.get("USER") or getpass.getuser()
    except (KeyError, OSError):
        user = str(os.getuid())
    return f"{user}@{socket.gethostname()}"


def stamp(now: int) -> str:
    """An instant in ms as RFC 3339, whole seconds, UTC."""
    return datetime.fromtimestamp(now // 1000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def job_url(environ: Mapping[str, str]) -> str | None:
    """The page of the pipeline run, where there is one: GitLab and GitHub."""
    if "CI_JOB_URL" in environ:
        return environ["CI_JOB_URL"]
    parts = [environ.get(f"GITHUB_{name}") for name in ("SERVER_URL", "REPOSITORY", "RUN_ID")]
    return f"{parts[0]}/{parts[1]}/actions/runs/{parts[2]}" if all(parts) else None


def locked(holder: Holder | None, where: str, *, hint: str) -> StateLocked:
    """The error that says who, since when, where."""
    return StateLocked(f"the state is locked by another run: {holder or 'its holder left no name'}", where=where, hint=hint)


class FileLock:
    """A lock on `path`. A second one conflicts also within one process."""

    def __init__(
        self,
        files: Files,
        path: Path,
        *,
        sleep: Callable[[float], None] = time.sleep,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._files = files
        self._path = path
        self._sleep = sleep
        self._clock = clock

    @contextmanager
    def held(self, holder: Holder, *, timeout: float) -> Iterator[None]:
        """Hold the lock; wait for it at most `timeout` seconds. Raises StateLocked."""
        handle = self._take(timeout)
        try:
            self._note(handle, holder.model_dump_json().encode())
            yield
        finally:
            self._note(handle, b"")
            os.close(handle)

    def holder(self) -> Holder | None:
        """Who wrote their name last; None after a release, or where the name cannot be read."""
        try:
            return Holder.model_validate(json.loads(self._files.read(self._path) or b""))
        except (ValueError, ValidationError):
            return None

    def _take(self, timeout: float) -> int:
        try:
            self._files.make_folder(self._path.parent)
        except OSError as error:
            raise StateUnusable(f"the folder cannot be made: {error.strerror}", where=str(self._path.parent)) from error
        end = self._clock() + timeout
        while True:
            handle = self._try()
            if handle is not None:
                return handle
            left = end - self._clock()
            if left <= 0:
                raise locked(
                    self.holder(), str(self._path), hint="wait for it with `--lock-timeout 5m`; a dead run frees it at once"
                )
            self._sleep(min(POLL, left))

    def _try(self) -> int | None:
        self._files.refuse_link(self._path)
        try:
            handle = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
        except OSError as error:
            raise StateUnusable(f"the lock cannot be opened: {error.strerror}", where=str(self._path)) from error
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if self._path.stat().st_ino == os.fstat(handle).st_ino:  # else somebody removed the file while we opened it
                os.fchmod(handle, 0o600)
                return handle
        except (BlockingIOError, FileNotFoundError):
            pass
        except OSError as error:
            os.close(handle)
            raise StateUnusable(f"the file system refuses locks: {error.strerror}", where=str(self._path)) from error
        os.close(handle)
        return None

    def _note(self, handle: int, text: bytes) -> None:
        """For people only: it need not be durable, and a full disk must not keep a run from starting or ending."""
        try:
            os.ftruncate(handle, 0)
            os.pwrite(handle, text, 0)
        except OSError:
            return
