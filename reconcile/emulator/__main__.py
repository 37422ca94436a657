"""`python -m reconcile.emulator`: the server by itself, without the tool's command line."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path
from typing import Any, NoReturn

from reconcile.emulator import faults
from reconcile.emulator.settings import CHOICES, Settings, changed

NUMBERS = ("lag", "history_lag", "task_seconds")


class _Parser(argparse.ArgumentParser):
    """A parser that does not exit."""

    def error(self, message: str) -> NoReturn:
        raise ValueError(message)


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog="python -m reconcile.emulator",
        description="The five API documents as a server on the loopback interface.",
        epilog=f"faults: {faults.__doc__}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--port", type=int, default=0, help="0, the default, is any free one")
    parser.add_argument("--json", action="store_true", help='the first line on stdout is {"url": …}')
    parser.add_argument("--database", type=Path, help="a SQLite file; without it, memory")
    for name, allowed in CHOICES.items():
        parser.add_argument("--" + name.replace("_", "-"), choices=allowed)
    for name in NUMBERS:
        parser.add_argument("--" + name.replace("_", "-"), type=float, metavar="SECONDS")
    parser.add_argument("--max-batch", type=int, metavar="N")
    parser.add_argument("--refuse", action="append", metavar="GLOB", help="resource ids whose reports are a 400")
    parser.add_argument("--no-page-info", dest="page_info", action="store_false", default=None)
    parser.add_argument("--no-list", dest="listing", action="store_false", default=None)
    parser.add_argument("--fault", dest="faults", action="append", metavar="METHOD:PATHGLOB:FAULT[@N[,M…]][xCOUNT]")
    return parser


def main(arguments: list[str] | None = None) -> int:
    """Serve until a signal; 0 then, 64 for a wrong command line, 1 when the port or the database cannot be had."""
    try:
        options: dict[str, Any] = vars(_parser().parse_args(arguments))
        port, as_json, database = options.pop("port"), options.pop("json"), options.pop("database")
        settings = changed(Settings(), {name: value for name, value in options.items() if value is not None})
    except ValueError as error:
        print(f"error: {error}", file=sys.stderr)  # noqa: T201
        return 64
    from reconcile.emulator.serve import serve

    try:
        serve(port, database=database, settings=settings, environ=os.environ, as_json=as_json, out=sys.stdout)
    except (OSError, RuntimeError) as error:
        print(f"error: {error}", file=sys.stderr)  # noqa: T201
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
