"""`reconcile import`: take over one live alarm, or write specs for what nobody declared."""

from __future__ import annotations

from pathlib import Path

import click

from reconcile.cli.given import Given, takes_given
from reconcile.cli.options import option
from reconcile.cli.streams import answer, tell
from reconcile.errors import CommandLineWrong


@click.command("import")
@click.argument("address", metavar="[ADDRESS]", required=False)
@click.argument("alarm_id", metavar="[ID]", required=False)
@option("--unmanaged", is_flag=True, help="Write specs for the live alarms that nobody declared.")
@option("--name", metavar="GLOB", help="Of these only: those whose name matches. `*` and `?` are special.")
@option("--out", metavar="FILE", type=click.Path(path_type=Path), help="Write the specs to this new file instead of stdout.")
@takes_given
@click.pass_obj
def import_(
    given: Given, /, address: str | None, alarm_id: str | None, unmanaged: bool, name: str | None, out: Path | None
) -> int:
    """Take over a live alarm, or write specs for what nobody declared.

    ADDRESS must be declared with the same identity. Nothing is sent; another stack's alarm is refused.

    \b
    Examples:
      reconcile import alarm.web-1-cpu-high 5921604237114589184
      reconcile import --unmanaged --out specs/taken-over.yaml
      reconcile import --unmanaged --name 'CPU*'
    """
    if unmanaged:
        if address is not None:
            raise CommandLineWrong("--unmanaged takes no ADDRESS", hint="choose with --name GLOB")
        return _unmanaged(given, name or "*", out)
    if alarm_id is None or address is None or name is not None or out is not None:
        raise CommandLineWrong("say ADDRESS and ID, or --unmanaged", hint="reconcile import --help")
    return _one(given, address, alarm_id)


def _one(given: Given, address: str, alarm_id: str) -> int:
    from reconcile.cli.looking import take_over
    from reconcile.cli.wiring import Session
    from reconcile.planner.surgery import check_address
    from reconcile.views.inert import inert

    if check_address(address) != "alarm":
        raise CommandLineWrong(f"{address} is no alarm", hint="events and handlings are not active anywhere")
    record, serial = take_over(Session(given), address, alarm_id)
    answer(f"{inert(address)} now owns the alarm {inert(record.remote_id or alarm_id)}. State serial {serial}.\n")
    return 0


def _unmanaged(given: Given, name: str, out: Path | None) -> int:
    from reconcile.cli.importing import specs_for_unmanaged
    from reconcile.cli.notes import tell_notes
    from reconcile.cli.plan_files import write_new
    from reconcile.cli.wiring import Session
    from reconcile.views.units import counted

    written = specs_for_unmanaged(Session(given), name)
    tell_notes((f"left out: {what}: {why}" for what, why in written.left_out), given)
    if out is None:
        answer(written.text, raw=True)
    elif written.text:
        write_new(given.path(out), written.text)
    if not given.quiet:
        after = "; take them over: reconcile apply --adopt" if written.names else ""
        tell(f"{counted(len(written.names), 'alarm')} that nobody declared{after}.\n")
    return 0
