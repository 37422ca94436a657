"""kill -9 of a real run against a real server: nothing lost, nothing twice, nothing to mend by hand."""

from __future__ import annotations

import random
from collections.abc import Iterator

import pytest

from tests.crash.campaign import STRACE, carry_out, failpoint_trials, scenes, system_call_trials, timed_trials
from tests.crash.scene import Scene

needs_strace = pytest.mark.skipif(STRACE is None, reason="strace is not installed")


@pytest.fixture(scope="module")
def stages() -> Iterator[list[Scene]]:
    """Two projects, each with an emulator of its own."""
    with scenes() as made:
        yield made


def test_a_run_killed_at_any_of_forty_eight_failpoints_is_recovered_by_the_next(stages: list[Scene]) -> None:
    """Before, within and after durable writes and requests, also while recovering; always the same sample."""
    trials = failpoint_trials(stages, 48, random.Random(4))
    tally = carry_out(trials, stages)
    assert tally.broken == []
    assert tally.trials >= 47 and tally.died >= tally.trials * 0.9, str(tally)


@needs_strace
def test_a_run_killed_at_system_calls_is_recovered_by_the_next(stages: list[Scene]) -> None:
    """Where the kernel is entered for a write, an fsync, a rename, a send."""
    tally = carry_out(system_call_trials(8, random.Random(4)), stages)
    assert tally.broken == [] and tally.died >= 6, str(tally)


def test_a_run_killed_at_any_time_is_recovered_by_the_next(stages: list[Scene]) -> None:
    """Wherever it happens to be."""
    tally = carry_out(timed_trials(6, random.Random(4)), stages)
    assert tally.broken == [] and tally.died >= 3, str(tally)


@pytest.mark.full
@needs_strace
def test_a_thousand_deaths_lose_nothing_and_start_nothing_twice(stages: list[Scene]) -> None:
    """600 failpoints, 300 system calls, 100 random times."""
    dice = random.Random()
    trials = failpoint_trials(stages, 600, dice) + system_call_trials(300, dice)
    trials += timed_trials(1000 - len(trials), dice)
    tally = carry_out(trials, stages)
    assert tally.broken == []
    assert tally.trials == 1000 and tally.died >= 850, str(tally)
