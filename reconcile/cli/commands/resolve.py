"""`reconcile resolve`: a person's word on a task that may or may not have run. Sends nothing."""

from __future__ import annotations

import click

from reconcile.cli.completing import handlings
from reconcile.cli.given import Given, takes_given
from reconcile.cli.options import LOCK, option
from reconcile.cli.streams import answer
from reconcile.errors import CommandLineWrong


@click.command()
@click.argument("address", metavar="ADDRESS", shell_complete=handlings)
@option("--ticket", metavar="ID", help="It ran: this is its work order.")
@option("--not-run", is_flag=True, help="It did not run: it is planned again.")
@option("--retrigger", is_flag=True, help="Run it again, although it may have run.")
@LOCK
@takes_given
@click.pass_obj
def resolve(given: Given, /, address: str, ticket: str | None, not_run: bool, retrigger: bool, lock_timeout: float) -> int:
    """Say how a task ended whose answer was lost: it ran, it did not, or it is to run again.

    Look for the work order at the alarm in COC first. Nothing is sent; the next apply goes on from what you say.

    \b
    Examples:
      reconcile resolve handling.web-1-restart --ticket SC2025071006154101b779eb7
      reconcile resolve handling.web-1-restart --not-run
      reconcile resolve handling.web-1-restart --retrigger
    """
    from reconcile import engine
    from reconcile.cli.wiring import Session, who
    from reconcile.planner.surgery import check_address
    from reconcile.planner.surgery import resolve as resolved

    if (ticket is not None) + not_run + retrigger != 1 or ticket == "":
        raise CommandLineWrong("say exactly one of --ticket ID, --not-run, --retrigger", hint="reconcile resolve --help")
    if check_address(address) != "handling":
        raise CommandLineWrong(f"{address} is no handling", hint="only the start of a task can stay without an answer")
    session = Session(given)
    _, serial = engine.edit_state(
        session.store,
        lambda snapshot: resolved(snapshot, address, ticket=ticket, retrigger=retrigger),
        command="resolve",
        who=who(),
        clock=session.clock,
        lock_timeout=lock_timeout,
    )
    answer(f"{_next(address, ticket, retrigger=retrigger)} State serial {serial}.\n")
    return 0


def _next(address: str, ticket: str | None, *, retrigger: bool) -> str:
    from reconcile.views.inert import inert

    if ticket is not None:
        return f"{inert(address)} ran as work order {inert(ticket)}; it is not started again for this occurrence."
    if retrigger:
        return f"The next apply starts the task of {inert(address)} again, whether it ran or not."
    return f"{inert(address)} did not run; the next apply starts its task."
