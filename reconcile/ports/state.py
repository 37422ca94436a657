"""Where a snapshot is kept, and changed under a lock."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager
from typing import Protocol

from reconcile.model.facts import AnyFact
from reconcile.model.snapshot import LastRun, Snapshot


class StateSession(Protocol):
    """The state under its lock."""

    @property
    def snapshot(self) -> Snapshot:
        """The state with every recorded fact folded in. Cheap to call; valid until the next `record`."""
        ...

    def record(self, facts: Sequence[AnyFact]) -> None:
        """Make facts durable on this machine before returning. All or none of a call survives a crash. Any thread may call."""
        ...

    def write(self, facts: Sequence[AnyFact]) -> Callable[[], None]:
        """`record` in two steps, for who has something else to do while the disk is waited for: what is returned returns once
        the facts are durable, in any thread. Where it raises OSError, `failed` is the error to raise.
        """
        ...

    def failed(self, error: OSError) -> Exception:
        """Keep what is known elsewhere, where possible, and say where."""
        ...

    def note(self, facts: Sequence[AnyFact]) -> None:
        """Fold in facts that another look would find again: durable with the next `record` or `commit`, not before."""
        ...

    def announce(self, facts: Iterable[AnyFact]) -> None:
        """Before a wave of reports or clears: where others share the state, make its intents durable in the backend with one
        write, so that whoever goes on elsewhere knows what may have been sent. Nothing on a disk of our own, where each
        batch records its intents itself.
        """
        ...

    def publish(self) -> None:
        """Make what was recorded durable in the backend itself: once per wave of triggers, before the first POST."""
        ...

    def commit(self, *, stack: str, last_run: LastRun) -> Snapshot:
        """Write the state with serial + 1 and empty the journal; nothing at all is written when nothing was recorded."""
        ...


class StateStore(Protocol):
    """Where a snapshot is kept. `read` takes no lock and changes nothing."""

    @property
    def where(self) -> str:
        """The place, for people."""
        ...

    def read(self) -> Snapshot:
        """The snapshot, journal folded in; an empty one (lineage None) when there is no state. Raises StateUnusable."""
        ...

    def session(self, *, operation: str, timeout: float) -> AbstractContextManager[StateSession]:
        """Take the lock, waiting at most `timeout` seconds. Raises StateLocked with who, since when, where."""
        ...
