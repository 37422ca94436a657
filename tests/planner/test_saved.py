"""A saved plan: what makes it stale, what does not, and what is left of it after a partial failure."""

from __future__ import annotations

import json
from typing import Any

import pytest

from reconcile.errors import PlanRefused
from reconcile.model.dialects import DAY
from reconcile.views.plan_document import encode, plan_document, read_document
from tests.world import World, alarm, desired, handling, lost, refused

ALM = "ALM2025071417361705s6mUUrF"


def saved(world: World, wanted: Any, **options: Any) -> dict[str, Any]:
    """The plan as it comes back from a file."""
    return read_document(encode(plan_document(world.plan(wanted, **options))).encode())


def test_a_saved_plan_applies_once_and_then_does_nothing(world: World) -> None:
    """The first plan ever, too."""
    wanted = desired(alarm("alarm.a"), handling("handling.h", alarm="alarm.a", alarm_id=ALM))
    plan = saved(world, wanted)
    assert world.apply(wanted, expect=plan).exit_code == 0
    facts = len(world.store.facts)
    assert world.apply(wanted, expect=plan).exit_code == 0
    assert len(world.store.facts) == facts and len(world.coc.posts) == 1


def test_a_saved_plan_keeps_the_options_it_was_made_with(world: World) -> None:
    """`--target` of the plan holds for its apply."""
    wanted = desired(alarm("alarm.a"), alarm("alarm.b"))
    world.apply(wanted, expect=saved(world, wanted, targets=("alarm.a",)))
    assert set(world.store.resources) == {"alarm.a"}


@pytest.mark.parametrize("fault", [refused(500), lost()], ids=["refused", "lost"])
def test_after_a_partial_failure_it_runs_what_is_left(world: World, fault: Exception) -> None:
    """The same approved file, without a second approval."""
    world.aom.batch_size, world.aom.concurrency = 1, 1
    wanted = desired(alarm("alarm.a"), alarm("alarm.b"))
    plan = saved(world, wanted)
    world.aom.faults = [None, fault]  # type: ignore[list-item]
    assert world.apply(wanted, expect=plan).exit_code == 3
    world.aom.log.clear()
    assert world.apply(wanted, expect=plan).exit_code == 0
    assert world.aom.log == [("report", ["alarm.b"])]


def test_a_renewal_in_between_does_not_make_it_stale(world: World) -> None:
    """Renewal times, ids and confirmations are apart."""
    world.apply(desired(alarm("alarm.a")))
    world.clock.at += 2 * DAY
    wanted = desired(alarm("alarm.a", message="new"))
    plan = saved(world, wanted)
    record = world.store.resources["alarm.a"]
    world.store.resources["alarm.a"] = record.model_copy(
        update={"reported_at": record.reported_at + 5, "expires_at": record.expires_at + 5, "remote_id": "9"}
    )
    assert world.apply(wanted, expect=plan).exit_code == 0


def stale(world: World, wanted: Any, plan: Any) -> str:
    """The words of the refusal; nothing was sent."""
    world.aom.log.clear()
    with pytest.raises(PlanRefused) as caught:
        world.apply(wanted, expect=plan)
    assert world.aom.log == [] and caught.value.exit_code == 5
    return str(caught.value)


def test_a_plan_somebody_else_overtook_is_stale(world: World) -> None:
    """The state entry of an address it changes moved."""
    world.apply(desired(alarm("alarm.a")))
    plan = saved(world, desired(alarm("alarm.a", message="mine")))
    world.apply(desired(alarm("alarm.a", message="mine")))
    assert "last written by test" in stale(world, desired(alarm("alarm.a", message="mine")), plan)


def test_a_plan_of_other_specs_another_lineage_or_another_stack_is_refused(world: World) -> None:
    """Each is said in words."""
    world.apply(desired(alarm("alarm.a")))
    wanted = desired(alarm("alarm.a", message="new"))
    plan = saved(world, wanted)
    assert "specs or targets changed" in stale(world, desired(alarm("alarm.a", message="other")), plan)
    world.store.lineage = "another"
    assert "lineage" in stale(world, wanted, plan)
    assert "stack" in stale(world, wanted, {**plan, "stack": "other"})


def test_a_first_plan_is_refused_once_there_is_a_state(world: World) -> None:
    """Made before there was a state, applied after somebody made one."""
    wanted = desired(alarm("alarm.a"))
    plan = saved(world, wanted)
    world.apply(desired(alarm("alarm.b")))
    assert "before there was a state" in stale(world, wanted, plan)


def test_an_expiry_in_between_changes_the_action_and_is_refused(world: World) -> None:
    """An update that is now a report was not reviewed."""
    world.apply(desired(alarm("alarm.a")))
    wanted = desired(alarm("alarm.a", message="new"))
    plan = saved(world, wanted)
    world.clock.at += 6 * DAY
    assert "planned update, now report" in stale(world, wanted, plan)


def test_the_same_action_over_another_entry_says_so(world: World) -> None:
    """`planned update, now update` would puzzle."""
    world.apply(desired(alarm("alarm.a")))
    wanted = desired(alarm("alarm.a", message="new"))
    plan = saved(world, wanted)
    world.apply(desired(alarm("alarm.a", message="between")))
    assert "alarm.a: planned update, and its entry in the state is another since" in stale(world, wanted, plan)


def test_every_altered_byte_is_refused(world: World) -> None:
    """The plan id covers the whole document."""
    raw = encode(plan_document(world.plan(desired(alarm("alarm.a")))))
    document = json.loads(raw)
    for key in ("stack", "spec_digest", "as_of", "plan_id"):
        altered = {**document, key: document[key] + "x"}
        with pytest.raises(PlanRefused):
            read_document(json.dumps(altered).encode())
