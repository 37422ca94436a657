"""`reconcile emulator`: the emulated cloud APIs over HTTP on this machine."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

import click

from reconcile.cli.given import Given, takes_given
from reconcile.cli.options import option
from reconcile.errors import CommandLineWrong


@click.command()
@option("--port", type=click.IntRange(0, 65535), default=0, help="The port on 127.0.0.1; 0 takes a free one.")
@option("--json", "as_json", is_flag=True, help='The first line on stdout is {"url": "http://127.0.0.1:N"}.')
@option("--database", metavar="FILE", type=click.Path(path_type=Path), help="Keep the world in this SQLite file, else in memory.")
@option("--identity", type=click.Choice(["core", "metadata"]), default="core", help="What makes two reports the same alarm.")
@option(
    "--repeat",
    type=click.Choice(["update", "ignore", "second"]),
    default="update",
    help="What a repeated report does: update the record, nothing, or add a second one.",
)
@option("--clear-by", type=click.Choice(["id", "metadata"]), default="id", help="How a clear finds its record.")
@option("--lag", metavar="SECONDS", type=click.FloatRange(0), default=0.0, help="How long the list lags behind.")
@option("--no-page-info", is_flag=True, help="Answer lists without page_info.")
@option("--no-list", is_flag=True, help="Refuse to list (403).")
@option("--fault", metavar="SPEC", multiple=True, help="Inject a fault, as `PUT:*/push/events*:503@1`; repeatable.")
@takes_given
@click.pass_obj
def emulator(given: Given, /, port: int, as_json: bool, database: Path | None, **hypotheses: Any) -> int:
    """Serve the emulated cloud APIs on this machine.

    Takes the credentials of the environment as the valid ones, else a fixed pair that it prints. Ctrl-C ends it.

    \b
    Examples:
      reconcile emulator --port 8080
      reconcile emulator --json --lag 3 --repeat second
      reconcile emulator --fault 'PUT:*/push/events*:503@1'
    """
    from reconcile.emulator.serve import serve

    file = None if database is None else given.path(database)
    serve(port, database=file, settings=_settings(**hypotheses), environ=os.environ, as_json=as_json, out=sys.stdout)
    return 0


def _settings(*, no_page_info: bool, no_list: bool, fault: tuple[str, ...], **same: Any) -> Any:
    from reconcile.emulator.settings import Settings, changed

    wanted = same | {"page_info": not no_page_info, "listing": not no_list, "auth_required": True, "faults": list(fault)}
    try:
        return changed(Settings(), wanted)
    except ValueError as error:
        raise CommandLineWrong(str(error), hint="reconcile emulator --help") from error
