"""Exchange: a whole state out of a store and into one (`state pull`, `state push`). Works on a session that holds the lock."""

from __future__ import annotations

from contextlib import AbstractContextManager
from dataclasses import replace
from typing import Protocol

from reconcile.errors import StateUnusable
from reconcile.model.snapshot import Snapshot
from reconcile.state.codec import decode, encode
from reconcile.state.session import Session


class Store(Protocol):
    """A StateStore whose sessions can take a whole state."""

    @property
    def where(self) -> str:
        """The place."""
        ...

    def session(self, *, operation: str, timeout: float) -> AbstractContextManager[Session]:
        """Take the lock."""
        ...


def export(snapshot: Snapshot) -> bytes:
    """The state as a file, journal folded in. Raises StateUnusable when there is none."""
    if snapshot.lineage is None:
        raise StateUnusable("there is no state yet")
    return encode(snapshot)


def import_(session: Session, content: bytes, *, where: str, tool_version: str, force: bool = False) -> Snapshot:
    """Put a state file in place, if it follows the state that is there; `force` puts any in place, as the next serial.

    Returns the state afterwards. What is there already is not written again. Raises StateUnusable for a broken file,
    an older serial, the same serial with other content, another lineage, and for open intents that the file lacks.
    """
    pushed = decode(content, where=where, tool_version=tool_version)
    current = session.snapshot
    if _same(current, pushed):
        return current
    reason = refusal(current, pushed)
    if reason is not None and not force:
        raise StateUnusable(f"is refused: {reason}", where=where, hint="pull, compare, and push again; `--force` overrules this")
    if reason is not None:
        pushed = replace(pushed, serial=max(pushed.serial, current.serial + 1))
    return session.overwrite(pushed)


def migrate(source: Store, target: Store, *, tool_version: str, timeout: float = 0) -> Snapshot:
    """Bring a state from one store to an empty one, open intents included, under both locks. The source keeps its own."""
    with (
        source.session(operation="state migrate", timeout=timeout) as old,
        target.session(operation="state migrate", timeout=timeout) as new,
    ):
        return import_(new, export(old.snapshot), where=source.where, tool_version=tool_version)


def refusal(current: Snapshot, pushed: Snapshot) -> str | None:
    """Why a state may not take the place of the current one, or None."""
    if current.lineage is None:
        return None
    if pushed.lineage != current.lineage:
        return f"it is of lineage {pushed.lineage}, the state here of {current.lineage}"
    if pushed.serial < current.serial:
        return f"its serial {pushed.serial} is older than {current.serial}"
    if pushed.serial == current.serial:
        return f"the state here has the same serial {current.serial} and other content"
    lost = sorted(current.pending.keys() - pushed.pending.keys())
    return f"it lacks {len(lost)} open intents of the state here: {', '.join(lost)}" if lost else None


def _same(current: Snapshot, pushed: Snapshot) -> bool:
    return current.lineage is not None and replace(current, tool_version=None) == replace(pushed, tool_version=None)
