"""An emulator process for the tests of this folder, as new for each of them."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.emulator_fixture import control, running_emulator


@pytest.fixture(scope="session")
def _server() -> Iterator[str]:
    with running_emulator() as url:
        yield url


@pytest.fixture
def emulator(_server: str) -> str:
    """The URL of a running emulator that has seen nothing yet."""
    control(_server, "reset", {})
    return _server
