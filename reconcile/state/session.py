"""Session: the state while its lock is held. Facts go to the journal first; the state is written at the end, and between waves
where it is shared. Knows neither where the state lives nor how it is locked."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace

from reconcile.errors import ReconcileError
from reconcile.model.facts import Announced, AnyFact, Opened, fold
from reconcile.model.snapshot import LastRun, Snapshot
from reconcile.state.found import Found
from reconcile.state.journal import Header, Journal
from reconcile.state.rescue import Rescue

PACE = 10.0  # seconds between two writes of a shared state that nothing else asks for
SHARE = 10  # and at most one tenth of a run is spent on them


class Session:
    """Fulfils the port StateSession. `record` may be called from several threads.

    `save` writes a whole snapshot, durably and only over its predecessor, or raises. `shared` says that others cannot see
    the journal, so that `publish` has to write, and `record` writes now and then.
    """

    def __init__(
        self,
        start: Found,
        *,
        journal: Journal,
        rescue: Rescue,
        save: Callable[[Snapshot], None],
        entropy: Callable[[], str],
        tool_version: str,
        operation: str,
        shared: bool = False,
        seconds: Callable[[], float] = time.monotonic,
    ) -> None:
        self._base = start.saved
        self._lineage = start.snapshot.lineage
        self._resources = dict(start.snapshot.resources)
        self._pending = dict(start.snapshot.pending)
        self._resume = start.resume
        self._dirty = bool(start.facts)
        self._unpublished = bool(start.facts)
        self._journal = journal
        self._rescue = rescue
        self._save = save
        self._entropy = entropy
        self._tool_version = tool_version
        self._operation = operation
        self._shared = shared
        self._seconds = seconds
        self._next_write = seconds() + PACE
        self._guard = threading.Lock()
        self._failed = False
        self._closed = False
        self._noted: list[AnyFact] = []
        self._dumped = False
        if start.rescued is not None:
            self._take_over(start.rescued)

    @property
    def snapshot(self) -> Snapshot:
        """The state with every recorded fact folded in; a view that the next `record` changes."""
        return replace(self._base, lineage=self._lineage, resources=self._resources, pending=self._pending)

    def _take_over(self, rescued: list[AnyFact]) -> None:
        """Bring a dump into a journal of its own; until that is durable, the dump stays."""
        try:
            self._journal.discard()
            self.record(rescued)
            self._rescue.remove()
        except OSError as error:
            raise ReconcileError(f"the dump of an earlier run cannot be taken over: {error}") from error

    def record(self, facts: Sequence[AnyFact]) -> None:
        """Make facts durable on this machine before returning. All or none of a call survives a crash."""
        if not facts:
            return
        with self._guard:
            self._dirty = self._unpublished = True
            try:
                self._append(facts)
            except OSError as error:
                self._fold_sent(facts)
                raise self.failed(error) from error
            self._fold(facts)
            if self._shared and self._seconds() >= self._next_write and not self._triggering():
                self._share()

    def write(self, facts: Sequence[AnyFact]) -> Callable[[], None]:
        """`record` in two steps: facts are written and folded in at once; what is returned waits for the disk, in any thread,
        before the session ends. Where it raises OSError, `failed` is the error to raise."""
        if self._shared or self._failed or self._closed or not self._journal.open:
            self.record(facts)
            return _waited
        with self._guard:
            try:
                self._journal.write([*self._noted, *facts])
            except OSError as error:
                self._fold_sent(facts)
                raise self.failed(error) from error
            self._noted = []
            self._fold(facts)
            return self._journal.sync

    def failed(self, error: OSError) -> ReconcileError:
        """The journal is not to be relied on any more: dump what is known, and say so."""
        self._failed = True
        return self._lost("the journal cannot be written", error)

    def note(self, facts: Sequence[AnyFact]) -> None:
        """Fold in what another look would find again; it is durable with the next `record` or `commit`."""
        with self._guard:
            self._dirty = self._dirty or bool(facts)
            self._unpublished = self._unpublished or bool(facts)
            self._noted += facts
            self._fold(facts)

    def _append(self, facts: Sequence[AnyFact]) -> None:
        if self._failed:  # its end may be torn, and a second fsync proves nothing
            raise OSError("an earlier write failed")
        if self._closed:  # a thread that comes late must not begin the journal anew
            raise OSError("the session is over")
        facts = [*self._noted, *facts]
        if self._journal.open:
            self._journal.append(facts)
        elif self._resume is not None:
            self._journal.resume(self._resume)
            self._journal.append(facts)
        else:
            self._lineage = self._lineage or self._entropy()
            self._journal.begin(self._header(facts))
        self._noted = []

    def _header(self, facts: list[AnyFact]) -> Header:
        return Header(
            lineage=self._lineage or "",
            serial=self._base.serial,
            tool_version=self._tool_version,
            operation=self._operation,
            facts=facts,
        )

    def _fold(self, facts: Sequence[AnyFact]) -> None:
        fold(list(facts), self._resources, self._pending)

    def _fold_sent(self, facts: Sequence[AnyFact]) -> None:
        """What could not be written is known nevertheless, unless it only told what was to leave, and now will not."""
        if not all(_unsent(fact) for fact in facts):
            self._fold(facts)

    def announce(self, facts: Iterable[AnyFact]) -> None:
        """Make the intents of a wave durable in a backend that others share; on a disk of our own, each batch does."""
        if self._shared and (made := list(facts)):
            self.record(made)
            self.publish()

    def publish(self) -> None:
        """Make what was recorded durable in the backend itself. The local disk is its own backend: nothing to do there."""
        with self._guard:
            if self._shared and self._unpublished:
                self._share()

    def _share(self) -> None:
        started = self._seconds()
        self._write(stack=self._base.stack, last_run=self._base.last_run)
        ended = self._seconds()
        self._next_write = ended + max(PACE, SHARE * (ended - started))

    def _triggering(self) -> bool:
        """Whether a task may be on its way: a slow write must not let its answer run into the deadline."""
        return any(intent.op == "trigger" and intent.phase == "opened" for intent in self._pending.values())

    def commit(self, *, stack: str, last_run: LastRun) -> Snapshot:
        """Write the state with serial + 1 and drop the journal; nothing at all when nothing was recorded."""
        with self._guard:
            if self._dirty:
                self._write(stack=stack, last_run=last_run)
                self._dirty = False
            return replace(self.snapshot, resources=dict(self._resources), pending=dict(self._pending))

    def overwrite(self, snapshot: Snapshot) -> Snapshot:
        """Put a whole other state in place, as it is: for who has checked its lineage and serial."""
        with self._guard:
            self._settle(replace(snapshot, tool_version=self._tool_version))
            self._dirty = False
            return self._base

    def _write(self, *, stack: str | None, last_run: LastRun | None) -> None:
        whole = replace(
            self.snapshot,
            lineage=self._lineage or self._entropy(),
            serial=self._base.serial + 1,
            stack=stack,
            last_run=last_run,
            tool_version=self._tool_version,
        )
        self._settle(whole)

    def _settle(self, whole: Snapshot) -> None:
        """Save first, drop the journal after: between the two, the serial tells that the journal is folded in."""
        try:
            self._save(whole)
        except (OSError, ReconcileError) as error:
            raise self._lost("the state cannot be saved", error) from error
        self._base, self._lineage = whole, whole.lineage
        self._resources, self._pending = dict(whole.resources), dict(whole.pending)
        self._resume, self._unpublished, self._failed, self._noted = None, False, False, []
        try:
            self._journal.discard()
            self._forget_dump()
        except OSError as error:
            raise ReconcileError(f"the state is saved, but what lay beside it cannot be removed: {error}") from error

    def _lost(self, what: str, error: Exception) -> ReconcileError:
        """Dump what is known and say where. What was only about to leave, and could not be written, is not in it."""
        self._lineage = self._lineage or self._entropy()
        told = self._rescue.save(replace(self.snapshot, tool_version=self._tool_version))
        self._dumped = True
        return ReconcileError(f"{what}: {error}", where=getattr(error, "where", None), hint=told)

    def _forget_dump(self) -> None:
        if self._dumped:
            self._rescue.remove()
            self._dumped = False

    def close(self) -> None:
        """Leave the journal as it is: the next session goes on from it. Nothing is recorded any more."""
        with self._guard:
            self._closed = True
            try:
                self._journal.close()
            except OSError as error:
                raise ReconcileError(f"the journal cannot be closed: {error}") from error


def _waited() -> None:
    """Nothing is left to wait for."""


def _unsent(fact: AnyFact) -> bool:
    return isinstance(fact, Announced) or (isinstance(fact, Opened) and fact.intent.phase == "opened")
