"""Files that commands write: whole or not at all. Saved plans are for nobody else to read, and read back with suspicion."""

from __future__ import annotations

import os
import stat
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import Any

from reconcile.errors import CommandLineWrong


def write_private(path: Path, text: str) -> None:
    """Put a file in place at once: a temporary one in the same folder, fsync, rename. Only a regular file is replaced."""
    _write(path, text, 0o600)


def write_public(path: Path, text: str) -> None:
    """The same for what others may read: reports, metrics."""
    _write(path, text, 0o644)


def write_new(path: Path, text: str) -> None:
    """The same for a file that must not be there yet."""
    if path.is_symlink() or path.exists():
        raise CommandLineWrong(f"{path} is there already", hint="name a new file, or remove that one")
    write_public(path, text)


def _write(path: Path, text: str, mode: int) -> None:
    _check(path)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    temporary = Path(name)
    try:
        with os.fdopen(handle, "w", encoding="utf-8", errors="backslashreplace", newline="\n") as file:
            os.fchmod(handle, mode)
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    _sync_folder(path.parent)


def _check(path: Path) -> None:
    if not path.parent.is_dir():
        raise CommandLineWrong(f"there is no folder {path.parent}", hint="make it first")
    with suppress(FileNotFoundError):
        if not stat.S_ISREG(path.lstat().st_mode):
            raise CommandLineWrong(f"{path} is no regular file", hint="name a file to write")


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def read_plan(path: Path) -> dict[str, Any]:
    """The document of a saved plan. Raises PlanRefused for what is none, CommandLineWrong where there is no file."""
    from reconcile.views.plan_document import read_document

    try:
        return read_document(path.read_bytes())
    except OSError as error:
        raise CommandLineWrong(
            f"the plan file cannot be read: {error}", hint="write one with `reconcile plan --out FILE`"
        ) from error
