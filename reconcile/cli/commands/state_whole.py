"""`reconcile state pull|push|history|restore|unlock|migrate`: the state as a whole. Sends nothing to a target."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from reconcile.cli.given import Given, takes_given
from reconcile.cli.options import LOCK, option
from reconcile.cli.streams import answer, tell
from reconcile.errors import CommandLineWrong, ReconcileError, StateUnusable

if TYPE_CHECKING:
    from reconcile.state.open import Store


@click.command()
@takes_given
@click.pass_obj
def pull(given: Given, /) -> int:
    """Print the whole state as JSON.

    \b
    Example:
      reconcile state pull > state.json
    """
    from reconcile.cli.wiring import Session

    answer(Session(given).exported())
    return 0


@click.command()
@click.argument("file", metavar="FILE", type=click.Path(path_type=Path, allow_dash=True))
@option("--force", is_flag=True, help="Also an older state, or one of another lineage. Never one of another stack.")
@LOCK
@takes_given
@click.pass_obj
def push(given: Given, /, file: Path, force: bool, lock_timeout: float) -> int:
    """Put a state file in the place of the state, if it follows it; what it replaces is kept as the backup.

    Refused: a broken file, another stack, another lineage, an older serial, and one that lacks operations still open.

    \b
    Examples:
      reconcile state push state.json
      reconcile state push --force yesterday.json
    """
    from reconcile import __version__, engine
    from reconcile.cli.wiring import Session
    from reconcile.state.codec import decode
    from reconcile.state.exchange import import_

    session, content = Session(given), _read(given, file)
    pushed = decode(content, where=str(file), tool_version=__version__)
    engine.stack_of(session.config, pushed)
    with session.store.session(operation="state push", timeout=lock_timeout) as held:
        if held.snapshot.stack not in (None, pushed.stack):
            raise StateUnusable(
                f"it belongs to stack `{pushed.stack}`, the state here to `{held.snapshot.stack}`", where=str(file)
            )
        now = import_(held, content, where=str(file), tool_version=__version__, force=force)
    _tell(given, f"The state is now serial {now.serial}, with {len(now.resources):,} resources.")
    return 0


def _read(given: Given, file: Path) -> bytes:
    try:
        return sys.stdin.buffer.read() if str(file) == "-" else given.path(file).read_bytes()
    except OSError as error:
        raise CommandLineWrong(f"the state file cannot be read: {error}") from error


def _tell(given: Given, sentence: str) -> None:
    tell(sentence + "\n" if not given.quiet else "")


@click.command()
@option("--json", "as_json", is_flag=True, help="Print a JSON list instead of text.")
@takes_given
@click.pass_obj
def history(given: Given, /, as_json: bool) -> int:
    """List the versions of the state that are kept, newest first.

    \b
    Example:
      reconcile state history
    """
    from reconcile.cli.wiring import Session
    from reconcile.views.state_history import history_document, render_history

    kept = Session(given).store.history()
    answer(history_document(kept) if as_json else render_history(kept))
    return 0


@click.command()
@click.argument("serial", metavar="SERIAL|backup")
@takes_given
@click.pass_obj
def restore(given: Given, /, serial: str) -> int:
    """Bring a kept version of the state back, as the next serial. Operations still open stay open.

    \b
    Examples:
      reconcile state restore backup
      reconcile state restore 41
    """
    from reconcile.cli.wiring import Session, who
    from reconcile.model.snapshot import LastRun

    if serial != "backup" and not (serial.isascii() and serial.isdigit() and len(serial) < 16):
        raise CommandLineWrong(f"`{serial}` is neither a serial nor `backup`", hint="`reconcile state history` lists them")
    session = Session(given)
    wanted = _backup(session.store) if serial == "backup" else int(serial)
    last_run = LastRun(at=session.clock.now(), command="state restore", who=who(), exit_code=0)
    now = session.store.restore(wanted, last_run=last_run)
    _tell(given, f"Serial {wanted} is back, as serial {now.serial}; see what that means: reconcile plan --refresh")
    return 0


def _backup(store: Store) -> int:
    kept = [version.serial for version in store.history() if version.place.endswith(".backup")]
    if not kept:
        raise ReconcileError("there is no backup", where=store.where, hint="`reconcile state history` lists what is kept")
    return kept[0]


@click.command()
@click.argument("lock_id", metavar="[ID]", required=False)
@takes_given
@click.pass_obj
def unlock(given: Given, /, lock_id: str | None) -> int:
    """Break the lock of a run that died. A local state needs it never: the kernel frees its lock.

    \b
    Example:
      reconcile state unlock 5d0c2a9e
    """
    from reconcile.cli.wiring import Session
    from reconcile.views.inert import inert

    said = inert(Session(given).store.unlock(lock_id))
    _tell(given, f"{said[:1].upper()}{said[1:]}.")
    return 0


@click.command()
@option(
    "--to",
    metavar="FILE",
    required=True,
    type=click.Path(path_type=Path),
    help="A config with the new `state:`, or a state's .json.",
)
@LOCK
@takes_given
@click.pass_obj
def migrate(given: Given, /, to: Path, lock_timeout: float) -> int:
    """Copy the state to another place, open operations included. The old one stays as it is.

    \b
    Examples:
      reconcile state migrate --to reconcile.s3.yaml
      reconcile state migrate --to state/other.json
    """
    from reconcile import __version__
    from reconcile.cli.wiring import Session, opened
    from reconcile.state.exchange import migrate as migrated

    session = Session(given)
    target = opened(session, to)
    if target.where == session.store.where:
        raise CommandLineWrong(f"the state is already at {target.where}")
    if session.store.read().lineage is None:
        raise StateUnusable(f"there is no state at {session.store.where}")
    now = migrated(session.store, target, tool_version=__version__, timeout=lock_timeout)
    _tell(given, f"The state is now also at {target.where}, serial {now.serial}; write that place into the config's `state:`.")
    return 0


COMMANDS = (pull, push, history, restore, unlock, migrate)
