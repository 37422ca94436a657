"""Saved plans on disk: written whole or not at all, for nobody else to read; read back with suspicion."""

from __future__ import annotations

import os
import stat
import tempfile
from pathlib import Path
from typing import Any

from reconcile.errors import CommandLineWrong


def write_private(path: Path, text: str) -> None:
    """Put a file in place at once: a temporary one in the same folder, fsync, rename. Only a regular file is replaced."""
    try:
        if not stat.S_ISREG(path.lstat().st_mode):
            raise CommandLineWrong(f"{path} is no regular file", hint="name a file to write")
    except FileNotFoundError:
        pass
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    temporary = Path(name)
    try:
        with os.fdopen(handle, "w", encoding="utf-8", newline="\n") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    _sync_folder(path.parent)


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
