"""Checks that return what broke a promise: empty for the state as it is, not empty for each of its mutants.

Each returns the number of its cases, and at most about `enough` breaches.
"""

from __future__ import annotations

import io
import multiprocessing
import os
import random
import sys
import traceback
from collections.abc import Callable
from pathlib import Path

from reconcile.errors import ReconcileError, StateLocked
from reconcile.model.facts import Put
from reconcile.state.journal import Header, line_of, parse

from .disks import BROKEN_DISK, NO_SPACE, Counted, Failing, Killing, Ledger, OneDisk, Recording, after_power_cut
from .samples import LINEAGE, VERSION, alarm, last_run, local, put
from .workload import LIFE, Life, any_life

Bent = Callable[[type], type]  # makes a disk of a test's kind a faulty one; the identity for the true disk


def true(kind: type) -> type:
    """The disk as it is."""
    return kind


def recorded(folder: Path, bent: Bent = true, life: Life = LIFE) -> Recording:
    """Live a whole life on a recording disk."""
    files: Recording = bent(Recording)()
    life.live(local(folder / "state.json", files=files), files.mark)
    return files


def power_cuts(folder: Path, *, bent: Bent = true, enough: int = 20, lives: int = 0) -> tuple[int, list[str]]:
    """Cut the power after each operation of a life, and of as many random ones; read every disk that may be left.

    Returns how many disks there were, and what was wrong.
    """
    disks, wrong = _power_cuts(folder / "0", LIFE, bent, random.Random(0), enough)
    for seed in range(1, lives + 1):
        more, worse = _power_cuts(folder / str(seed), any_life(random.Random(seed)), bent, random.Random(seed), enough)
        disks, wrong = disks + more, wrong + [f"life {seed}: {one}" for one in worse]
    return disks, wrong


def _power_cuts(folder: Path, life: Life, bent: Bent, dice: random.Random, enough: int) -> tuple[int, list[str]]:
    files = recorded(folder, bent, life)
    ledger = Ledger()
    begun = done = disks = 0
    wrong: list[str] = []
    for step in files.steps:
        if len(wrong) >= enough:
            break
        if step[0] == "mark":
            begun, done = begun + (step[1] == "begun"), done + (step[1] == "done")
        ledger.do(step)
        for disk in after_power_cut(ledger, dice, 200):
            disks += 1
            problem = life.wrong_on(folder / "state.json", OneDisk(disk), begun=begun, done=done)
            if problem:
                wrong.append(f"power cut after {step[0]}: {problem}")
    return disks, wrong


def kills(
    folder: Path, *, bent: Bent = true, enough: int = 20, points: list[tuple[int, str]] | None = None, life: Life = LIFE
) -> tuple[int, list[str]]:
    """kill -9 a process at each operation: before, after, and in the middle of a write; then read, then go on."""
    counted = bent(Counted)()
    life.live(local(folder / "count" / "state.json", files=counted), lambda word: None)
    if points is None:
        points = [(n + 1, m) for n, name in enumerate(counted.names) for m in _moments(name)]
    wrong: list[str] = []
    for number, moment in points:
        if len(wrong) >= enough:
            break
        path = folder / f"{number}-{moment}" / "state.json"
        files = bent(Killing)(number, moment)
        begun, done = killed(lambda tell: life.live(local(path, files=files), tell))  # noqa: B023
        problem = life.wrong_on(path, None, begun=begun, done=done) or _goes_on(path, begun, done, life)
        if problem:
            wrong.append(f"kill -9 {moment} operation {number}: {problem}")
    return len(points), wrong


def _moments(name: str) -> tuple[str, ...]:
    return ("before", "middle", "after") if name == "write" else ("before", "after")


def killed(life: Callable[[Callable[[str], None]], None]) -> tuple[int, int]:
    """Live in a child until it is killed; what it said on the pipe is what was begun and what was acknowledged."""
    ear, mouth = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(ear)
        try:
            life(lambda word: os.write(mouth, word[:1].encode()) and None)
        except BaseException:
            traceback.print_exc()
        finally:
            os._exit(0)
    os.close(mouth)
    with os.fdopen(ear, "rb") as heard:
        said = heard.read()
    os.waitpid(child, 0)
    return said.count(b"b"), said.count(b"d")


def _goes_on(path: Path, begun: int, done: int, life: Life = LIFE) -> str | None:
    """The next run takes the lock at once, goes on and loses nothing."""
    try:
        with local(path).session(operation="apply", timeout=0) as session:
            problem = life.wrong_with(session.snapshot, begun=begun, done=done)
            session.record([put(99)])
        if local(path).read().resources.get("alarm.web-99") != put(99).record:
            return "a fact recorded after the crash is gone"
        with local(path).session(operation="apply", timeout=0) as session:
            whole = session.commit(stack="payments", last_run=last_run())
        return problem or (None if local(path).read() == whole else "what was committed after the crash is not there")
    except Exception as error:
        return f"cannot go on: {error!r}"


def faults(folder: Path, *, bent: Bent = true, enough: int = 20, every: int = 1) -> tuple[int, list[str]]:
    """Fail each operation (or every n-th case), once or from then on: never silent, nothing acknowledged lost."""
    counted = Counted()
    LIFE.live(local(folder / "count" / "state.json", files=counted), lambda word: None)
    wrong: list[str] = []
    cases = [(n, c, g) for n in range(1, len(counted.names) + 1) for c in (NO_SPACE, BROKEN_DISK) for g in (False, True)][::every]
    for number, code, for_good in cases:
        if len(wrong) >= enough:
            break
        path = folder / f"{number}-{code}-{for_good}" / "state.json"
        problem = _fault(path, bent(Failing)(number, code, for_good=for_good), counted.names[number - 1])
        if problem:
            wrong.append(f"error {code} at operation {number} ({counted.names[number - 1]}), for good {for_good}: {problem}")
    return len(cases), wrong


SPARED = ("link", "remove")  # a copy replaces a hard link that fails; a leftover that cannot be removed is overwritten or told


def _fault(path: Path, files: Failing, name: str) -> str | None:
    words: list[str] = []
    try:
        LIFE.live(local(path, files=files), words.append)
    except ReconcileError:
        pass
    except OSError as error:
        return f"a bare {error!r}"
    else:
        if name not in SPARED:
            return "nobody was told"
    begun, done = words.count("begun"), words.count("done")
    if begun == len(LIFE.steps) == done and name not in SPARED and name != "close":
        return "every step was acknowledged"
    return LIFE.wrong_on(path, None, begun=begun, done=done) or _goes_on(path, begun, done)


def flips(_: Path, *, bent: Bent = true, enough: int = 20) -> tuple[int, list[str]]:
    """Cut a journal at each byte and change each byte: whole lines are kept, a broken last one dropped, others refused."""
    lines = [line_of(dict(Header(lineage=LINEAGE, serial=3, tool_version=VERSION)), "0" * 64)]
    facts = [put(1, "m"), put(2, "m"), put(3, "m")]
    for fact in facts:
        lines.append(line_of({"facts": [fact]}, parse(b"".join(lines), where="").head))
    whole, start_of_last = b"".join(lines), len(b"".join(lines[:-1]))
    wrong: list[str] = []
    for cut in range(len(whole)):
        got = parse(whole[:cut], where="").facts
        ends = [len(b"".join(lines[: n + 1])) for n in range(1, len(lines))]
        if got != facts[: sum(cut >= end for end in ends)]:
            wrong.append(f"cut at {cut}")
    for place in range(len(whole)):
        for bit in (1, 0x20, 0x80):
            bad = whole[:place] + bytes([whole[place] ^ bit]) + whole[place + 1 :]
            try:
                got = parse(bad, where="").facts
                fine = place >= start_of_last and got == facts[:-1]
            except ReconcileError:
                fine = place < start_of_last
            if not fine:
                wrong.append(f"bit {bit} flipped at {place}")
    return len(whole) * 4, wrong


def overlaps(folder: Path, *, bent: Bent = true, enough: int = 20, processes: int = 8, runs: int = 6) -> tuple[int, list[str]]:
    """Many processes count up one alarm's message under the lock: each increment must survive."""
    path = folder / "state.json"
    context = multiprocessing.get_context("fork")
    barrier = context.Barrier(processes)
    started = [context.Process(target=_count, args=(path, barrier, runs)) for _ in range(processes)]
    for one in started:
        one.start()
    for one in started:
        one.join(60)
    codes = [one.exitcode for one in started]
    snapshot = local(path).read()
    counted = int(snapshot.resources["alarm.n"].content["message"]) if "alarm.n" in snapshot.resources else 0
    good = codes == [0] * processes and (counted, snapshot.serial) == (processes * runs, processes * runs)
    return processes * runs, [] if good else [f"counted {counted} at serial {snapshot.serial}, exits {codes}"]


def _count(path: Path, barrier: object, runs: int) -> None:
    barrier.wait()  # type: ignore[attr-defined]
    sys.stderr = io.StringIO()  # with a bug in place the exit code says enough
    for _ in range(runs):
        with local(path).session(operation="apply", timeout=60) as session:
            record = session.snapshot.resources.get("alarm.n")
            number = int(record.content["message"]) if record else 0
            session.record([Put(address="alarm.n", record=alarm(1, str(number + 1)))])
            session.commit(stack="payments", last_run=last_run())


def second_lock(folder: Path, *, bent: Bent = true, enough: int = 20) -> tuple[int, list[str]]:
    """A second session in one process is refused."""
    store = local(folder / "state.json")
    with store.session(operation="apply", timeout=0):
        try:
            with local(folder / "state.json").session(operation="apply", timeout=0):
                return 1, ["two sessions at once"]
        except StateLocked:
            return 1, []
