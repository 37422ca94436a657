"""Exchange: a whole state out of a store and into one (`state pull`, `state push`). Works on a session that holds the lock."""

from __future__ import annotations

from dataclasses import replace

from reconcile.errors import StateUnusable
from reconcile.model.snapshot import Snapshot
from reconcile.state.codec import decode, encode
from reconcile.state.session import Session


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
