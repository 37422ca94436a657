"""Session: the state while its lock is held. Facts go to the journal first; the state is written at the end, and between waves
where it is shared. Knows neither where the state lives nor how it is locked."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from reconcile.errors import ReconcileError
from reconcile.model.snapshot import LastRun, Opened, Snapshot, fold
from reconcile.state.journal import AnyFact, Header, Journal, Written, facts_since
from reconcile.state.rescue import Rescue, as_dumped, belongs, difference


@dataclass(frozen=True, slots=True)
class Generation:
    """One kept version of the state; `place` is where."""

    serial: int
    place: str
    last_run: LastRun | None
    resources: int

    @classmethod
    def of(cls, snapshot: Snapshot, place: str) -> Generation:
        """A snapshot as one of the kept versions."""
        return cls(snapshot.serial, place, snapshot.last_run, len(snapshot.resources))


@dataclass(frozen=True, slots=True)
class Found:
    """The state and what lies beside it, read together.

    `snapshot` has all of it folded in; `resume` is the journal that continues this very state, `facts` what it adds;
    `rescued` is what a dump adds to the state as saved, None without a dump of ours.
    """

    saved: Snapshot
    snapshot: Snapshot
    resume: Written | None
    facts: list[AnyFact]
    rescued: list[AnyFact] | None


def found(saved: Snapshot, written: Written, dumped: Snapshot | None, *, where: str) -> Found:
    """Fold journal or dump into the saved state. Pure. Raises StateUnusable where they do not belong together.

    A dump takes the place of the journal: it was made when a line could not be written, and holds all that came before.
    """
    facts = facts_since(saved, written, where=where)
    if dumped is not None and belongs(dumped, saved):
        return Found(saved, as_dumped(saved, dumped), None, [], difference(saved, dumped))
    header = written.header
    resume = written if header is not None and header.serial == saved.serial else None
    lineage = header.lineage if header is not None and saved.lineage is None else saved.lineage
    return Found(saved, _folded(replace(saved, lineage=lineage), facts), resume, facts, None)


def _folded(snapshot: Snapshot, facts: list[AnyFact]) -> Snapshot:
    resources, pending = dict(snapshot.resources), dict(snapshot.pending)
    fold(facts, resources, pending)
    return replace(snapshot, resources=resources, pending=pending)


class Session:
    """Fulfils the port StateSession. `record` may be called from several threads.

    `save` writes a whole snapshot, durably and only over its predecessor, or raises. `shared` says that others cannot see
    the journal, so that `publish` has to write.
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
        self._guard = threading.Lock()
        self._failed = False
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
                self._failed = True
                if not all(_unsent(fact) for fact in facts):
                    self._fold(facts)
                raise self._lost("the journal cannot be written", error) from error
            self._fold(facts)

    def _append(self, facts: Sequence[AnyFact]) -> None:
        if self._failed:  # its end may be torn, and a second fsync proves nothing
            raise OSError("an earlier write failed")
        self._ready().append(facts)

    def _ready(self) -> Journal:
        if not self._journal.open:
            if self._lineage is None:
                self._lineage = self._entropy()
            if self._resume is not None:
                self._journal.resume(self._resume)
            else:
                header = Header(
                    lineage=self._lineage, serial=self._base.serial, tool_version=self._tool_version, operation=self._operation
                )
                self._journal.begin(header)
        return self._journal

    def _fold(self, facts: Sequence[AnyFact]) -> None:
        fold(list(facts), self._resources, self._pending)

    def publish(self) -> None:
        """Make what was recorded durable in the backend itself. The local disk is its own backend: nothing to do there."""
        with self._guard:
            if self._shared and self._unpublished:
                self._write(stack=self._base.stack, last_run=self._base.last_run)

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
        self._resume, self._unpublished, self._failed = None, False, False
        try:
            self._journal.discard()
            self._forget_dump()
        except OSError as error:
            raise ReconcileError(f"the state is saved, but what lay beside it cannot be removed: {error}") from error

    def _lost(self, what: str, error: Exception) -> ReconcileError:
        """Dump what is known and say where. Intents whose request never left are not in it."""
        self._lineage = self._lineage or self._entropy()
        told = self._rescue.save(replace(self.snapshot, tool_version=self._tool_version))
        self._dumped = True
        return ReconcileError(f"{what}: {error}", where=getattr(error, "where", None), hint=told)

    def _forget_dump(self) -> None:
        if self._dumped:
            self._rescue.remove()
            self._dumped = False

    def close(self) -> None:
        """Leave the journal as it is: the next session goes on from it."""
        try:
            self._journal.close()
        except OSError as error:
            raise ReconcileError(f"the journal cannot be closed: {error}") from error


def _unsent(fact: AnyFact) -> bool:
    return isinstance(fact, Opened) and fact.intent.phase == "opened"
