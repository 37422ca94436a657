"""What every test shares."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, settings

from tests.world import World

settings.register_profile("ci", deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=True)
settings.load_profile("ci")


@pytest.fixture
def world() -> World:
    """An empty world: nothing recorded, nothing active."""
    return World()
