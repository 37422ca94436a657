"""Rescue: where a snapshot goes when it cannot be saved, and how the next run takes it over. Knows no locks."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from reconcile.errors import ReconcileError
from reconcile.model.facts import AnyFact, Drop, Opened, Put, Settled
from reconcile.model.snapshot import Snapshot
from reconcile.state.codec import decode, encoded
from reconcile.state.files import Files, write_whole


def difference(before: Snapshot, after: Snapshot) -> list[AnyFact]:
    """The facts that lead from one snapshot's resources and open intents to the other's, in a fixed order."""
    facts: list[AnyFact] = []
    facts += [Drop(address=address) for address in sorted(before.resources.keys() - after.resources.keys())]
    facts += [
        Put(address=address, record=after.resources[address])
        for address in sorted(after.resources)
        if before.resources.get(address) != after.resources[address]
    ]
    facts += [Settled(intent_id=id, how="not in the newer state") for id in sorted(before.pending.keys() - after.pending.keys())]
    facts += [Opened(intent=after.pending[id]) for id in sorted(after.pending) if before.pending.get(id) != after.pending[id]]
    return facts


class Rescue:
    """The dump `NAME.errored.state.json`. It bears the serial that the unsaved state was based on."""

    def __init__(self, files: Files, path: Path, *, tool_version: str) -> None:
        self._files = files
        self.path = path
        self._tool_version = tool_version

    def save(self, snapshot: Snapshot) -> str:
        """Dump it, and say in one sentence what became of it. Never raises: another error is already on its way."""
        try:
            write_whole(self._files, self.path, encoded(snapshot))
        except (OSError, ValueError, ReconcileError) as error:
            return f"it could not be dumped to {self.path} either ({error}): keep this run's output"
        return f"what was acknowledged is in {self.path}; the next run takes it over"

    def read(self) -> Snapshot | None:
        """The dump, if there is one. Raises StateUnusable when it is broken."""
        content = self._files.read(self.path)
        return None if content is None else decode(content, where=str(self.path), tool_version=self._tool_version)

    def remove(self) -> None:
        """Forget the dump, for good: the state, or its journal, holds all of it."""
        self._files.remove(self.path)
        self._files.sync_folder(self.path.parent)


def belongs(dumped: Snapshot, saved: Snapshot) -> bool:
    """Whether a dump was based on this very state; else the state went on without it, or is another one."""
    return dumped.serial == saved.serial and saved.lineage in (None, dumped.lineage)


def as_dumped(saved: Snapshot, dumped: Snapshot) -> Snapshot:
    """The saved state with the dump's content."""
    return replace(saved, lineage=dumped.lineage, resources=dumped.resources, pending=dumped.pending)
