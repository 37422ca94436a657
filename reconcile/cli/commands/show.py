"""`reconcile show`: a saved plan, or the state, as text or JSON."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import click

from reconcile.cli.given import Given, takes_given
from reconcile.cli.options import option
from reconcile.cli.plan_files import read_plan
from reconcile.cli.streams import answer, style_of, width_of
from reconcile.errors import CommandLineWrong


@click.command()
@click.argument("planfile", required=False, type=click.Path(path_type=Path))
@option("--json", "as_json", is_flag=True, help="Print the plan document, or the state, as JSON.")
@option("--full", is_flag=True, help="Show every field, renewal and row of a plan.")
@option("--detailed-exitcode", is_flag=True, help="Exit 2 when the saved plan holds changes.")
@takes_given
@click.pass_obj
def show(given: Given, planfile: Path | None, as_json: bool, full: bool, detailed_exitcode: bool) -> int:
    """Show a saved plan, or the state.

    \b
    Examples:
      reconcile show
      reconcile show plan.json --full
    """
    if planfile is not None:
        return _show_plan(given, planfile, as_json=as_json, full=full, detailed=detailed_exitcode)
    if detailed_exitcode or full:
        raise CommandLineWrong("--full and --detailed-exitcode need a plan file", hint="reconcile show PLANFILE")
    _show_state(given, as_json=as_json)
    return 0


def _show_plan(given: Given, planfile: Path, *, as_json: bool, full: bool, detailed: bool) -> int:
    from reconcile.views.plan_document import encode
    from reconcile.views.plan_text import render_document

    document = read_plan(given.path(planfile))
    style, width = style_of(sys.stdout, given.color, os.environ), width_of(sys.stdout)
    answer(encode(document) if as_json else render_document(document, style=style, width=width, full=full))
    return 2 if detailed and any(row["action"] not in ("renew", "defer") for row in document["changes"]) else 0


def _show_state(given: Given, *, as_json: bool) -> None:
    from reconcile.cli.wiring import Session
    from reconcile.views.state_text import render_state

    session = Session(given)
    if as_json:
        answer(session.exported())
        return
    store = session.store
    answer(render_state(store.read(), where=store.where, style=style_of(sys.stdout, given.color, os.environ)))
