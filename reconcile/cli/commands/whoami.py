"""`reconcile whoami`: which identity each target would use, and why. Sends nothing."""

from __future__ import annotations

import os
import sys

import click

from reconcile.cli.given import Given, takes_given
from reconcile.cli.options import option
from reconcile.cli.streams import answer, style_of


@click.command()
@option("--json", "as_json", is_flag=True, help="Print a JSON list instead of text.")
@takes_given
@click.pass_obj
def whoami(given: Given, /, as_json: bool) -> int:
    """Show the identity each target would use, and why. Sends nothing, shows no secret.

    Exits 1 when a target could not log in.

    \b
    Examples:
      reconcile whoami
      reconcile whoami --json | jq '.[] | select(.problem)'
    """
    from dataclasses import asdict

    from reconcile.cli.wiring import Session
    from reconcile.targets.identity import describe_identity
    from reconcile.views.identity_text import identities_document, render_identities

    session = Session(given)
    rows = [asdict(describe_identity(session.config, name, session.environ, given.chdir)) for name in session.config.targets]
    answer(identities_document(rows) if as_json else render_identities(rows, style=style_of(sys.stdout, given.color, os.environ)))
    return 1 if any(row["problem"] for row in rows) else 0
