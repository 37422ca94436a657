"""kill -9 on one machine, whose disk is gone with it; the next run on another machine knows only what the place holds."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.crash.nest import Nest
from tests.crash.scene import AFTER, BEFORE
from tests.shared_state.conftest import Begin
from tests.shared_state.killing import killed, trail
from tests.shared_state.machines import Machines, Specs
from tests.shared_state.places import Place

ONE_TASK = Specs(
    alarms={"kept": ("Major", "vm-kept", "as it was", "aom"), "pool": ("Critical", "db-pool", "full", "coc-events")},
    handlings={"first": "kept"},
)
STEPS = {"http": 5, "s3": 9, "postgres": 7}  # every n-th point around the trigger
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


def test_open_intents_go_round_all_places_without_loss(
    places: Callable[[str], Place], nest: Nest, emulator: str, tmp_path: Path
) -> None:
    """A run is killed while its task is on its way; its state moves from each kind of place to the next: nothing of it is lost,
    each place keeps what it had, and the run at the end of the way starts no task again."""
    postgres, http, s3 = (places(kind) for kind in ("postgres", "http", "s3"))
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
