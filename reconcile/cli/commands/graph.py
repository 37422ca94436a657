"""`reconcile graph`: alarms, events and handlings, with what a plan does to them, as Mermaid or DOT."""

from __future__ import annotations

from pathlib import Path

import click
from click.core import ParameterSource

from reconcile.cli.given import Given, takes_given
from reconcile.cli.options import STATE_COPY, option
from reconcile.cli.streams import answer
from reconcile.errors import CommandLineWrong


@click.command()
@click.argument("planfile", metavar="[PLANFILE]", required=False, type=click.Path(path_type=Path))
@option("--format", "form", type=click.Choice(["mermaid", "dot"]), default="mermaid", help="Who draws it.")
@STATE_COPY
@takes_given
@click.pass_obj
def graph(given: Given, /, planfile: Path | None, form: str, copy: Path | None) -> int:
    """Draw alarms and handlings, with what a plan does to them.

    Without PLANFILE it plans first, offline. Mermaid is drawn by GitHub and GitLab, DOT by Graphviz.

    \b
    Examples:
      reconcile graph
      reconcile graph --state copy.json
      reconcile graph plan.json --format dot | dot -Tsvg > alarms.svg
    """
    from reconcile.views.graph import graph_of, render_dot, render_mermaid

    if planfile is not None and click.get_current_context().get_parameter_source("copy") is ParameterSource.COMMANDLINE:
        raise CommandLineWrong("a plan file needs no --state", hint="give one of them")
    if planfile is not None:
        from reconcile.cli.plan_files import read_plan

        found = graph_of(read_plan(given.path(planfile)))
    else:
        from reconcile.cli.looking import make_plan, session_over
        from reconcile.planner import PlanOptions
        from reconcile.views.plan_document import plan_document

        session = session_over(given, copy)
        found = graph_of(plan_document(make_plan(session, PlanOptions())), session.desired)
    answer(render_mermaid(found) if form == "mermaid" else render_dot(found))
    return 0
