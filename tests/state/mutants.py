"""Seeded bugs: each must turn a check red. `python -m tests.state.mutants` runs them and shows which were caught."""

from __future__ import annotations

import fcntl
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest import mock

from reconcile.state import journal, local, session
from reconcile.state.files import Files

from . import checks
from .disks import Watched

Patches = Callable[[], Any]


@dataclass(frozen=True)
class Mutant:
    """A bug, and the check that has to see it."""

    name: str
    check: Callable[..., tuple[int, list[str]]]
    bent: Callable[[type], type] = checks.true
    patch: Patches = suppress


def _without(*names: str) -> Callable[[type], type]:
    """A disk on which these operations do nothing."""
    return lambda kind: type(kind.__name__, (kind,), {name: lambda self, *args: None for name in names})


def _deaf(kind: type) -> type:
    """A disk whose full or broken writes are not told."""

    def write(self: Watched, handle: int, content: bytes) -> None:
        with suppress(OSError):
            kind.write(self, handle, content)  # type: ignore[attr-defined]

    return type(kind.__name__, (kind,), {"write": write})


def _rename_first(files: Files, path: Path, content: bytes, *, backup: Path | None = None) -> None:
    files.make_folder(path.parent)
    fresh = path.with_name(path.name + ".new")
    files.remove(fresh)
    handle = files.create(fresh)
    files.write(handle, content)
    files.replace(fresh, path)
    files.sync(handle)
    files.close(handle)
    files.sync_folder(path.parent)


def _in_place(files: Files, path: Path, content: bytes, *, backup: Path | None = None) -> None:
    files.make_folder(path.parent)
    handle = files.append(path) if path.exists() else files.create(path)
    files.truncate(handle, 0)
    files.write(handle, content)
    files.sync(handle)
    files.close(handle)
    files.sync_folder(path.parent)


@contextmanager
def _journal_dropped_first() -> Iterator[None]:
    true = session.Session._settle

    def settle(self: session.Session, whole: Any) -> None:
        self._journal.discard()
        true(self, whole)

    with mock.patch.object(session.Session, "_settle", settle):
        yield


@contextmanager
def _told_before_written() -> Iterator[None]:
    true = session.Session._append
    waiting: list[Any] = []

    def append(self: session.Session, facts: Any) -> None:
        waiting.extend(facts)
        if len(waiting) > 2:
            true(self, list(waiting))
            waiting.clear()

    with mock.patch.object(session.Session, "_append", append):
        yield


@contextmanager
def _torn_end_kept() -> Iterator[None]:
    def resume(self: journal.Journal, written: journal.Written) -> None:
        self._handle = self._files.append(self._path)
        self._head = written.head

    with mock.patch.object(journal.Journal, "resume", resume):
        yield


@contextmanager
def _no_lock() -> Iterator[None]:
    with mock.patch.object(fcntl, "flock", lambda *args: None):
        yield


MUTANTS = (
    Mutant("no fsync at all", checks.power_cuts, bent=_without("sync", "sync_content")),
    Mutant("no fsync of the state", checks.power_cuts, bent=_without("sync")),
    Mutant("no fsync of the journal", checks.power_cuts, bent=_without("sync_content")),
    Mutant("no fsync of the folder", checks.power_cuts, bent=_without("sync_folder")),
    Mutant("renamed before fsync", checks.power_cuts, patch=lambda: mock.patch.object(local, "write_whole", _rename_first)),
    Mutant("state written in place", checks.kills, patch=lambda: mock.patch.object(local, "write_whole", _in_place)),
    Mutant("journal dropped before the state is written", checks.kills, patch=_journal_dropped_first),
    Mutant("acknowledged before written", checks.kills, patch=_told_before_written),
    Mutant("torn end kept when going on", checks.kills, patch=_torn_end_kept),
    Mutant(
        "damage in the middle passed over", checks.flips, patch=lambda: mock.patch.object(journal, "_goes_on", lambda *_: False)
    ),
    Mutant("checksum not compared", checks.flips, patch=lambda: mock.patch.object(journal.zlib, "crc32", lambda *_: 0)),
    Mutant("a full disk not told", checks.faults, bent=_deaf),
    Mutant("no lock between processes", checks.overlaps, patch=_no_lock),
    Mutant("no lock within a process", checks.second_lock, patch=_no_lock),
)


def caught(mutant: Mutant, folder: Path) -> list[str]:
    """What the check says with the bug in place."""
    with mutant.patch():
        try:
            return mutant.check(folder, bent=mutant.bent, enough=1)[1]
        except Exception as error:
            return [f"the check itself broke: {error!r}"]


def main() -> int:
    """Run them all."""
    missed = 0
    for mutant in MUTANTS:
        with tempfile.TemporaryDirectory() as folder:
            said = caught(mutant, Path(folder))
        missed += not said
        sys.stdout.write(f"{'caught' if said else 'MISSED':7} {mutant.name:48} {said[0][:90] if said else ''}\n")
    sys.stdout.write(f"{len(MUTANTS) - missed} of {len(MUTANTS)} caught\n")
    return min(missed, 1)


if __name__ == "__main__":
    sys.exit(main())
