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
THOROUGH = {"http": (1, 3), "s3": (6, 25), "postgres": (2, 7)}  # with `-m full`: of a first run, of an edit


def phases(points: list[str]) -> dict[str, int]:
    """The point (from 1 on) at which each phase of the only task of a run begins."""
    asked, sent = points.index("before ListAlarmHandleHistories"), points.index("before HandlerAlarm")
    written = max(number for number in range(asked, sent) if points[number] == "after sync_content")
    answered = points.index("after HandlerAlarm")
    told = max(number for number in range(answered, len(points)) if points[number] == "after sync_content")
    found = {
        "before the baseline": asked,
        "baseline read": points.index("after ListAlarmHandleHistories"),
        "intent in the journal": written,
        "intent at the place": written + 1,
        "about to be sent": sent,
        "sent, no answer yet": points.index("request gone, no answer yet", sent),
        "answered": answered,
        "ticket in the journal": told,
        "ticket at the place": len(points) - 2,
    }
    return {phase: number + 1 for phase, number in found.items()}


def test_a_run_killed_in_any_phase_of_its_trigger_is_settled_by_another_machine(begin: Begin) -> None:
    """From the baseline on to the end: never two work orders, everything declared is active, the state knows each ticket.

    What the place knew when the run died tells how it ends: started by the next run, unknown where the history shows nothing,
    or found. Nobody can tell a task that was about to be sent from one that is late.
    """
    started, unknown = (0, {"SCfirst": 1}), (7, {})
    for phase, number in phases(trail(begin("dry"), None, ONE_TASK)).items():
        machine = killed(begin(f"{number}"), None, ONE_TASK, number)
        there = machine.document()
        known = "trigger" in [intent["op"] for intent in there["pending"]], "handling.first" in there["resources"]
        ended = machine.recover()[-1], machine.unasked()
        match phase:
            case "before the baseline" | "baseline read" | "intent in the journal":
                assert (known, ended) == ((False, False), started), phase
            case "intent at the place" | "about to be sent":
                assert (known, ended) == ((True, False), unknown), phase
            case "sent, no answer yet":
                assert known == (True, False) and ended in (started, unknown), phase
            case "ticket at the place":
                assert (known, ended) == ((False, True), started), phase
            case _:
                assert (known, ended) == ((True, False), started), phase


@pytest.mark.full
def test_a_run_killed_anywhere_is_settled_by_another_machine(begin: Begin) -> None:
    """Points of a first run, and of an edit that reports, updates, replaces, clears and triggers."""
    first, edit = THOROUGH[begin("kind").place.kind]
    for before, after, step in ((None, ONE_TASK, first), (BEFORE, AFTER, edit)):
        for number in range(1, len(trail(begin(f"dry{step}"), before, after)) + 1, step):
            killed(begin(f"{step}-{number}"), before, after, number).recover()
