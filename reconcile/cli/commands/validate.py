"""`reconcile validate`: all problems of all files at once, offline."""

from __future__ import annotations

import os
import sys

import click

from reconcile.cli.given import Given, takes_given
from reconcile.cli.options import option
from reconcile.cli.streams import answer, style_of
from reconcile.errors import InputInvalid


@click.command()
@option(
    "--format", "form", type=click.Choice(["text", "github", "json", "sarif"]), default="text", help="Who reads the problems."
)
@takes_given
@click.pass_obj
def validate(given: Given, form: str) -> int:
    """Check all specs and the config, offline: every problem at once, each with its line.

    \b
    Examples:
      reconcile validate
      reconcile validate --format sarif > problems.sarif
    """
    from reconcile.cli.wiring import Session
    from reconcile.views.problems import render_problems

    style = style_of(sys.stdout, given.color, os.environ)
    try:
        desired = Session(given).desired
    except InputInvalid as invalid:
        answer(render_problems(invalid.problems, files=invalid.files, form=form, style=style), raw=form == "github")
        return invalid.exit_code
    from reconcile.cli.notes import tell_notes
    from reconcile.views.validity import render_valid

    tell_notes(desired.notes, given)
    answer(render_valid(desired, form=form), raw=form == "github")
    return 0
