"""`reconcile plan`: what an apply would do. Takes no lock, writes no state, sends nothing."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from reconcile.cli.given import Given, takes_given
from reconcile.cli.options import option
from reconcile.cli.plan_files import write_private
from reconcile.cli.shaping import may_destroy, plan_options, shapes_plan, takes_time
from reconcile.cli.streams import answer, style_of, width_of

if TYPE_CHECKING:
    from reconcile.model.plan import Plan


@click.command()
@option("--out", metavar="FILE", type=click.Path(path_type=Path), help="Save the plan for `reconcile apply FILE`.")
@option("--json", "as_json", is_flag=True, help="Print the plan document instead of text.")
@option("--full", is_flag=True, help="Show every field, renewal and row.")
@option("--detailed-exitcode", is_flag=True, help="Exit 2 when there are changes (renewals and deferrals alone are 0).")
@may_destroy
@shapes_plan
@takes_time
@takes_given
@click.pass_obj
def plan(given: Given, /, out: Path | None, as_json: bool, full: bool, detailed_exitcode: bool, **shaping: Any) -> int:
    """Show what an apply would do; change nothing.

    \b
    Examples:
      reconcile plan
      reconcile plan --out plan.json && reconcile apply plan.json
      reconcile plan --target 'alarm.web-*' --detailed-exitcode
      reconcile plan --refresh
      reconcile plan --json | jq .summary
    """
    from reconcile import engine
    from reconcile.cli.looking import make_plan

    found = make_plan(given, plan_options(shaping))
    _show(found, given, out, as_json=as_json, full=full)
    if found.violations:
        raise engine.ViolationsFound(found)
    return 2 if detailed_exitcode and found.has_changes else 0


def _show(found: Plan, given: Given, out: Path | None, *, as_json: bool, full: bool) -> None:
    from reconcile.views.plan_document import encode, plan_document
    from reconcile.views.plan_text import render_plan

    text = encode(plan_document(found)) if as_json or out else ""
    if out is not None:
        write_private(given.path(out), text)
    if not as_json:
        saved_to = str(out) if out is not None and not found.violations else None
        style, width = style_of(sys.stdout, given.color, os.environ), width_of(sys.stdout)
        text = render_plan(found, style=style, width=width, full=full, saved_to=saved_to)
    answer(text)
