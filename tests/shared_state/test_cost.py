"""How often an apply writes to the place: bounded by its waves and its length, never by the number of alarms."""

from __future__ import annotations

import pytest

from benchmarks.state_cost import Cost, costs
from tests.shared_state.places import KINDS


def test_a_thousand_alarms_cost_a_few_writes() -> None:
    """The intents of the wave, the end, and one more for each ten seconds that the run takes; then nothing."""
    first, again = costs("http", 1_000, steps=("report", "nothing"))
    assert 1 < first.writes <= most(first), first
    assert again.writes == 0


@pytest.mark.full
@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_apply_writes_little(kind: str) -> None:
    """Reports, nothing at all, updates, clears."""
    for cost in costs(kind, 1_000):
        assert cost.writes == 0 if cost.step == "nothing" else 1 < cost.writes <= most(cost), cost


def most(cost: Cost) -> float:
    """The most writes of an apply with one wave."""
    return 2 + cost.seconds / 10
