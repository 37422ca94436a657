"""kill -9 on one machine, whose disk is gone with it; the next run on another machine knows only what the place holds."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.crash.nest import Nest
from tests.crash.scene import AFTER, BEFORE
from tests.shared_state.conftest import Begin
from tests.shared_state.machines import Machines, Specs
from tests.shared_state.places import place

ONE_TASK = Specs(
    alarms={"kept": ("Major", "vm-kept", "as it was", "aom"), "pool": ("Critical", "db-pool", "full", "coc-events")},
    handlings={"first": "kept"},
)
STEPS = {"http": 5, "s3": 9, "postgres": 7}  # every n-th point around the trigger
FEW = {"http": 4, "s3": 1, "postgres": 2}
THOROUGH = {"http": (1, 3), "s3": (6, 25), "postgres": (2, 7)}  # with `-m full`: of a first run, of an edit


def test_a_run_killed_around_its_trigger_is_settled_by_another_machine(begin: Begin) -> None:
    """From the baseline on to the end: never two work orders, everything declared is active, the state knows each ticket."""
    points, settled = trail(begin("dry"), None, ONE_TASK), []
    first = points.index("before ListAlarmHandleHistories") + 1
    for number in range(first, len(points) + 1, STEPS[begin("kind").place.kind]):
        settled.append(killed(begin(str(number)), None, ONE_TASK, number).recover())
    assert [0] in settled or [0, 0] in settled  # most of them end well
    assert all(codes[-1] in (0, 7) for codes in settled)


@pytest.mark.full
def test_a_run_killed_anywhere_is_settled_by_another_machine(begin: Begin) -> None:
    """Points of a first run, and of an edit that reports, updates, replaces, clears and triggers."""
    first, edit = THOROUGH[begin("kind").place.kind]
    for before, after, step in ((None, ONE_TASK, first), (BEFORE, AFTER, edit)):
        for number in range(1, len(trail(begin(f"dry{step}"), before, after)) + 1, step):
            killed(begin(f"{step}-{number}"), before, after, number).recover()


def test_an_edit_killed_anywhere_is_finished_by_another_machine(begin: Begin) -> None:
    """A sample over reports, updates, replacements, clears and triggers at three targets."""
    points = trail(begin("dry"), BEFORE, AFTER)
    few = FEW[begin("kind").place.kind]
    for number in range(len(points) // (2 * few), len(points), len(points) // few):
        killed(begin(str(number)), BEFORE, AFTER, number).recover()


def test_an_edit_killed_and_taken_back_leaves_nothing_behind(begin: Begin) -> None:
    """The next machine has the specs as they were before: what the killed run reported is cleared, what it cleared or changed is
    as before; the place knew of all of it before it was sent, although the run never came to save."""
    points = trail(begin("dry"), BEFORE, AFTER)
    sent = [number for number, name in enumerate(points, 1) if name == "after PushEvents" or name == "after HandlerAlarm"]
    for number in sent[:: max(1, len(sent) // FEW[begin("kind").place.kind])]:
        machine = killed(begin(str(number)), BEFORE, AFTER, number)
        machine.edit(BEFORE)
        taken_back(machine)


def test_open_intents_go_round_all_places_without_loss(nest: Nest, emulator: str, tmp_path: Path) -> None:
    """A run is killed while its task is on its way; its state moves from each kind of place to the next: nothing of it is lost,
    each place keeps what it had, and the run at the end of the way starts no task again."""
    with place("postgres") as postgres, place("http") as http, place("s3") as s3:
        machine = Machines(tmp_path, emulator, nest, postgres, "dry")
        number = trail(machine, None, ONE_TASK).index("after HandlerAlarm") + 1
        machine = killed(Machines(tmp_path, emulator, nest, postgres, "first"), None, ONE_TASK, number)
        machine.environ |= http.environ | s3.environ
        first = machine.document()
        assert "trigger" in [intent["op"] for intent in first["pending"]]
        for step, one in enumerate((http, s3, postgres)):
            machine.place, machine.name = one, f"next-{step}"
            (machine.work / "next.yaml").write_text(machine.config.partition("state:")[0] + one.config(machine.name))
            assert machine.run("state", "migrate", "--to", "next.yaml")[0] == 0, machine.told()
            assert machine.document() == first
            machine.configure(one.config(machine.name))
        machine.elsewhere()
        assert machine.recover() == [0]
        assert machine.unasked() == {"SCfirst": 1}


def taken_back(machine: Machines) -> None:
    """Recover, without the checks that are for an edit carried out."""
    machine.check = lambda *, unknown: None  # type: ignore[method-assign]
    assert machine.recover()[-1] in (0, 7), machine.told()
    machine.check_live()


def trail(machine: Machines, before: Specs | None, after: Specs) -> list[str]:
    """The points that a whole run passes."""
    prepare(machine, before, after)
    status, points = machine.apply(kill_at=0)
    assert status == 0, machine.told()
    machine.check(unknown=False)
    return points


def prepare(machine: Machines, before: Specs | None, after: Specs) -> None:
    """What was applied, then what is declared."""
    if before is not None:
        machine.edit(before)
        assert machine.apply()[0] == 0, machine.told()
    machine.edit(after)


def killed(machine: Machines, before: Specs | None, after: Specs, number: int) -> Machines:
    """A run killed at this point, and the next machine."""
    prepare(machine, before, after)
    status, _ = machine.apply(kill_at=number)
    assert status in (-9, 0), machine.told()  # a run may pass fewer points than the last one
    machine.elsewhere()
    return machine
