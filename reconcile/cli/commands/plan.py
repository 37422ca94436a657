"""`reconcile plan`: what an apply would do. Takes no lock, writes no state, sends nothing."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from reconcile.cli.given import Given, takes_given
from reconcile.cli.options import STATE_COPY, option
from reconcile.cli.plan_files import write_private
from reconcile.cli.reports import METRICS, Reports, takes_reports
from reconcile.cli.shaping import may_destroy, plan_options, refuse_unknown_targets, shapes_plan, takes_time
from reconcile.cli.streams import answer, style_of, width_of

if TYPE_CHECKING:
    from reconcile.cli.metering import Told
    from reconcile.cli.wiring import Session
    from reconcile.model.plan import Plan


@click.command()
@option("--out", metavar="FILE", type=click.Path(path_type=Path), help="Save the plan for `reconcile apply FILE`.")
@option("--json", "as_json", is_flag=True, help="Print the plan document instead of text.")
@option("--full", is_flag=True, help="Show every field, renewal and row.")
@option("--detailed-exitcode", is_flag=True, help="Exit 2 when there are changes (renewals and deferrals alone are 0).")
@STATE_COPY
@takes_reports
@METRICS
@may_destroy
@shapes_plan
@takes_time
@takes_given
@click.pass_obj
def plan(
    given: Given,
    /,
    out: Path | None,
    as_json: bool,
    full: bool,
    detailed_exitcode: bool,
    copy: Path | None,
    metrics: str | None,
    markdown: str | None,
    html: str | None,
    gitlab_report: str | None,
    dotenv: str | None,
    github: bool,
    **shaping: Any,
) -> int:
    """Show what an apply would do; change nothing.

    \b
    Examples:
      reconcile plan
      reconcile plan --out plan.json && reconcile apply plan.json
      reconcile plan --target 'alarm.web-*' --detailed-exitcode
      reconcile plan --target @addresses.txt
      reconcile plan --refresh
      reconcile state pull > copy.json && reconcile plan --state copy.json
      reconcile plan --out plan.json --markdown comment.md --html plan.html
      reconcile plan --json | jq .summary
    """
    reports = Reports(markdown, html, gitlab_report, dotenv, github)
    silent = reports.on_stdout(metrics, as_json=as_json)
    from reconcile.cli.looking import session_over
    from reconcile.cli.metering import measured

    session = session_over(given, copy)
    planning = _Planning(session, reports, out, as_json=as_json, full=full, detailed=detailed_exitcode, silent=silent)
    return measured(session, metrics, "plan", lambda told: planning.run(shaping, told))


class _Planning:
    """One plan on its way to terminal, file and reports."""

    def __init__(
        self,
        session: Session,
        reports: Reports,
        out: Path | None,
        *,
        as_json: bool,
        full: bool,
        detailed: bool,
        silent: bool,
    ) -> None:
        self.session, self.given, self.reports, self.out = session, session.given, reports, out
        self.as_json, self.full, self.detailed, self.silent = as_json, full, detailed, silent

    def run(self, shaping: dict[str, Any], told: Told) -> int:
        """Plan, show, write; the exit code. Raises where the plan is refused, after it was shown."""
        from reconcile import engine
        from reconcile.cli.looking import make_plan
        from reconcile.views.plan_document import plan_document

        options = plan_options(shaping, self.given)
        refuse_unknown_targets(options.on, self.session.config)
        found = make_plan(self.session, options)
        code = 6 if found.violations else 2 if self.detailed and found.has_changes else 0
        wanted = self.as_json or self.out is not None or self.reports != Reports()
        told.document = {"stack": found.stack, "summary": found.summary()}
        document = plan_document(found) if wanted else {}
        saved_to = self._save(document, refused=bool(found.violations))
        self._show(found, document, saved_to)
        if self.reports != Reports():
            desired, store = self.session.desired, self.session.store
            self.reports.write(self.given, document, exit_code=code, saved_to=saved_to, desired=desired, snapshot=store.read)
        if found.violations:
            raise engine.ViolationsFound(found)
        return code

    def _save(self, document: dict[str, Any], *, refused: bool) -> str | None:
        """The name under which it can be applied; a refused plan is kept to be read only."""
        from reconcile.views.plan_document import encode

        if self.out is None:
            return None
        write_private(self.given.path(self.out), encode(document))
        return None if refused else str(self.out)

    def _show(self, found: Plan, document: dict[str, Any], saved_to: str | None) -> None:
        from reconcile.views.plan_document import encode
        from reconcile.views.plan_text import render_plan

        if self.silent:
            return
        if self.as_json:
            answer(encode(document))
            return
        style, width = style_of(sys.stdout, self.given.color, os.environ), width_of(sys.stdout)
        answer(render_plan(found, style=style, width=width, full=self.full, saved_to=saved_to))
