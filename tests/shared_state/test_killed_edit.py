"""kill -9 in the middle of an edit, on a machine that is gone afterwards: another one finishes it, or takes it back."""

from __future__ import annotations

from tests.crash.scene import AFTER, BEFORE
from tests.shared_state.conftest import Begin
from tests.shared_state.killing import killed, trail
from tests.shared_state.machines import Machines

FEW = {"http": 4, "s3": 1, "postgres": 2}


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


def taken_back(machine: Machines) -> None:
    """Recover, without the checks that are for an edit carried out."""
    machine.check = lambda *, unknown: None  # type: ignore[method-assign]
    assert machine.recover()[-1] in (0, 7), machine.told()
    machine.check_live()
