"""`reconcile version`."""

from __future__ import annotations

import click

from reconcile import __version__
from reconcile.cli.given import takes_given
from reconcile.cli.streams import answer


@click.command()
@takes_given
def version() -> int:
    """Show the version.

    \b
    Example:
      reconcile version
    """
    answer(f"reconcile {__version__}\n")
    return 0
