"""One emulator and one server of each kind for the whole folder; a place of its own for each test."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import cache
from pathlib import Path

import pytest

from tests.crash.nest import Nest
from tests.emulator_fixture import running_emulator
from tests.shared_state.machines import Machines
from tests.shared_state.places import KINDS, Place, place

Begin = Callable[..., Machines]


@pytest.fixture(scope="session")
def emulator() -> Iterator[str]:
    """Its log and counts are the truth; each world begins with an empty one."""
    with running_emulator() as url:
        yield url


@pytest.fixture(scope="session")
def places() -> Iterator[Callable[[str], Place]]:
    """Each kind of place, started when it is first asked for."""
    with ExitStack() as stack:
        yield cache(lambda kind: stack.enter_context(place(kind)))


@pytest.fixture(scope="module", params=KINDS)
def backend(request: pytest.FixtureRequest, places: Callable[[str], Place]) -> Place:
    """Each kind of place in turn."""
    return places(request.param)


@pytest.fixture
def begin(backend: Place, emulator: str, nest: Nest, tmp_path: Path, request: pytest.FixtureRequest) -> Begin:
    """An empty world with a first machine; a name tells several of one test apart."""
    own = re.sub(r"\W+", "-", request.node.name)[:60]

    def begin(name: str = "x") -> Machines:
        return Machines(tmp_path, emulator, nest, backend, f"{own}-{name}")

    return begin
