"""`reconcile drift`: live alarms against the state. Takes no lock and cannot write."""

from __future__ import annotations

import os
import sys

import click

from reconcile.cli.given import Given, takes_given
from reconcile.cli.listed import listed
from reconcile.cli.options import option
from reconcile.cli.reports import MARKDOWN, METRICS, NOTIFY, owns_stdout, put
from reconcile.cli.streams import answer, style_of, width_of


@click.command()
@option("--ignore", metavar="GLOB[#PATH]", multiple=True, help="Leave out an address, or one path of it; repeatable, or @FILE.")
@option("--json", "as_json", is_flag=True, help="Print a document instead of text.")
@option("--detailed-exitcode/--no-detailed-exitcode", default=True, help="Exit 2 when there is drift.")
@MARKDOWN
@METRICS
@NOTIFY
@takes_given
@click.pass_obj
def drift(
    given: Given,
    /,
    ignore: tuple[str, ...],
    as_json: bool,
    detailed_exitcode: bool,
    markdown: str | None,
    metrics: str | None,
    notify: str | None,
) -> int:
    """Compare the live alarms with the state; change nothing.

    Also tells how the last task of each handling stands; that never counts as drift.

    \b
    Examples:
      reconcile drift
      reconcile drift --ignore 'alarm.web-*#message' --json
      reconcile drift --markdown drift.md --metrics /var/lib/metrics/alarms.prom
    """
    silent = owns_stdout(markdown, metrics, as_json=as_json)
    from reconcile.cli.looking import find_drift
    from reconcile.cli.metering import Told, measured
    from reconcile.cli.noticing import Notice
    from reconcile.cli.wiring import Session
    from reconcile.planner.drift import without_ignored
    from reconcile.views.drift_markdown import render_drift_markdown
    from reconcile.views.drift_views import drift_document, render_drift

    session, ignored = Session(given), listed("--ignore", ignore, given)

    def work(told: Told) -> int:
        snapshot, every, tasks = find_drift(session)
        told.drift = found = without_ignored(every, ignored)
        told.stack = snapshot.stack
        as_of = session.clock.now()
        style, width = style_of(sys.stdout, given.color, os.environ), width_of(sys.stdout)
        if as_json:
            answer(drift_document(found, snapshot, as_of=as_of, tasks=tasks))
        elif not silent:
            answer(render_drift(found, snapshot, as_of=as_of, style=style, width=width, tasks=tasks))
        if markdown is not None:
            put(given, markdown, render_drift_markdown(found, snapshot, as_of=as_of, tasks=tasks))
        return 2 if found and detailed_exitcode else 0

    return measured(session, metrics, "drift", Notice(session, "drift", notify).around(work))
