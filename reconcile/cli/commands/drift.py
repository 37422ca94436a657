"""`reconcile drift`: live alarms against the state. Takes no lock and cannot write."""

from __future__ import annotations

import os
import sys

import click

from reconcile.cli.given import Given, takes_given
from reconcile.cli.options import option
from reconcile.cli.streams import answer, style_of, width_of


@click.command()
@option("--ignore", metavar="GLOB[#PATH]", multiple=True, help="Leave out an address, or one path of it; repeatable.")
@option("--json", "as_json", is_flag=True, help="Print a document instead of text.")
@option("--detailed-exitcode/--no-detailed-exitcode", default=True, help="Exit 2 when there is drift.")
@takes_given
@click.pass_obj
def drift(given: Given, /, ignore: tuple[str, ...], as_json: bool, detailed_exitcode: bool) -> int:
    """Compare the live alarms with the state; change nothing.

    \b
    Examples:
      reconcile drift
      reconcile drift --ignore 'alarm.web-*#message' --json
    """
    from reconcile.cli.looking import find_drift
    from reconcile.cli.wiring import Session
    from reconcile.planner.drift import without_ignored
    from reconcile.views.drift_views import drift_document, render_drift

    session = Session(given)
    snapshot, every = find_drift(session)
    found, as_of = without_ignored(every, ignore), session.clock.now()
    if as_json:
        answer(drift_document(found, snapshot, as_of=as_of))
    else:
        style, width = style_of(sys.stdout, given.color, os.environ), width_of(sys.stdout)
        answer(render_drift(found, snapshot, as_of=as_of, style=style, width=width))
    return 2 if found and detailed_exitcode else 0
