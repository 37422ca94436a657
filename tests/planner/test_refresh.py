"""Live truth in a plan: drift repaired, ours adopted, foreign left alone, orphans cleared."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from reconcile import engine
from reconcile.engine import ViolationsFound
from reconcile.errors import Refused
from reconcile.model.live import CocAlarm, Live
from reconcile.planner.drift import without_ignored
from reconcile.planner.refresh import import_alarm, unmanaged
from tests.world import World, alarm, desired, handling

ALM = "ALM2025071417361705s6mUUrF"


def refreshed(world: World, wanted: Any, **options: Any) -> Any:
    """The plan with what is live."""
    from reconcile.planner import PlanOptions

    base = engine.Base(world.clock, world.environ, world.diary)
    found = PlanOptions(refresh=True, **options)
    return asyncio.run(engine.refreshed_plan(wanted, world.store, world.config, world.servers, found, base))


def actions(world: World, wanted: Any, **options: Any) -> list[tuple[str, str, str]]:
    """(action, address, reason) of the refreshed plan."""
    return [(c.action, c.address, c.reason) for c in refreshed(world, wanted, **options).changes]


def drift(world: World) -> list[tuple[str | None, str]]:
    """(address, kind) of what differs."""
    base = engine.Base(world.clock, world.environ, world.diary)
    return [(d.address, d.kind) for d in asyncio.run(engine.drift(world.store, world.config, world.servers, base))[1]]


def cleared_outside(world: World) -> None:
    """Somebody clears everything."""
    world.aom.records.clear()
    world.aom._after()


def test_nothing_drifted_means_no_change(world: World) -> None:
    """A refreshed plan of a world in order is empty."""
    wanted = desired(alarm("alarm.a", metadata={"team": "x"}, annotations={"n": 1}, url="https://x"))
    world.apply(wanted)
    assert actions(world, wanted) == [] and drift(world) == []


def test_an_alarm_cleared_outside_is_reported_again_as_the_same_occurrence(world: World) -> None:
    """The default of `on_external_clear`; its handling does not run again."""
    wanted = desired(alarm("alarm.a"), handling("handling.h", alarm="alarm.a", alarm_id=ALM))
    world.apply(wanted)
    cleared_outside(world)
    assert drift(world) == [("alarm.a", "missing")]
    assert world.actions(wanted) == []
    assert actions(world, wanted) == [("report", "alarm.a", "cleared outside")]
    assert world.apply(wanted, refresh=True).exit_code == 0
    assert len(world.aom.active_now()) == 1 and len(world.coc.posts) == 1 and drift(world) == []


def test_an_accepted_clear_stays_cleared_until_the_content_changes(world: World) -> None:
    """`accept` sends nothing, and is remembered."""
    keep = {"on_external_clear": "accept"}
    wanted = desired(alarm("alarm.a", lifecycle=keep))
    world.apply(wanted)
    cleared_outside(world)
    assert actions(world, wanted) == [("update", "alarm.a", "cleared outside")]
    world.apply(wanted, refresh=True)
    assert world.aom.records == {} and world.store.resources["alarm.a"].confirmation == "cleared"
    assert actions(world, wanted) == [] and world.actions(wanted) == [] and drift(world) == []
    changed = desired(alarm("alarm.a", lifecycle=keep, message="new"))
    assert world.actions(changed) == [("report", "alarm.a", "cleared outside")]
    world.apply(changed)
    assert len(world.aom.records) == 1


def test_a_forbidden_clear_stops_the_run(world: World) -> None:
    """`fail` is exit 6, and nothing is sent."""
    wanted = desired(alarm("alarm.a", lifecycle={"on_external_clear": "fail"}))
    world.apply(wanted)
    cleared_outside(world)
    with pytest.raises(ViolationsFound, match="cleared outside"):
        world.apply(wanted, refresh=True)
    assert world.aom.records == {}


def test_changed_content_is_told_in_the_words_of_the_specs_and_repaired(world: World) -> None:
    """Severity, message, metadata and annotations by their paths."""
    wanted = desired(alarm("alarm.a", metadata={"team": "x"}))
    world.apply(wanted)
    live = next(iter(world.aom.records.values()))
    live["metadata"] = {**live["metadata"], "event_severity": "Info", "team": "y", "added-by-server": "1"}
    live["annotations"] = {**live["annotations"], "message": "calm"}
    world.aom._after()
    plan = refreshed(world, wanted)
    assert [(c.action, c.reason) for c in plan.changes] == [("update", "drift")]
    found = {d.path: (d.before, d.after) for d in plan.changes[0].diff}
    assert found == {"severity": ("Info", "Major"), "message": ("calm", "busy"), "metadata.team": ("y", "x")}
    world.apply(wanted, refresh=True)
    assert actions(world, wanted) == []


def test_a_twin_is_cleared(world: World) -> None:
    """Exactly one record of ours stays."""
    wanted = desired(alarm("alarm.a"))
    world.apply(wanted)
    live = next(iter(world.aom.records.values()))
    world.aom.records["99"] = {**live, "starts_at": live["starts_at"] - 50}
    world.aom._after()
    assert drift(world) == [("alarm.a", "twin")]
    world.apply(wanted, refresh=True)
    assert len(world.aom.active_now()) == 1 and drift(world) == []


def test_a_lost_state_is_adopted_by_stamp_with_no_second_report(world: World) -> None:
    """Not even asked for: an apply without a state looks first."""
    wanted = desired(alarm("alarm.a"), alarm('alarm.b["k"]', ident="b"), handling("handling.h", alarm="alarm.a", alarm_id=ALM))
    world.apply(wanted)
    world.aom.log.clear()
    world.store = type(world.store)()

    account = world.apply(wanted)

    assert account.exit_code == 0 and world.aom.log == [] and len(world.coc.posts) == 1
    assert set(world.store.resources) >= {"alarm.a", 'alarm.b["k"]'}
    assert [a for a, _, _ in world.actions(wanted)] == ["trigger"]  # held back by its own history when applied


def test_an_adopted_alarm_that_differs_is_updated_in_the_same_run(world: World) -> None:
    """The diff is of what is live."""
    world.apply(desired(alarm("alarm.a")))
    world.store = type(world.store)()
    wanted = desired(alarm("alarm.a", severity="Critical"))
    world.apply(wanted)
    assert [r["metadata"]["event_severity"] for r in world.aom.records.values()] == ["Critical"]
    assert world.actions(wanted) == []


@pytest.mark.parametrize("identity", ["core", "metadata"])
def test_unstamped_alarms_are_adopted_only_when_asked_for(world: World, identity: str) -> None:
    """Left alone by default; taken over and stamped with --adopt, whatever the server takes for the same alarm."""
    world.aom.identity = identity
    wanted = desired(alarm("alarm.a"))
    world.apply(wanted)
    key, live = next(iter(world.aom.records.items()))
    stamps = ("managed_by", "reconcile_key")
    world.aom.records[key] = {**live, "metadata": {k: v for k, v in live["metadata"].items() if k not in stamps}}
    world.aom._after()
    world.store = type(world.store)()
    assert actions(world, wanted) == [("report", "alarm.a", "new")]
    assert actions(world, wanted, adopt=True) == [("adopt", "alarm.a", "asked for by --adopt")]

    world.apply(wanted, adopt=True)

    records = list(world.aom.active_now().values())
    assert len(records) == 1 and records[0]["metadata"]["reconcile_key"] == "shop/alarm.a"
    assert world.actions(wanted) == []


def test_another_stacks_alarm_is_never_overwritten(world: World) -> None:
    """When it is seen: exit 6, nothing sent."""
    world.apply(desired(alarm("alarm.a")))
    for live in world.aom.records.values():
        live["metadata"] = {**live["metadata"], "reconcile_key": "billing/alarm.z"}
    world.aom._after()
    world.store = type(world.store)()
    world.aom.log.clear()
    with pytest.raises(ViolationsFound, match="belongs to stack `billing`"):
        world.apply(desired(alarm("alarm.a")))
    assert world.aom.log == []


def test_an_orphan_is_cleared_by_a_refreshed_plan(world: World) -> None:
    """Our stamp, neither in the state nor in the specs."""
    world.apply(desired(alarm("alarm.a"), alarm("alarm.b")))
    del world.store.resources["alarm.b"]
    wanted = desired(alarm("alarm.a"))
    assert drift(world) == [("alarm.b", "orphan")] and world.actions(wanted) == []
    assert actions(world, wanted) == [("clear", "alarm.b", "orphan")]
    assert world.apply(wanted, refresh=True).exit_code == 0
    assert len(world.aom.records) == 1 and drift(world) == []


def test_a_resolved_coc_alarm_defers_its_handling(world: World) -> None:
    """What COC says is shown, and decides."""
    wanted = desired(handling("handling.h", alarm_id=ALM))
    assert "cpu, alarming" in (refreshed(world, wanted).changes[0].note or "")

    async def resolved(alarm_id: str) -> CocAlarm:
        return CocAlarm(alarm_id, "cpu", "resolved")

    world.coc.show = resolved  # type: ignore[method-assign]
    assert actions(world, wanted) == [("defer", "handling.h", "alarm resolved")]


def test_import_takes_an_alarm_by_its_id_and_checks_whose_it_is(world: World) -> None:
    """Identity and stamp decide; what nobody declared is listed as unmanaged."""
    world.apply(desired(alarm("alarm.a", message="live")))
    (found,) = asyncio.run(world.aom.active(since=0))
    declared = alarm("alarm.a")
    record = import_alarm(declared, found.id, [found], "shop")
    assert record.remote_id == found.id and record.content["message"] == "live"
    for other, stack in ((alarm("alarm.b"), "shop"), (declared, "billing")):
        with pytest.raises(Refused):
            import_alarm(other, found.id, [found], stack)
    with pytest.raises(Refused, match="no active alarm"):
        import_alarm(declared, "0", [found], "shop")
    assert unmanaged(Live({"aom": [found]}), world.store.read(), "shop") == []


def test_ignored_drift_is_left_out(world: World) -> None:
    """An address, or one path of it."""
    world.apply(desired(alarm("alarm.a"), alarm("alarm.b")))
    for live in world.aom.records.values():
        live["metadata"] = {**live["metadata"], "event_severity": "Info"}
    world.aom._after()
    base = engine.Base(world.clock, world.environ, world.diary)
    found = asyncio.run(engine.drift(world.store, world.config, world.servers, base))[1]
    assert [d.address for d in without_ignored(found, ["alarm.a"])] == ["alarm.b"]
    assert without_ignored(found, ["alarm.*#severity"]) == ()
    assert len(without_ignored(found, ["alarm.*#message"])) == 2
