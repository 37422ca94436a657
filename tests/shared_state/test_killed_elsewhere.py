"""kill -9 on one machine, whose disk is gone with it; the next run on another machine knows only what the place holds."""

from __future__ import annotations

import pytest

from tests.crash.scene import AFTER, BEFORE
from tests.shared_state.conftest import Begin
from tests.shared_state.killing import killed, trail
from tests.shared_state.machines import Specs

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
