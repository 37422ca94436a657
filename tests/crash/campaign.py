"""kill -9 at many places: each trial lives in a world of its own, dies, recovers, and is compared with the server's log."""

from __future__ import annotations

import random
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from queue import Queue

from tests.crash.nest import Nest
from tests.crash.scene import AFTER, BEFORE, STATE, Broken, Scene, Specs
from tests.emulator_fixture import running_emulator

WORKERS = 2
KILLED = -9
STRACE = shutil.which("strace")
CALLS = ("write", "fsync", "fdatasync", "rename", "sendto", "connect", "unlink", "openat")
START: tuple[tuple[Specs | None, Specs], ...] = ((BEFORE, AFTER), (None, AFTER))


@dataclass
class Tally:
    """What a campaign found. `died` counts the trials whose process was killed; `unknown` those that a person must close."""

    trials: int = 0
    died: int = 0
    unknown: int = 0
    runs: Counter[int] = field(default_factory=Counter)
    broken: list[str] = field(default_factory=list)
    _guard: threading.Lock = field(default_factory=threading.Lock)

    def enter(self, *, died: bool, codes: list[int]) -> None:
        """Count one trial that kept its promises."""
        with self._guard:
            self.trials += 1
            self.died += died
            self.runs[len(codes)] += 1
            self.unknown += codes[-1] == 7

    def __str__(self) -> str:
        applies = dict(sorted(self.runs.items()))
        return (
            f"{self.trials} trials, {self.died} killed, {len(self.broken)} broken promises, {self.unknown} left unknown, "
            f"applies until done {applies}"
        )


@dataclass(frozen=True)
class Trial:
    """One death. `before` was applied in peace, then `after` is applied and `kill` says how that ends."""

    name: str
    kill: Callable[[Scene], int]
    before: Specs | None = BEFORE
    after: Specs = AFTER

    def live(self, scene: Scene, tally: Tally) -> None:
        """Begin, die, recover, compare."""
        scene.begin(f"trial{next(_numbers)}", self.before)
        scene.edit(self.after)
        try:
            status = self.kill(scene)
            codes = scene.recover()
            tally.enter(died=status == KILLED, codes=codes)
        except Exception as error:
            tally.broken.append(f"{self.name}: {error if isinstance(error, Broken) else repr(error)}")
        finally:
            shutil.rmtree(scene.work)


_numbers = count()


def at_failpoint(number: int, *more: int) -> Callable[[Scene], int]:
    """Die at the n-th point; with more numbers, also in the recoveries that follow."""

    def kill(scene: Scene) -> int:
        status = scene.apply(number)[0]
        for again in more:
            scene.apply(again)
        return status

    return kill


def at_system_call(call: str, number: int) -> Callable[[Scene], int]:
    """Die when the n-th system call of this kind is entered, before it takes effect."""

    def kill(scene: Scene) -> int:
        assert STRACE is not None
        spec = f"inject={call}:signal=KILL:when={number}"
        strace = [STRACE, "-f", "-qq", "-o", "/dev/null", "-e", f"trace={call}", "-e", spec]
        return _exec(scene, strace)

    return kill


def at_time(seconds: float) -> Callable[[Scene], int]:
    """Die some time after the journal began."""

    def kill(scene: Scene) -> int:
        journal = scene.work / (STATE + ".journal")
        with _started(scene, []) as process:
            while process.poll() is None and not journal.exists():
                time.sleep(0.002)
            time.sleep(seconds)
            process.kill()
            return process.wait(60)

    return kill


def _exec(scene: Scene, wrapper: list[str]) -> int:
    with _started(scene, wrapper) as process:
        status = process.wait(60)
    return KILLED if status == 137 else status


@contextmanager
def _started(scene: Scene, wrapper: list[str]) -> Iterator[subprocess.Popen[bytes]]:
    command = [*wrapper, sys.executable, "-m", "reconcile", "apply", "--auto-approve"]
    quiet = {"stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    with subprocess.Popen(command, cwd=scene.work, env=scene.environ, **quiet) as process:  # type: ignore[call-overload]
        yield process


@contextmanager
def scenes(number: int = WORKERS) -> Iterator[list[Scene]]:
    """So many scenes, each with an emulator and a nest of its own."""
    with tempfile.TemporaryDirectory() as folder:
        made: list[Scene] = []
        with _emulators(number) as urls:
            try:
                for index, url in enumerate(urls):
                    place = Path(folder, str(index))
                    place.mkdir()
                    made.append(Scene(place, url, Nest()))
                yield made
            finally:
                for scene in made:
                    scene.nest.close()


@contextmanager
def _emulators(number: int) -> Iterator[list[str]]:
    if number == 0:
        yield []
        return
    with running_emulator() as url, _emulators(number - 1) as more:
        yield [url, *more]


def carry_out(trials: Iterable[Trial], stages: list[Scene], *, tell: Callable[[str], None] = lambda text: None) -> Tally:
    """Run all trials, side by side."""
    tally = Tally()
    free: Queue[Scene] = Queue()
    for scene in stages:
        free.put(scene)

    def one(trial: Trial) -> None:
        scene = free.get()
        try:
            trial.live(scene, tally)
            if tally.trials % 50 == 0:
                tell(str(tally))
        finally:
            free.put(scene)

    with ThreadPoolExecutor(len(stages)) as pool:
        for done in [pool.submit(one, trial) for trial in trials]:
            done.result()
    return tally


def points_of(scene: Scene, before: Specs | None, after: Specs) -> list[str]:
    """The points that a whole apply passes."""
    scene.begin(f"count{next(_numbers)}", before)
    scene.edit(after)
    status, points = scene.apply(0)
    assert status == 0, scene.told()
    shutil.rmtree(scene.work)
    return points


def spread(total: int, wanted: int, shift: int = 0) -> list[int]:
    """So many numbers from 1 to total, at even distances."""
    return sorted({1 + (shift + index * total // wanted) % total for index in range(wanted)})


def failpoint_trials(stages: list[Scene], wanted: int, dice: random.Random) -> list[Trial]:
    """An edit of a stack, its first apply, and deaths during recovery, in the proportion 4 : 1 : 1."""
    trials: list[Trial] = []
    for before, after, share in ((BEFORE, AFTER, 4), (None, AFTER, 1)):
        points = points_of(stages[0], before, after)
        for number in spread(len(points), max(1, wanted * share // 6), dice.randrange(7)):
            kind = "edit" if before else "first apply"
            trials.append(Trial(f"{kind}, point {number} ({points[number - 1]})", at_failpoint(number), before, after))
    for _ in range(wanted // 6):
        first, second, third = dice.randrange(20, 180), dice.randrange(2, 60), dice.randrange(2, 60)
        trials.append(Trial(f"edit, points {first}, then {second}, then {third}", at_failpoint(first, second, third)))
    return trials


def system_call_trials(wanted: int, dice: random.Random) -> list[Trial]:
    """Deaths at system calls of the kinds that matter, each in turn."""
    trials: list[Trial] = []
    for index in range(wanted):
        call = CALLS[index % len(CALLS)]
        number = dice.randint(*RANGES[call])
        trials.append(Trial(f"{call} number {number}", at_system_call(call, number)))
    return trials


RANGES = {  # which of them a run makes after it has read its specs
    "write": (1, 42), "fsync": (1, 3), "fdatasync": (1, 20), "rename": (1, 2), "sendto": (1, 32), "connect": (3, 5),
    "unlink": (1, 5), "openat": (780, 980),
}  # fmt: skip


def timed_trials(wanted: int, dice: random.Random) -> list[Trial]:
    """Deaths at any time between the first intent and the end."""
    found = (dice.uniform(0.0, 0.25) for _ in range(wanted))
    return [Trial(f"{seconds:.3f} s after the journal began", at_time(seconds)) for seconds in found]


def main() -> int:
    """`python -m tests.crash.campaign [N]`: the whole campaign, with its figures."""
    wanted = int(sys.argv[1]) if len(sys.argv) > 1 else 1000
    begun, dice = time.monotonic(), random.Random(4)
    with scenes() as stages:
        trials = failpoint_trials(stages, wanted * 6 // 10, dice) + system_call_trials(wanted * 3 // 10, dice)
        trials += timed_trials(wanted - len(trials), dice)
        tally = carry_out(trials, stages, tell=lambda text: print(text, flush=True))  # noqa: T201
    sys.stdout.write(f"{tally}, {time.monotonic() - begun:.0f} s\n" + "".join(f"{line}\n" for line in tally.broken))
    return min(1, len(tally.broken))


if __name__ == "__main__":
    with suppress(KeyboardInterrupt):
        sys.exit(main())
