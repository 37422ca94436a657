"""Power fails while a request is on its way: whatever left is known to the disk, whichever of its legal contents remains."""

from __future__ import annotations

import random
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from reconcile.ports import Sending
from tests.state.disks import Ledger, OneDisk, Recording, after_power_cut
from tests.state.samples import local
from tests.world import AlarmServer, World, alarm, desired

DISKS = 6  # of those that a cut may leave, at each request


class Witness(AlarmServer):
    """At each request, looks at every disk that may remain: each must tell of all that is on its way."""

    path: Path
    disk: Recording
    seen: int = 0

    def _answer(self, verb: str, batch: Sequence[Sending]) -> None:
        super()._answer(verb, batch)
        ledger = Ledger()
        for step in self.disk.steps:
            ledger.do(step)
        for left in after_power_cut(ledger, random.Random(self.seen), DISKS):
            known = local(self.path, files=OneDisk(left)).read()
            told = {intent.address for intent in known.pending.values()}
            assert {sending.address for sending in batch} <= told
            self.seen += 1


@pytest.fixture
def witnessed(tmp_path: Path) -> tuple[World, Witness]:
    """A world whose state lies on a disk that can be cut off at any request."""
    world: Any = World()
    witness = Witness(world.clock, batch_size=2, concurrency=2)
    witness.path, witness.disk = tmp_path / "state" / "default.json", Recording()
    world.aom = world.servers.alarms["aom"] = witness
    world.store = local(witness.path, files=witness.disk)
    return world, witness


def test_nothing_leaves_that_a_power_cut_would_forget(witnessed: tuple[World, Witness]) -> None:
    """Reports, updates, replacements, renewals and clears, several batches of each; the intents are on the disk before."""
    world, witness = witnessed
    for count, changes in ((9, {}), (9, {"severity": "Critical"}), (5, {"name": "other"}), (0, {})):  # the last one clears all
        wanted = desired(*(alarm(f"alarm.a{n}", ident=f"i{n}", **changes) for n in range(count)))
        world.apply(wanted, allow={"clears": 9, "empty": 1})
        assert len(witness.active_now()) == count
    assert {verb for verb, _ in witness.log} == {"report", "clear"} and len(witness.log) > 20
    assert witness.seen > 40
