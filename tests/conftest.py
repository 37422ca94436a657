"""What every test shares."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, settings

from tests.crash.nest import Nest
from tests.world import World

settings.register_profile("ci", deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=True)
settings.load_profile("ci")


@pytest.fixture(scope="session")
def nest() -> Iterator[Nest]:
    """A process that has loaded the tool and forks a run of it when told to: real runs, without the wait for imports."""
    one = Nest()
    yield one
    one.close()


@pytest.fixture
def world() -> World:
    """An empty world: nothing recorded, nothing active."""
    return World()
