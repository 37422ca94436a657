"""Whatever the server takes for the same alarm: exactly one right record per declared alarm, none for a cleared one."""

from __future__ import annotations

import itertools
from typing import Any

import pytest

from reconcile.model.desired import Desired
from reconcile.model.dialects import DAY
from tests.world import World, alarm, desired

MATRIX = list(itertools.product(("core", "metadata"), ("update", "ignore", "second"), ("id", "metadata"), (0, 3_000)))


def hypotheses(values: tuple[str, str, str, int]) -> dict[str, Any]:
    """One combination as settings of the server."""
    return dict(zip(("identity", "repeat", "clear_by", "lag"), values, strict=True))


def assert_converged(world: World, wanted: Desired) -> None:
    """One active record per declared alarm, with its content and ours alone; nothing else."""
    active = world.aom.active_now()
    found = sorted((r["metadata"]["resource_id"], r["metadata"]["event_severity"]) for r in active.values())
    assert found == sorted((d.content["resource"]["id"], d.content["severity"]) for d in wanted.declared.values())
    for address in wanted.declared:
        record = world.store.resources[address]
        live = active[record.remote_id]
        assert live["metadata"] == record.metadata and live["starts_at"] == record.reported_at
    assert world.store.pending == {} and world.actions(wanted) == []


@pytest.mark.parametrize("values", MATRIX, ids=lambda v: "-".join(map(str, v)))
def test_every_verb_converges_under_every_hypothesis(values: tuple[str, str, str, int]) -> None:
    """Report, update, renew, replace, swap, rename and clear, one after the other."""
    world = World(**hypotheses(values))
    life = [
        desired(alarm("alarm.a", ident="1"), alarm("alarm.b", ident="2"), alarm("alarm.c", ident="3")),
        desired(alarm("alarm.a", ident="1", severity="Critical"), alarm("alarm.b", ident="2"), alarm("alarm.c", ident="3")),
        desired(alarm("alarm.a", ident="2"), alarm("alarm.b", ident="1"), alarm("alarm.c", ident="9")),
        desired(alarm("alarm.a", ident="2"), alarm("alarm.d", ident="1", severity="Info"), alarm("alarm.c", ident="9")),
        desired(alarm("alarm.a", ident="1"), alarm("alarm.c", ident="9")),
    ]
    for wanted in life:
        account = world.apply(wanted)
        assert account.exit_code == 0, [o for o in account.outcomes if o.outcome != "done"]
        assert_converged(world, wanted)
        world.clock.at += 3 * DAY
        assert {action for action, _, _ in world.actions(wanted)} == {"renew"}
        expiries = {a: r.expires_at for a, r in world.store.resources.items()}
        assert world.apply(wanted).exit_code == 0
        assert_converged(world, wanted)
        assert all(world.store.resources[a].expires_at > expiry for a, expiry in expiries.items())
    world.apply(desired(), allow={"empty": None})
    assert world.aom.active_now() == {} and world.store.resources == {}


def test_another_stacks_record_of_the_same_identity_is_never_cleared(world: World) -> None:
    """Only records with our own stamp are twins."""
    world.aom.identity, world.aom.repeat = "metadata", "second"
    world.apply(desired(alarm("alarm.a", ident="1")))
    ours = next(iter(world.aom.records.values()))
    world.aom.records["7"] = {**ours, "metadata": {**ours["metadata"], "reconcile_key": "billing/alarm.a"}}
    world.apply(desired(alarm("alarm.a", ident="1", severity="Critical")))
    world.apply(desired(), allow={"empty": None})
    assert list(world.aom.records) == ["7"]
