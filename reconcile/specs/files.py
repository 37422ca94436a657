"""Finds and reads the files: sorted, regular, inside their folder, UTF-8, of a sane size. Knows nothing of YAML."""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Iterator
from errno import ENOTDIR
from pathlib import Path

from reconcile.specs import codes
from reconcile.specs.locate import Place
from reconcile.specs.source import Report, SourceFile

MAX_BYTES = 16 * 2**20
_SUFFIXES = (".yaml", ".yml")
_FORBIDDEN = "[^\t\n\r -~\x85\xa0-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]"  # slow to compile, rarely needed
_FORBIDDEN_ASCII = re.compile(rb"[^\t\n\r -~\x80-\xff]")


def shown(path: Path, directory: Path) -> str:
    """A path as the user would write it from the directory; undecodable bytes become visible."""
    path, directory = path.absolute(), directory.absolute()
    if path.is_relative_to(directory):
        path = path.relative_to(directory)
    return os.fsencode(path).decode("utf-8", "backslashreplace")


def is_there(path: Path) -> bool:
    """Whether anything bears this name; what cannot be looked at counts, so that reading it says why."""
    try:
        path.lstat()
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError:
        return True
    return True


def walk(root: Path, directory: Path, report: Report) -> list[Path]:
    """All spec files below the folder, sorted by path; what must not be read is reported."""
    try:
        if not stat.S_ISDIR(root.stat().st_mode):
            raise NotADirectoryError(ENOTDIR, "it is not a folder")
        root.resolve(strict=True)
    except (OSError, RuntimeError) as error:
        what = f"the specs folder cannot be read: {_reason(error)}"
        report.add_file(shown(root, directory), "S" + codes.UNREADABLE, what, "`specs:` in the config names it")
        return []
    return sorted(_below(root, root.resolve(), directory, report, ()), key=lambda path: path.relative_to(root).parts)


def _below(folder: Path, root: Path, directory: Path, report: Report, above: tuple[Path, ...]) -> Iterator[Path]:
    try:
        here = folder.resolve(strict=True)
        entries = sorted(folder.iterdir())
    except (OSError, RuntimeError) as error:
        report.add_file(shown(folder, directory), "S" + codes.UNREADABLE, f"cannot be read: {_reason(error)}")
        return
    for entry in entries:
        wanted = entry.name.endswith(_SUFFIXES)
        problem = _refusal(entry, root, (*above, here), wanted)
        if problem is not None:
            report.add_file(shown(entry, directory), "S" + codes.NOT_REGULAR, problem)
        elif entry.is_dir():
            yield from _below(entry, root, directory, report, (*above, here))
        elif wanted:
            yield entry


def _refusal(entry: Path, root: Path, above: tuple[Path, ...], wanted: bool) -> str | None:
    """Why an entry of a folder must not be followed or read, or None."""
    try:
        if entry.is_symlink():
            real = entry.resolve()
            if not real.is_relative_to(root):
                return "this link leaves the specs folder" if wanted or real.is_dir() else None
            if real in above:
                return "this link leads back to a folder above it"
        mode = entry.stat().st_mode
    except (OSError, RuntimeError) as error:
        return f"cannot be followed: {_reason(error)}" if wanted else None
    if not wanted or stat.S_ISREG(mode):
        return None
    return "is a folder with the name of a spec file" if stat.S_ISDIR(mode) else "is no regular file"


def read(path: Path, name: str, letter: str, report: Report) -> SourceFile | None:
    """A file's text, checked; None when it was refused."""
    try:
        content = _bytes(path)
    except OSError as error:
        report.add_file(name, letter + codes.UNREADABLE, f"cannot be read: {_reason(error)}")
        return None
    if content is None:
        report.add_file(name, letter + codes.NOT_REGULAR, "is no regular file")
        return None
    if len(content) > MAX_BYTES:
        report.add_file(name, letter + codes.TOO_LARGE, "is larger than 16 MiB", "split it into several files")
        return None
    file = SourceFile(name, content.removeprefix(b"\xef\xbb\xbf"), letter)
    return file if _is_text(file, report) else None


def content_of(path: Path) -> bytes | None:
    """What `read` would give a parser, unchecked; None for what is no regular file. Raises OSError."""
    content = _bytes(path)
    return None if content is None else content.removeprefix(b"\xef\xbb\xbf")


def _bytes(path: Path) -> bytes | None:
    """At most one byte more than is allowed; None when it is no regular file. Never waits for a FIFO."""
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    with open(descriptor, "rb") as stream:  # noqa: PTH123 -- it is a descriptor, checked before it is read
        return stream.read(MAX_BYTES + 1) if stat.S_ISREG(os.fstat(descriptor).st_mode) else None


def _is_text(file: SourceFile, report: Report) -> bool:
    content = file.content
    try:
        text = None if content.isascii() else content.decode("utf-8")
    except UnicodeDecodeError as error:
        before = content[: error.start]
        line = before.count(b"\n")
        column = len(before[before.rfind(b"\n") + 1 :].decode("utf-8", "replace"))
        hint = "it looks like UTF-16; save it as UTF-8" if content[:2] in (b"\xff\xfe", b"\xfe\xff") else "save it as UTF-8"
        report.broken.add(file.name)
        report.add(file, Place(line + 1, column + 1, column + 2), codes.NOT_TEXT, "the file is not UTF-8", hint)
        return False
    match = _FORBIDDEN_ASCII.search(content) if text is None else re.search(_FORBIDDEN, text)
    if match is None:
        return True
    before_text = content[: match.start()].decode() if text is None else text[: match.start()]
    found = match[0] if isinstance(match[0], str) else match[0].decode()
    line = before_text.count("\n")
    column = len(before_text) - before_text.rfind("\n")
    what = f"the character U+{ord(found):04X} cannot stand in YAML"
    hint = f'in double quotes it is written "\\u{ord(found):04x}"'
    report.broken.add(file.name)
    report.add(file, Place(line + 1, column, column + 1), codes.NOT_TEXT, what, hint)
    return False


def _reason(error: Exception) -> str:
    return (error.strerror or str(error)) if isinstance(error, OSError) else "too many links"
