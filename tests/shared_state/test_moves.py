"""A state moves between any two kinds of places, with `state migrate` and with `state pull` and `push`: nothing of it is lost."""

from __future__ import annotations

import json
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from tests.crash.nest import Nest
from tests.crash.scene import AFTER, BEFORE
from tests.shared_state.killing import killed, trail
from tests.shared_state.machines import Machines
from tests.shared_state.places import Place

WAY = (
    *("local", "local", "http", "http", "local", "s3", "s3", "local", "postgres"),
    *("postgres", "http", "s3", "http", "postgres", "s3", "postgres", "local"),
)


class Local:
    """Files on the machine at hand."""

    kind = "local"
    environ: dict[str, str] = {}  # noqa: RUF012

    def __init__(self) -> None:
        self.folder = Path()

    def config(self, name: str) -> str:
        """A file of its own for each state."""
        return f"state: state/{name}.json\n"

    def document(self, name: str) -> dict[str, Any]:
        """The file."""
        path = self.folder / "state" / f"{name}.json"
        return json.loads(path.read_text()) if path.exists() else {}

    def steal(self, name: str) -> None:
        """The kernel holds the lock of a file."""
        raise AssertionError(name)

    give_back = steal


@pytest.fixture
def all_places(places: Callable[[str], Place]) -> dict[str, Place]:
    """A file, and each kind of server."""
    return {"local": Local()} | {kind: places(kind) for kind in ("http", "s3", "postgres")}


@pytest.fixture
def interrupted(all_places: dict[str, Place], nest: Nest, emulator: str, tmp_path: Path) -> Machines:
    """An edit was killed while its first tasks were on their way, on a machine with a local state: only the journal knows."""
    local = all_places["local"]
    assert isinstance(local, Local)
    points = trail(Machines(tmp_path, emulator, nest, _at(local, tmp_path, "dry"), "dry"), BEFORE, AFTER)
    number = points.index("after HandlerAlarm") + 1
    machine = killed_here(Machines(tmp_path, emulator, nest, _at(local, tmp_path, "first"), "first"), number)
    for one in all_places.values():
        machine.environ |= one.environ
    return machine


def _at(local: Local, folder: Path, name: str) -> Local:
    local.folder = folder / f"{name}-0"
    return local


def killed_here(machine: Machines, number: int) -> Machines:
    """Its disk stays."""
    machine.elsewhere = lambda: None  # type: ignore[method-assign]
    killed(machine, BEFORE, AFTER, number)
    del machine.elsewhere
    return machine


def pulled(machine: Machines) -> dict[str, Any]:
    """What `state pull` prints."""
    status, said = machine.run("state", "pull")
    assert status == 0, said
    found: dict[str, Any] = json.loads(said)
    return found


def test_a_state_moves_between_each_two_kinds_of_places_without_loss(interrupted: Machines, all_places: dict[str, Place]) -> None:
    """Once from each kind to each: open intents, runs of tasks, lineage and serial come along, and each place keeps what it had;
    the run at the end of the way settles what was open, and starts no task again."""
    machine, first = interrupted, pulled(interrupted)
    assert {"trigger"} == {intent["op"] for intent in first["pending"]} and first["lineage"]
    assert [run["ticket"] for run in first["resources"]["handling.first"]["runs"]]
    for step, kind in enumerate(WAY[1:]):
        before, (machine.place, machine.name) = (machine.place, machine.name), (all_places[kind], f"move-{step}")
        (machine.work / "next.yaml").write_text(machine.config.partition("state:")[0] + machine.place.config(machine.name))
        assert machine.run("state", "migrate", "--to", "next.yaml")[0] == 0, machine.told()
        assert machine.document() == first, kind
        assert step == 0 or before[0].document(before[1]) == first, before
        machine.configure(machine.place.config(machine.name))
        assert pulled(machine) == first, kind
    assert set(pairwise(WAY)) == {(a, b) for a in all_places for b in all_places}
    assert machine.recover()[-1] == 0, machine.told()
    assert set(machine.unasked().values()) == {1}


def test_a_state_pulled_anywhere_is_pushed_anywhere(interrupted: Machines, all_places: dict[str, Place]) -> None:
    """Into an empty place of each kind, as it is; pushed again it is nothing; what lacks an open intent is refused."""
    machine, first = interrupted, pulled(interrupted)
    (machine.work / "pulled.json").write_text(json.dumps(first))
    lacking = {**first, "serial": first["serial"] + 1, "pending": first["pending"][1:]}
    (machine.work / "lacking.json").write_text(json.dumps(lacking))
    for kind, place in all_places.items():
        machine.place, machine.name = place, f"pushed-{kind}"
        machine.configure(place.config(machine.name))
        for _ in range(2):
            assert machine.run("state", "push", "pulled.json")[0] == 0, machine.told()
            assert (machine.document(), pulled(machine)) == (first, first), kind
        status, said = machine.run("state", "push", "lacking.json")
        assert (status, "open intents" in said, machine.document()) == (1, True, first), said
