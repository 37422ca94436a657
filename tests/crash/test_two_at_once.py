"""Many runs on one state, and runs that are told to stop: no overlap, no lost update, and the lock is free afterwards."""

from __future__ import annotations

import json
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence

import pytest

from tests.crash.campaign import scenes
from tests.crash.scene import AFTER, BEFORE, STATE, Scene, Specs
from tests.emulator_fixture import control

PROCESSES = 16
MANY = Specs(alarms={f"p{number}": ("Major", f"vm-{number}", "round ${var.round}", "aom") for number in range(PROCESSES)})


@pytest.fixture(scope="module")
def scene() -> Iterator[Scene]:
    """One project with an emulator of its own."""
    with scenes(1) as made:
        yield made[0]


def started(scene: Scene, *argv: str) -> subprocess.Popen[str]:
    """A run as a process of its own."""
    command = [sys.executable, "-m", "reconcile", *argv]
    quiet = subprocess.DEVNULL
    return subprocess.Popen(
        command, cwd=scene.work, env=scene.environ, stdin=quiet, stdout=quiet, stderr=subprocess.PIPE, text=True
    )


def until_under_way(scene: Scene, process: subprocess.Popen[str]) -> None:
    """Wait for the first intent."""
    journal = scene.work / (STATE + ".journal")
    while process.poll() is None and not (journal.exists() and b'"records"' in journal.read_bytes()):
        time.sleep(0.005)


def rounds(scene: Scene, name: str, times: int) -> None:
    """Sixteen at once, so many times; each changes its own alarm. Every change is one serial and one push, and none is lost."""
    scene.begin(name, None)
    config = scene.work / "reconcile.yaml"
    config.write_text(config.read_text() + 'variables: {round: "0"}\n')
    scene.edit(MANY)
    for number in range(1, times + 1):
        commands: list[Sequence[str]] = [
            ("apply", "--auto-approve", "--lock-timeout", "2m", "--var", f"round={number}", "--target", f"alarm.p{p}")
            for p in range(PROCESSES)
        ]
        codes = scene.nest.run_together(commands, cwd=scene.work, folder=scene.work / "trail", environ=scene.environ)
        assert codes == [0] * PROCESSES
    document = scene.document()
    assert document["serial"] == PROCESSES * times
    assert {r["content"]["message"] for r in document["resources"].values()} == {f"round {times}"}
    assert len(document["resources"]) == PROCESSES
    pushes = [row for row in control(scene.url, "log") if row["method"] == "PUT"]
    assert len(pushes) == PROCESSES * times


def test_sixteen_runs_at_once_take_turns(scene: Scene) -> None:
    """Three rounds."""
    rounds(scene, "sixteen", 3)


@pytest.mark.full
def test_sixteen_runs_at_once_take_turns_fifty_times(scene: Scene) -> None:
    """Fifty rounds."""
    rounds(scene, "sixteen-by-fifty", 50)


def test_who_comes_second_is_told_who_came_first_and_a_dead_holder_holds_nothing(scene: Scene) -> None:
    """Exit 4 with name, process and time; after a kill -9 of the holder the very next run goes through."""
    scene.begin("held", BEFORE)
    scene.edit(AFTER)
    control(scene.url, "settings", {"faults": ["PUT:*/push/events*:delay=30@1"]})
    with started(scene, "apply", "--auto-approve") as holder:
        until_under_way(scene, holder)
        code, _ = scene.apply()
        assert code == 4 and f"pid {holder.pid}" in scene.told() and "since 20" in scene.told()
        holder.kill()
        holder.communicate()
    control(scene.url, "settings", {"faults": []})
    assert scene.recover()[0] != 4


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
@pytest.mark.parametrize("times", [1, 2])
def test_a_signal_at_any_time_leaves_a_state_and_no_lock(scene: Scene, number: int, code: int, times: int) -> None:
    """Once: what is in flight is finished. Twice: at once. Either way the next run goes on from there."""
    dice = random.Random(number * times)
    for trial in range(3):
        scene.begin(f"signal-{number}-{times}-{trial}", BEFORE)
        scene.edit(AFTER)
        control(scene.url, "settings", {"faults": ["*:*:delay=0.15"]})
        with started(scene, "apply", "--auto-approve") as process:
            until_under_way(scene, process)
            for _ in range(times):
                time.sleep(dice.uniform(0.0, 0.6))
                process.send_signal(number)
            _, told = process.communicate(timeout=30)
        assert process.returncode in (code, -number, 0), told  # -n: it came while the process was leaving; a shell reads 128 + n
        assert "Traceback" not in told
        control(scene.url, "settings", {"faults": []})
        if times == 1:
            assert not (scene.work / (STATE + ".journal")).exists()
        scene.recover()


def test_an_older_state_put_back_starts_no_task_again(scene: Scene) -> None:
    """What the newer state knew is lost; the histories still say what ran, and the list what is active."""
    scene.begin("put-back", BEFORE)
    older = (scene.work / STATE).read_text()
    scene.edit(AFTER)
    assert scene.apply()[0] == 0
    before = control(scene.url, "triggers")
    (scene.work / STATE).write_text(older)
    assert scene.apply()[0] == 0, scene.told()
    assert "already ran as" in scene.told()
    assert control(scene.url, "triggers") == before
    active = sorted(r["metadata"]["resource_id"] for r in control(scene.url, "alarms?state=active"))
    assert active == sorted(row[1] for row in AFTER.at("aom"))
    assert json.loads((scene.work / STATE).read_text())["pending"] == []
