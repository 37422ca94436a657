"""The whole behaviour against a simple model: 1,000 steps with the other tests, 10,000 with `-m full`."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.model_check.machine import Life

CHECKS = [HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much]


def test_any_life_of_fifty_steps_keeps_the_promises() -> None:
    """20 lives of 50 steps, the same ones every time."""
    few = settings(
        max_examples=20,
        stateful_step_count=50,
        deadline=None,
        derandomize=True,
        report_multiple_bugs=False,
        suppress_health_check=CHECKS,
    )
    run_state_machine_as_test(Life, settings=few)


@pytest.mark.full
def test_any_of_two_hundred_lives_keeps_the_promises() -> None:
    """200 lives of 50 steps, other ones every time."""
    many = settings(
        max_examples=200,
        stateful_step_count=50,
        deadline=None,
        derandomize=False,
        report_multiple_bugs=False,
        suppress_health_check=CHECKS,
    )
    run_state_machine_as_test(Life, settings=many)
