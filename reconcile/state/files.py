"""Files: every operation the state makes on a disk, one method each, so that a test can watch, fail or kill any of them.

Nothing here follows a symbolic link, leaves a file readable to others, or swallows an error. Knows no formats.
"""

from __future__ import annotations

import fcntl
import os
import stat
import sys
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from reconcile.errors import StateUnusable

_PRIVATE = 0o600
_PUT_DOWN = getattr(fcntl, "F_FULLFSYNC", None) if sys.platform == "darwin" else None


class Files:
    """The real disk. A subclass that overrides a method sees every operation of that kind."""

    def read(self, path: Path) -> bytes | None:
        """The whole content, or None where there is no file. Raises StateUnusable for a link or anything not regular."""
        try:
            handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
        except FileNotFoundError:
            return None
        except OSError as error:
            self.refuse_link(path)
            raise StateUnusable(f"cannot be read: {error.strerror}", where=str(path)) from error
        if not stat.S_ISREG(os.fstat(handle).st_mode):
            os.close(handle)
            raise StateUnusable("is not a regular file", where=str(path))
        with os.fdopen(handle, "rb") as file:
            return file.read()

    def open(self, path: Path) -> int | None:
        """A handle for reading a plain file, or None where there is none: `read` says why."""
        try:
            handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
        except OSError:
            return None
        if stat.S_ISREG(os.fstat(handle).st_mode):
            return handle
        os.close(handle)
        return None

    def refuse_link(self, path: Path) -> None:
        """Raise StateUnusable when a symbolic link, or anything but a file, stands where we keep a file."""
        try:
            mode = path.lstat().st_mode
        except FileNotFoundError:
            return
        if not stat.S_ISREG(mode):
            kind = "a symbolic link" if stat.S_ISLNK(mode) else "not a regular file"
            raise StateUnusable(f"is {kind}; it is left alone", where=str(path), hint="put a plain file there, or nothing")

    def make_folder(self, path: Path) -> None:
        """Create the folder and its parents, durably, where they are missing."""
        if path.is_dir():
            return
        self.make_folder(path.parent)
        with suppress(FileExistsError):
            path.mkdir()
        self.sync_folder(path.parent)

    def create(self, path: Path) -> int:
        """A handle to a new, private file. An existing one is an error."""
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, _PRIVATE)
        os.fchmod(handle, _PRIVATE)
        return handle

    def append(self, path: Path) -> int:
        """A handle that writes at the end of an existing file."""
        return os.open(path, os.O_WRONLY | os.O_APPEND | os.O_NOFOLLOW)

    def write(self, handle: int, content: bytes) -> None:
        """Write all of it."""
        view = memoryview(content)
        while view:
            view = view[os.write(handle, view) :]

    def truncate(self, handle: int, length: int) -> None:
        """Cut the file."""
        os.ftruncate(handle, length)

    def sync(self, handle: int) -> None:
        """Wait until the file is on the disk."""
        if _PUT_DOWN is None:
            os.fsync(handle)
        else:
            fcntl.fcntl(handle, _PUT_DOWN)

    def sync_content(self, handle: int) -> None:
        """Wait until the file's content and length are on the disk; its times need not be."""
        if _PUT_DOWN is None:
            os.fdatasync(handle)
        else:
            fcntl.fcntl(handle, _PUT_DOWN)

    def close(self, handle: int) -> None:
        """Give the handle back."""
        os.close(handle)

    def link(self, source: Path, target: Path) -> None:
        """Give a file a second name."""
        os.link(source, target, follow_symlinks=False)

    def replace(self, source: Path, target: Path) -> None:
        """Rename, over what stands there."""
        source.replace(target)

    def remove(self, path: Path) -> None:
        """Remove the name, if it is there."""
        path.unlink(missing_ok=True)

    def sync_folder(self, path: Path) -> None:
        """Wait until the folder's names are on the disk."""
        handle = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def write_whole(files: Files, path: Path, content: Iterable[bytes], *, backup: Path | None = None) -> None:
    """Replace a file as a whole and durably, its content given in pieces; with `backup`, what was there stays under that name.

    The path holds the old or the new content at every moment, also after a power cut. Every error is raised.
    """
    fresh = path.with_name(path.name + ".new")
    files.make_folder(path.parent)
    _fill(files, fresh, content)
    if backup is not None:
        _keep(files, path, backup)
    files.replace(fresh, path)
    files.sync_folder(path.parent)


def _fill(files: Files, fresh: Path, content: Iterable[bytes]) -> None:
    files.remove(fresh)
    handle = files.create(fresh)
    try:
        try:
            for piece in content:
                files.write(handle, piece)
            files.sync(handle)
        finally:
            files.close(handle)
    except (OSError, ValueError):
        with suppress(OSError):
            files.remove(fresh)
        raise


def _keep(files: Files, path: Path, backup: Path) -> None:
    content = files.read(path)
    if content is None:
        return
    spare = backup.with_name(backup.name + ".new")
    files.remove(spare)
    try:
        files.link(path, spare)
    except OSError:  # a file system without hard links
        _fill(files, spare, [content])
    files.replace(spare, backup)
    files.remove(spare)  # a rename between two names of one file leaves both
