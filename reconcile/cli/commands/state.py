"""`reconcile state`: look at the state, and change by hand what is in it. Sends nothing. Whole states: `state_whole`."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import click

from reconcile.cli.commands import state_whole
from reconcile.cli.completing import addresses
from reconcile.cli.given import Given, takes_given
from reconcile.cli.options import LOCK, option
from reconcile.cli.streams import answer, style_of, tell, width_of

if TYPE_CHECKING:
    from reconcile.model.snapshot import Snapshot
    from reconcile.ports import AnyFact


@click.group("state")
@takes_given
def state() -> None:
    """Look at the state, and change it by hand. Nothing is sent; each change is made under the lock, with a backup.

    \b
    Examples:
      reconcile state list 'alarm.web-*'
      reconcile state show alarm.web-1-cpu-high
      reconcile state mv alarm.old alarm.new
      reconcile state rm alarm.handed-over
      reconcile state unprotect 'alarm.web-*'
      reconcile state pull > state.json
      reconcile state restore backup
    """


for _command in state_whole.COMMANDS:
    state.add_command(_command)


@state.command("list")
@click.argument("globs", metavar="[GLOB]...", nargs=-1, shell_complete=addresses)
@takes_given
@click.pass_obj
def list_(given: Given, /, globs: tuple[str, ...]) -> int:
    """List addresses, one a line.

    \b
    Example:
      reconcile state list 'alarm.disk*'
    """
    from reconcile.cli.wiring import Session
    from reconcile.planner.surgery import matching
    from reconcile.views.state_text import render_addresses

    snapshot = Session(given).store.read()
    answer(render_addresses(matching(snapshot, globs or ["*"]) if snapshot.resources or globs else []))
    return 0


@state.command("show")
@click.argument("address", metavar="ADDRESS", shell_complete=addresses)
@option("--json", "as_json", is_flag=True, help="Print the state's entry as JSON.")
@takes_given
@click.pass_obj
def show(given: Given, /, address: str, as_json: bool) -> int:
    """Show one resource as the state knows it; a glob shows several.

    \b
    Example:
      reconcile state show 'alarm.disk-full["/var"]'
    """
    from reconcile.cli.wiring import Session
    from reconcile.planner.surgery import matching
    from reconcile.views.state_text import render_entries, render_resource

    snapshot = Session(given).store.read()
    found = {name: snapshot.resources[name] for name in matching(snapshot, [address])}
    style, width = style_of(sys.stdout, given.color, os.environ), width_of(sys.stdout)
    shown = (render_resource(address, record, style=style, width=width) for address, record in found.items())
    answer(render_entries(found) if as_json else "\n".join(shown))
    return 0


@state.command()
@click.argument("old", shell_complete=addresses)
@click.argument("new")
@LOCK
@takes_given
@click.pass_obj
def mv(given: Given, /, old: str, new: str, lock_timeout: float) -> int:
    """Give a resource another address; nothing is sent. Without a key, all instances move.

    \b
    Example:
      reconcile state mv alarm.old alarm.new
    """
    from reconcile.planner.surgery import check_move, move

    check_move(old, new)
    _edit(given, lambda snapshot: move(snapshot, old, new), "state mv", lock_timeout)
    tell(f"{old} is now {new}.\n" if not given.quiet else "")
    return 0


@state.command()
@click.argument("globs", metavar="GLOB...", nargs=-1, required=True, shell_complete=addresses)
@LOCK
@takes_given
@click.pass_obj
def rm(given: Given, /, globs: tuple[str, ...], lock_timeout: float) -> int:
    """Drop resources from the state; nothing is sent, live alarms stay as they are.

    \b
    Example:
      reconcile state rm alarm.handed-over
    """
    from reconcile.planner.surgery import remove
    from reconcile.views.units import counted

    count = _edit(given, lambda snapshot: remove(snapshot, globs), "state rm", lock_timeout)
    tell(f"{counted(count, 'resource')} dropped from the state; what is live was left alone.\n" if not given.quiet else "")
    return 0


@state.command()
@click.argument("globs", metavar="GLOB...", nargs=-1, required=True, shell_complete=addresses)
@LOCK
@takes_given
@click.pass_obj
def unprotect(given: Given, /, globs: tuple[str, ...], lock_timeout: float) -> int:
    """Lift the protection that the state remembers; specs that still say `protect: true` set it again.

    \b
    Example:
      reconcile state unprotect alarm.web-2-unreachable
    """
    from reconcile.planner.surgery import unprotect as unprotected
    from reconcile.views.units import counted

    count = _edit(given, lambda snapshot: unprotected(snapshot, globs), "state unprotect", lock_timeout)
    tell(f"{counted(count, 'resource')} no longer protected.\n" if not given.quiet else "")
    return 0


def _edit(given: Given, edit: Callable[[Snapshot], Sequence[AnyFact]], command: str, lock_timeout: float) -> int:
    from reconcile import engine
    from reconcile.cli.wiring import Session, who

    session = Session(given)
    count, _ = engine.edit_state(session.store, edit, command=command, who=who(), clock=session.clock, lock_timeout=lock_timeout)
    return count
