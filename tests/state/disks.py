"""Disks that watch, fail, kill, or lose power: every operation of the state goes through one of them.

`Recorded` keeps what was done; `after_power_cut` lists the disks that a power cut may leave: writes without a sync dropped,
torn or zeroed, names without a folder's sync undone, each independently.
"""

from __future__ import annotations

import errno
import itertools
import os
import random
import signal
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from reconcile.state.files import Files

CHANGING = ("create", "append", "write", "truncate", "sync", "sync_content", "close", "link", "replace", "remove", "sync_folder")


class Watched(Files):
    """Tells a listener before and after each changing operation."""

    def before(self, name: str, *args: Any) -> None:
        """An operation is about to happen."""

    def after(self, name: str, *args: Any, result: Any = None) -> None:
        """It has happened."""


def _watched(name: str) -> Callable[..., Any]:
    def method(self: Watched, *args: Any) -> Any:
        self.before(name, *args)
        result = getattr(Files, name)(self, *args)
        self.after(name, *args, result=result)
        return result

    return method


for _name in CHANGING:
    setattr(Watched, _name, _watched(_name))


class Counted(Watched):
    """Numbers the operations from 1."""

    def __init__(self) -> None:
        self.names: list[str] = []

    def before(self, name: str, *args: Any) -> None:
        self.names.append(name)


class Failing(Counted):
    """The n-th operation fails; a write fails after half its bytes, as on a full disk. `for_good`: all later ones too."""

    def __init__(self, number: int, code: int, *, for_good: bool = False) -> None:
        super().__init__()
        self.number, self.code, self.for_good = number, code, for_good

    def before(self, name: str, *args: Any) -> None:
        super().before(name, *args)
        now = len(self.names)
        if now == self.number or (self.for_good and now > self.number and name not in ("close", "remove")):
            if name == "write":
                os.write(args[0], args[1][: len(args[1]) // 2])
            if name == "close":
                os.close(args[0])
            raise OSError(self.code, os.strerror(self.code))


class Killing(Counted):
    """kill -9 at the n-th operation: before it, after it, or in the middle of a write."""

    def __init__(self, number: int, moment: str) -> None:
        super().__init__()
        self.number, self.moment = number, moment

    def before(self, name: str, *args: Any) -> None:
        super().before(name, *args)
        if len(self.names) != self.number:
            return
        if self.moment == "middle" and name == "write":
            os.write(args[0], args[1][: len(args[1]) // 2])
        if self.moment in ("before", "middle"):
            os.kill(os.getpid(), signal.SIGKILL)

    def after(self, name: str, *args: Any, result: Any = None) -> None:
        if len(self.names) == self.number:
            os.kill(os.getpid(), signal.SIGKILL)


Step = tuple[Any, ...]


class Recording(Watched):
    """Keeps each operation with its arguments; handles and what they stand for are told apart by number."""

    def __init__(self) -> None:
        self.steps: list[Step] = []

    def after(self, name: str, *args: Any, result: Any = None) -> None:
        self.steps.append((name, *args) if result is None else (name, *args, result))

    def mark(self, *what: Any) -> None:
        """Note what the user of the disk was told."""
        self.steps.append(("mark", *what))


class OneDisk(Files):
    """A disk in memory, for reading only."""

    def __init__(self, content: dict[Path, bytes]) -> None:
        self.content = content

    def read(self, path: Path) -> bytes | None:
        return self.content.get(path)


@dataclass
class Inode:
    """A file: what is surely on the disk, and what was done since its last sync."""

    sure: bytes = b""
    open_writes: list[tuple[int, bytes | None]] = field(default_factory=list)  # (offset, bytes), or (length, None) for a cut
    size: int = 0


@dataclass
class Ledger:
    """What a recorded run did so far."""

    inodes: list[Inode] = field(default_factory=list)
    handles: dict[int, int] = field(default_factory=dict)
    names: dict[Path, int] = field(default_factory=dict)
    sure_names: dict[Path, int] = field(default_factory=dict)
    open_names: list[Step] = field(default_factory=list)

    def do(self, step: Step) -> None:
        """Take one recorded operation in."""
        match step:
            case ("create", path, handle):
                self.inodes.append(Inode())
                self.handles[handle] = len(self.inodes) - 1
                self._name(("set", path, len(self.inodes) - 1))
            case ("append", path, handle):
                self.handles[handle] = self.names[path]
            case ("write", handle, content):
                inode = self.inodes[self.handles[handle]]
                inode.open_writes.append((inode.size, content))
                inode.size += len(content)
            case ("truncate", handle, length):
                inode = self.inodes[self.handles[handle]]
                inode.open_writes.append((length, None))
                inode.size = length
            case ("sync" | "sync_content", handle):
                inode = self.inodes[self.handles[handle]]
                inode.sure, inode.open_writes = applied(inode.sure, inode.open_writes), []
            case ("link", source, target):
                self._name(("set", target, self.names[source]))
            case ("replace", source, target):
                if self.names[source] != self.names.get(target):
                    self._name(("move", source, target, self.names[source]))
            case ("remove", path):
                if path in self.names:
                    self._name(("unset", path))
            case ("sync_folder", _):
                self.sure_names, self.open_names = dict(self.names), []

    def _name(self, change: Step) -> None:
        self.open_names.append(change)
        renamed(self.names, change)


def renamed(names: dict[Path, int], change: Step) -> None:
    """Apply a change of names; one whose source is missing did not happen."""
    match change:
        case ("set", path, inode):
            names[path] = inode
        case ("unset", path):
            names.pop(path, None)
        case ("move", source, target, inode):
            if names.get(source) == inode:
                names[target] = names.pop(source)


def applied(content: bytes, writes: list[tuple[int, bytes | None]]) -> bytes:
    """The bytes after these writes; a gap reads as zeros."""
    for offset, what in writes:
        if what is None:
            content = content[:offset]
        else:
            content = content[:offset].ljust(offset, b"\0") + what + content[offset + len(what) :]
    return content


def contents(inode: Inode) -> list[bytes]:
    """Every content a power cut may leave in a file: any of the open writes dropped, the last torn or zeroed."""
    found: dict[bytes, None] = {}
    for count in range(len(inode.open_writes) + 1):
        for some in itertools.combinations(inode.open_writes, count):
            found[applied(inode.sure, list(some))] = None
            if some and some[-1][1] is not None:
                offset, what = some[-1]
                for cut in {1, 512, 4096, len(what) // 2, len(what) - 1}:
                    if 0 < cut < len(what):
                        found[applied(inode.sure, [*some[:-1], (offset, what[:cut])])] = None
                        found[applied(inode.sure, [*some[:-1], (offset, what[:cut].ljust(len(what), b"\0"))])] = None
                        found[applied(inode.sure, [*some[:-1], (offset, bytes(cut) + what[cut:])])] = None
                found[applied(inode.sure, [*some[:-1], (offset, bytes(len(what)))])] = None
    return list(found)


def after_power_cut(ledger: Ledger, dice: random.Random, most: int) -> Iterator[dict[Path, bytes]]:
    """The disks that a power cut at this moment may leave; at most `most`, chosen by the dice, the two extremes always."""
    changes = ledger.open_names
    subsets = list(itertools.product((False, True), repeat=len(changes))) if len(changes) <= 10 else None
    choices: list[dict[Path, bytes]] = []
    picked = subsets or [tuple(dice.random() < 0.5 for _ in changes) for _ in range(512)]
    for kept in picked:
        names = dict(ledger.sure_names)
        for change, keep in zip(changes, kept, strict=True):
            if keep:
                renamed(names, change)
        variants = [[(path, content) for content in contents(ledger.inodes[inode])] for path, inode in sorted(names.items())]
        choices += [dict(files) for files in itertools.islice(itertools.product(*variants), 256)]
    unique = list({tuple(sorted(disk.items())): disk for disk in choices}.values())
    if len(unique) > most:
        unique = [unique[0], unique[-1], *dice.sample(unique[1:-1], most - 2)]
    yield from unique


NO_SPACE, BROKEN_DISK = errno.ENOSPC, errno.EIO
