"""Runs that are killed at a point of their way, and the machine that comes after."""

from __future__ import annotations

from tests.shared_state.machines import Machines, Specs


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
