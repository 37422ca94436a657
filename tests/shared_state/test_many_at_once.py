"""Many machines on one shared state at the same moment: they take turns, and nobody's work is lost."""

from __future__ import annotations

import pytest

from tests.crash.scene import Specs
from tests.emulator_fixture import control
from tests.shared_state.conftest import Begin
from tests.shared_state.machines import Machines


def rounds(machine: Machines, machines: int, times: int) -> None:
    """Each machine changes an alarm of its own in each round: one push for each, and every change is in the state."""
    machine.configure(machine.place.config(machine.name) + 'variables: {round: "0"}\n')
    machine.edit(Specs(alarms={f"p{n}": ("Major", f"vm-{n}", "round ${var.round}", "aom") for n in range(machines)}))
    folders = [machine.another() for _ in range(machines)]
    common = ("apply", "--auto-approve", "--lock-timeout", "5m")
    for number in range(1, times + 1):
        commands = {folder: (*common, "--var", f"round={number}", "--target", f"alarm.p{n}") for n, folder in enumerate(folders)}
        codes = machine.nest.run_apart(commands, environ=machine.environ)
        assert codes == [0] * machines, [(folder / "trail" / "err").read_text() for folder in folders]
    document = machine.document()
    messages = {name: record["content"]["message"] for name, record in document["resources"].items()}
    assert messages == {f"alarm.p{n}": f"round {times}" for n in range(machines)}
    assert (document["pending"], document["serial"]) == ([], 2 * machines * times)  # the intents and the end of each
    assert sum(row["method"] == "PUT" for row in control(machine.url, "log")) == machines * times
    assert machine.run("apply", "--auto-approve", "--var", f"round={times}")[0] == 0, machine.told()  # no lock is left
    assert machine.document() == document


def test_three_machines_at_once_take_turns(begin: Begin) -> None:
    """One round."""
    rounds(begin(), 3, 1)


@pytest.mark.full
def test_six_machines_at_once_take_turns_three_times(begin: Begin) -> None:
    """Each waits ever longer for the lock, so this takes minutes."""
    rounds(begin(), 6, 3)
