"""The brakes: all violations at once, and the budgets that lift them."""

from __future__ import annotations

import pytest

from reconcile.engine import ViolationsFound
from reconcile.model.config import Guards
from tests.world import CONFIG, World, alarm, desired, handling


def alarms(count: int, **fields: object) -> list:
    """Some alarms."""
    return [alarm(f"alarm.a{i:03}", **fields) for i in range(count)]


def kinds(world: World, wanted: object, **options: object) -> list[str]:
    """The kinds of the violations of the plan."""
    return [v.kind for v in world.plan(wanted, **options).violations]  # type: ignore[arg-type]


@pytest.mark.parametrize(("before", "removed", "expected"), [(9, 8, []), (10, 3, []), (10, 4, ["clears"]), (20, 7, ["clears"])])
def test_clears_beyond_the_share_are_refused(world: World, before: int, removed: int, expected: list[str]) -> None:
    """30 % of the alarms in the state, from ten up."""
    world.apply(desired(*alarms(before)))
    wanted = desired(*alarms(before)[removed:])
    assert kinds(world, wanted) == expected
    assert kinds(world, wanted, allow={"clears": removed}) == []
    assert kinds(world, wanted, allow={"clears": removed - 1}) == expected


def test_a_replacement_counts_as_a_clear(world: World) -> None:
    """Another identity for four of ten."""
    world.apply(desired(*alarms(10)))
    wanted = desired(*alarms(10)[4:], *(alarm(f"alarm.a{i:03}", ident=f"new-{i}") for i in range(4)))
    assert kinds(world, wanted) == ["clears"]


def test_a_count_may_be_the_guard(world: World) -> None:
    """`max_clears: 2`."""
    world.config = CONFIG.model_copy(update={"guards": Guards(max_clears_share=None, max_clears_count=2)})
    world.apply(desired(*alarms(5)))
    assert kinds(world, desired(*alarms(5)[2:])) == []
    assert kinds(world, desired(*alarms(5)[3:])) == ["clears"]


def test_empty_specs_over_a_state_with_alarms_are_refused(world: World) -> None:
    """The classic accident of a wrong folder; a destroy asked for by name is none."""
    world.apply(desired(*alarms(3)))
    assert kinds(world, desired()) == ["empty"]
    assert kinds(world, desired(), allow={"empty": None}) == []
    assert kinds(world, desired(), destroy=True) == []
    with pytest.raises(ViolationsFound) as caught:
        world.apply(desired())
    assert caught.value.exit_code == 6 and len(world.aom.records) == 3


def test_triggers_beyond_the_number_are_refused(world: World) -> None:
    """Twenty at once, unless the budget says more."""
    wanted = desired(*(handling(f"handling.h{i}", alarm_id=f"ALM{i:023}") for i in range(21)))
    assert kinds(world, wanted) == ["triggers"]
    assert kinds(world, wanted, allow={"triggers": 21}) == []


def test_protection_outlives_its_yaml(world: World) -> None:
    """Deleting the alarm, or only the line, does not unprotect; `protect: false` does."""
    world.apply(desired(alarm("alarm.a", lifecycle={"protect": True}), alarm("alarm.b")))
    assert kinds(world, desired(alarm("alarm.b"))) == ["protect"]
    assert kinds(world, desired(alarm("alarm.b")), destroy=True) == ["protect"]
    assert kinds(world, desired(alarm("alarm.a", ident="x"), alarm("alarm.b"))) == ["protect"]
    world.apply(desired(alarm("alarm.a"), alarm("alarm.b")))
    assert kinds(world, desired(alarm("alarm.b"))) == ["protect"]
    unprotected = desired(alarm("alarm.a", lifecycle={"protect": False}), alarm("alarm.b"))
    assert world.actions(unprotected) == [("update", "alarm.a", "lifecycle")]
    world.apply(unprotected)
    assert kinds(world, desired(alarm("alarm.b"))) == []


def test_all_violations_are_listed_at_once(world: World) -> None:
    """One run of the plan tells everything that is in the way."""
    world.apply(desired(*alarms(12, lifecycle={"protect": True})))
    found = kinds(world, desired())
    assert found.count("protect") == 12 and {"clears", "empty"} <= set(found)
