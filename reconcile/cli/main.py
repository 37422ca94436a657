"""The way in: run a command and turn whatever ends it into an exit code and words on stderr. Imports no adapter and no noun."""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

import click

from reconcile.cli.given import Given
from reconcile.cli.root import root
from reconcile.cli.streams import Log, is_terminal, style_of, tell, tolerate_encodings, width_of

if TYPE_CHECKING:
    from reconcile.errors import ReconcileError

WIDEST_HELP = 100
SUCCESS, FAILED, WRONG_COMMAND_LINE, INTERRUPTED, TERMINATED = 0, 1, 64, 130, 143


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line and return the exit code (contract section 8). Raises nothing."""
    given, Log.as_json = Given(), False
    tolerate_encodings()
    with _termination():
        try:
            return _run(sys.argv[1:] if argv is None else list(argv), given)
        except SystemExit as end:
            return end.code if isinstance(end.code, int) else FAILED
        except KeyboardInterrupt:
            return INTERRUPTED


def _run(argv: list[str], given: Given) -> int:
    try:
        code = root.main(argv, prog_name="reconcile", standalone_mode=False, obj=given, terminal_width=_columns())
        return code if isinstance(code, int) else SUCCESS
    except click.Abort:
        return INTERRUPTED
    except click.ClickException as error:
        return _usage(error)
    except BrokenPipeError:
        return FAILED
    except Exception as error:
        from reconcile.errors import ReconcileError

        return _known(error, given) if isinstance(error, ReconcileError) else _unexpected(error, given)


def _columns() -> int:
    """What click takes for the width of a help page, found without importing shutil."""
    columns = os.environ.get("COLUMNS", "")
    found = int(columns) if columns.isdecimal() else 0
    with suppress(ValueError, OSError):
        found = found or (os.get_terminal_size(sys.__stdout__.fileno()).columns if sys.__stdout__ else 0)
    return max(min(found or 80, WIDEST_HELP) - 2, 50)


def _usage(error: click.ClickException) -> int:
    """Click's own 2 would read as "changes present"."""
    from reconcile.views.inert import inert

    ctx = getattr(error, "ctx", None)
    if isinstance(error, click.exceptions.NoArgsIsHelpError) and ctx is not None:
        tell(ctx.get_help() + "\n")
        return WRONG_COMMAND_LINE
    if ctx is not None:
        tell(f"{ctx.get_usage()}\nTry `{ctx.command_path} --help`.\n\n")
    tell("Error: " + "\n".join(inert(line) for line in error.format_message().split("\n")) + "\n", "error")
    return WRONG_COMMAND_LINE


def _known(error: ReconcileError, given: Given) -> int:
    from reconcile.errors import CommandLineWrong
    from reconcile.views.errors_text import render_error

    width = width_of(sys.stderr) if is_terminal(sys.stderr) and not Log.as_json else None
    tell(render_error(error, style=style_of(sys.stderr, given.color, os.environ), width=width), "error")
    if given.verbose and not isinstance(error, CommandLineWrong):
        _trace(error)
    return error.exit_code


def _unexpected(error: Exception, given: Given) -> int:
    """A failure nobody foresaw, most often the machine's: a full disk, a missing right. One line, the rest with -v."""
    from reconcile.views.inert import inert

    words = str(error) if isinstance(error, OSError) else f"unexpected {type(error).__name__}: {error}"
    tell(f"Error: {inert(words)}\n", "error")
    if given.verbose:
        _trace(error)
    else:
        tell("\nHint: add -v to see where it comes from\n")
    return FAILED


def _trace(error: BaseException) -> None:
    import traceback

    from reconcile.views.inert import inert

    tell(
        "\n"
        + "\n".join(inert(line) for part in traceback.format_exception(error) for line in part.rstrip("\n").split("\n"))
        + "\n"
    )


@contextmanager
def _termination() -> Iterator[None]:
    """SIGTERM ends a command the way Ctrl-C does, with code 143; an apply takes it over while it runs."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGTERM, _terminate)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _terminate(number: int, frame: Any) -> None:
    raise SystemExit(TERMINATED)
