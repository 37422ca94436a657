"""Found: what a run starts from: the saved state, and the journal or dump that lies beside it, folded in. Pure."""

from __future__ import annotations

from dataclasses import dataclass, replace

from reconcile.model.facts import AnyFact, fold
from reconcile.model.snapshot import LastRun, Snapshot
from reconcile.state.journal import Written, damaged, facts_since
from reconcile.state.rescue import as_dumped, belongs, difference


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
    return Found(saved, _folded(replace(saved, lineage=lineage), facts, where), resume, facts, None)


def _folded(snapshot: Snapshot, facts: list[AnyFact], where: str) -> Snapshot:
    if not facts:
        return snapshot
    resources, pending = dict(snapshot.resources), dict(snapshot.pending)
    try:
        fold(facts, resources, pending)
    except KeyError as error:
        raise damaged(f"tells how {error} ended, of which neither it nor the state knows a beginning", where) from error
    return replace(snapshot, resources=resources, pending=pending)
