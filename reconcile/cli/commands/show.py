"""`reconcile show`: a saved plan, or the state, as text or JSON."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

import click

from reconcile.cli.given import Given, takes_given
from reconcile.cli.options import option
from reconcile.cli.plan_files import read_plan
from reconcile.cli.reports import Reports, takes_reports
from reconcile.cli.streams import answer, style_of, width_of
from reconcile.errors import CommandLineWrong


@click.command()
@click.argument("planfile", required=False, type=click.Path(path_type=Path))
@option("--json", "as_json", is_flag=True, help="Print the plan document, or the state, as JSON.")
@option("--full", is_flag=True, help="Show every field, renewal and row of a plan.")
@option("--detailed-exitcode", is_flag=True, help="Exit 2 when the saved plan holds changes.")
@takes_reports
@takes_given
@click.pass_obj
def show(given: Given, /, planfile: Path | None, as_json: bool, full: bool, detailed_exitcode: bool, **wanted: Any) -> int:
    """Show a saved plan, or the state.

    \b
    Examples:
      reconcile show
      reconcile show plan.json --full
      reconcile show plan.json --markdown comment.md --html plan.html
    """
    reports = Reports(**wanted)
    if planfile is not None:
        return _show_plan(given, planfile, reports, as_json=as_json, full=full, detailed=detailed_exitcode)
    if detailed_exitcode or full or reports != Reports():
        raise CommandLineWrong("only --json goes without a plan file", hint="reconcile show PLANFILE")
    _show_state(given, as_json=as_json)
    return 0


def _show_plan(given: Given, /, planfile: Path, reports: Reports, *, as_json: bool, full: bool, detailed: bool) -> int:
    from reconcile.views.plan_document import encode
    from reconcile.views.plan_text import render_document

    silent = reports.on_stdout(None, as_json=as_json)
    document = read_plan(given.path(planfile))
    code = 2 if detailed and any(row["action"] not in ("renew", "defer") for row in document["changes"]) else 0
    style, width = style_of(sys.stdout, given.color, os.environ), width_of(sys.stdout)
    if not silent:
        answer(encode(document) if as_json else render_document(document, style=style, width=width, full=full))
    reports.write(given, document, exit_code=code, saved_to=None if document.get("violations") else str(planfile))
    return code


def _show_state(given: Given, *, as_json: bool) -> None:
    from reconcile.cli.wiring import Session
    from reconcile.views.state_text import render_state

    session = Session(given)
    if as_json:
        answer(session.exported())
        return
    store = session.store
    style, width = style_of(sys.stdout, given.color, os.environ), width_of(sys.stdout)
    answer(render_state(store.read(), where=store.where, style=style, width=width))
