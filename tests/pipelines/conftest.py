"""An emulator, and a forge whose repository holds the small shop."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.emulator_fixture import control, running_emulator
from tests.pipelines.forge import Forge
from tests.pipelines.shop import open_shop
from tests.state.http_server import StateServer, serving

REMOTE = """
  backend: http
  address: %s/shop

  # a comment, and a blank line before it
  lock_address: %s/shop/lock
  lock_method: POST
  unlock_address: %s/shop/lock
  unlock_method: DELETE"""


@pytest.fixture(scope="session")
def one_emulator() -> Iterator[str]:
    """The cloud's documents over HTTP."""
    with running_emulator() as url:
        yield url


@pytest.fixture
def emulator(one_emulator: str) -> str:
    """The same, empty."""
    control(one_emulator, "reset", {})
    return one_emulator


@pytest.fixture
def states() -> Iterator[StateServer]:
    """A server of Terraform states with GitLab's habits."""
    with serving(gitlab=True) as server:
        yield server


@pytest.fixture
def forge(tmp_path: Path, emulator: str, states: StateServer) -> Forge:
    """The shop on GitHub, its state behind HTTP."""
    forge = Forge(tmp_path)
    open_shop(forge.repository, emulator=emulator, state=REMOTE % (states.url, states.url, states.url))
    return forge


@pytest.fixture
def small_forge(tmp_path: Path, emulator: str) -> Forge:
    """The shop on GitHub, its state a file that an artifact carries."""
    forge = Forge(tmp_path)
    open_shop(forge.repository, emulator=emulator, state="state/default.json")
    return forge
