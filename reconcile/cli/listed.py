"""`@FILE` where an option takes globs: one a line, `#` begins a line that is none. Knows no option but by its name."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from reconcile.cli.given import Given
from reconcile.errors import CommandLineWrong

MARK = "@"
MOST_BYTES = 16 * 2**20


def listed(option: str, globs: Iterable[str], given: Given) -> tuple[str, ...]:
    """The globs as given, each `@FILE` replaced by what stands in it. Raises CommandLineWrong where that is nothing."""
    return tuple(one for glob in globs for one in (_lines(option, glob, given) if glob.startswith(MARK) else (glob,)))


def _lines(option: str, glob: str, given: Given) -> Iterator[str]:
    lines = [line.strip() for line in _text(option, glob, given).splitlines()]
    named = [line for line in lines if line and not line.startswith("#")]
    if not named:
        raise CommandLineWrong(f"{option} {glob}: the file names nothing", hint="write one address or glob a line")
    for line in named:
        if line.startswith(MARK):
            raise CommandLineWrong(f"{option} {glob}: `{line}` would be another file", hint=f"give it as {option} {line}")
        yield line


def _text(option: str, glob: str, given: Given) -> str:
    name = glob.removeprefix(MARK)
    try:
        if not name:
            raise FileNotFoundError("no file is named after the @")
        with given.path(Path(name)).open("rb") as file:
            raw = file.read(MOST_BYTES + 1)
        if len(raw) > MOST_BYTES:
            raise OSError("it is over 16 MiB")
        return raw.decode("utf-8-sig")
    except (OSError, ValueError) as error:
        why = "it is not UTF-8" if isinstance(error, UnicodeDecodeError) else getattr(error, "strerror", None) or str(error)
        hint = "@FILE is a file with one address or glob a line, relative to -C"
        raise CommandLineWrong(f"{option} {glob}: the file cannot be read: {why}", hint=hint) from error
