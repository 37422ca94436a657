"""Kept: files that only save time. Private, whole or absent, checksummed, few; whatever is wrong with one, it is not there.

Knows nothing of what it keeps. A caller must be able to do without, and must check what it gets against the real thing.
"""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

MAGIC = b"reconcile-cache-1\n"
MOST_FILES = 16
MOST_BYTES = 1 << 30
SUFFIX = ".reconcile-cache"  # nothing else in the folder is ever touched


@dataclass(frozen=True, slots=True)
class Kept:
    """A folder of such files. Nothing here raises: a disk that refuses is a cache that is empty."""

    folder: Path

    def read(self, name: str) -> bytes | None:
        """What `write` was given, or None: absent, torn, foreign, readable or writable by others, or no plain file."""
        handle = self.open(name)
        if handle is None:
            return None
        with os.fdopen(handle, "rb") as file:
            content = file.read()
        start = len(MAGIC) + 32
        body = memoryview(content)[start:]
        if not content.startswith(MAGIC) or hashlib.sha256(body).digest() != content[len(MAGIC) : start]:
            return None
        return bytes(body)

    def write(self, name: str, content: bytes) -> None:
        """Put a file in place at once; of two writers the later wins. Old files make room."""
        self._put(name, (MAGIC, hashlib.sha256(content).digest(), content))

    def write_parts(self, name: str, parts: Iterable[bytes]) -> bool:
        """The same without a checksum, for content whose parts are checked when they are read; whether it is there now."""
        return self._put(name, parts)

    def open(self, name: str) -> int | None:
        """A descriptor for reading, or None. Never follows a link, never waits."""
        try:
            handle = os.open(self._path(name), os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        except OSError:
            return None
        found = os.fstat(handle)
        if stat.S_ISREG(found.st_mode) and found.st_uid == os.geteuid() and not found.st_mode & 0o077:
            return handle
        os.close(handle)
        return None

    def _path(self, name: str) -> Path:
        return self.folder / (name + SUFFIX)

    def _put(self, name: str, parts: Iterable[bytes]) -> bool:
        import tempfile

        with suppress(OSError):
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            handle, temporary = tempfile.mkstemp(dir=self.folder, prefix=".new-", suffix=SUFFIX)  # private from the start
            try:
                with os.fdopen(handle, "wb", buffering=1 << 16) as file:
                    file.writelines(parts)
                    size = file.tell()
                self._make_room(name, temporary, size)
                if size <= MOST_BYTES // 4:
                    Path(temporary).replace(self._path(name))
                    return True
                Path(temporary).unlink()
            except BaseException:
                Path(temporary).unlink(missing_ok=True)
                raise
        return False

    def _make_room(self, name: str, temporary: str, size: int) -> None:
        """Remove the oldest until the new one fits; what a dead run left half written goes, too."""
        found = []
        for path in self.folder.iterdir():
            with suppress(OSError):
                seen = path.lstat()
                if path.name.endswith(SUFFIX) and path not in (self._path(name), Path(temporary)) and stat.S_ISREG(seen.st_mode):
                    found.append((seen.st_mtime, seen.st_size, path))
        room, places = MOST_BYTES - size, MOST_FILES - 1
        for _, taken, path in sorted(found, reverse=True):
            room, places = room - taken, places - 1
            if room < 0 or places < 0:
                with suppress(OSError):
                    path.unlink()
