"""Where text goes: the answer to stdout, the rest to stderr; colour and width per stream. A closed pipe is no error."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    from reconcile.views.style import Style

WIDTH_ELSEWHERE, NARROWEST, WIDEST = 100, 40, 160


def answer(text: str, *, raw: bool = False) -> None:
    """Write to stdout, at once. `raw` is for what is meant to hold workflow commands, or is kept as a file."""
    _write(sys.stdout, text if raw else _disarmed(text))


def _disarmed(text: str) -> str:
    """In a GitHub step's log no text of specs or servers may be taken for a workflow command."""
    if os.environ.get("GITHUB_ACTIONS") != "true":
        return text
    from reconcile.views.github import disarmed

    return disarmed(text)


def tell(text: str, level: str = "info") -> None:
    """Write to stderr, at once: as it is, or with `--log-format json` as one line of JSON."""
    _write(sys.stderr, _disarmed(_record(text, level) if Log.as_json else text))


class Log:
    """How stderr is written: for people, or for a collector of logs."""

    as_json = False


def _record(text: str, level: str) -> str:
    message = text.strip("\n")
    if not message:
        return ""
    import json
    from datetime import UTC, datetime

    now = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return json.dumps({"time": now, "level": level, "message": message}) + "\n"


def tell_runner(text: str) -> None:
    """Write workflow commands to stderr: another program reads them, whatever the log's format."""
    _write(sys.stderr, text)


def _write(stream: TextIO | None, text: str) -> None:
    """A reader that has gone away silences the stream for the rest of the run; the run and its exit code go on."""
    if stream is None or not text:
        return
    try:
        stream.write(text)
        stream.flush()
    except BrokenPipeError:
        _silence(stream)


def _silence(stream: TextIO) -> None:
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, stream.fileno())
    os.close(nowhere)


def tolerate_encodings() -> None:
    """Show what the locale's encoding cannot as escapes, instead of failing."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")


def is_terminal(stream: TextIO | None) -> bool:
    """Whether a person looks at it."""
    return stream is not None and not stream.closed and stream.isatty()


def style_of(stream: TextIO | None, color: str, environ: Mapping[str, str]) -> Style:
    """The style of a stream: `always` and `never` win, then NO_COLOR and dumb terminals, then whether it is a terminal."""
    from reconcile.views.style import Style

    if stream is sys.stderr and Log.as_json:
        return Style(False)
    if color != "auto":
        return Style(color == "always")
    return Style(not environ.get("NO_COLOR") and environ.get("TERM") != "dumb" and is_terminal(stream))


def width_of(stream: TextIO | None) -> int:
    """The columns of a terminal; elsewhere always the same, so that the same input gives the same bytes."""
    if not is_terminal(stream):
        return WIDTH_ELSEWHERE
    import shutil

    return min(max(shutil.get_terminal_size((WIDTH_ELSEWHERE, 24)).columns, NARROWEST), WIDEST)
