"""What the model check and the kills once found, each as small as it gets."""

from __future__ import annotations

from typing import Any

import pytest

from reconcile.model.desired import Desired
from reconcile.model.dialects import DAY
from tests.model_check.fragile import Crash, FragileWorld
from tests.world import alarm, desired, handling, lost, refused


def idents(world: FragileWorld) -> list[str]:
    """The resource ids of what is active."""
    return sorted(record["metadata"]["resource_id"] for record in world.aom.active_now().values())


def die_everywhere(before: Desired, after: Desired, expected: list[str], jump: int = 0, **hypotheses: Any) -> None:
    """Apply `after` and die at its first effect, its second, and so on; two applies later all is as expected."""
    for effect in range(1, 200):
        world = FragileWorld(**hypotheses)
        world.apply(before)
        world.clock.at += jump
        world.fuse.arm(effect)
        try:
            world.apply(after)
        except Crash:
            pass
        else:
            return
        world.fuse.arm(None)
        world.apply(after)
        world.apply(after)
        assert idents(world) == expected, f"death at effect {effect}: {world.fuse.burnt}"
        assert world.store.pending == {}
    raise AssertionError("it never ended")


def test_the_old_alarm_of_a_replacement_is_never_forgotten() -> None:
    """It is owed from before the new one is reported until its clear is acknowledged."""
    die_everywhere(desired(alarm("alarm.a", ident="one")), desired(alarm("alarm.a", ident="two")), ["two"])


def test_a_death_between_a_clear_and_the_report_that_follows_leaves_no_gap() -> None:
    """A server that ignores repeats: a renewal is a clear and a new report."""
    wanted = desired(alarm("alarm.a", ident="one"))
    die_everywhere(wanted, wanted, ["one"], jump=4 * DAY, repeat="ignore")


@pytest.mark.parametrize("clear_by", ["id", "metadata"])
def test_a_death_while_twins_are_cleared_loses_neither_alarm_nor_content(clear_by: str) -> None:
    """Clearing the twin by metadata takes the kept one with it."""
    before, after = desired(alarm("alarm.a", ident="one")), desired(alarm("alarm.a", ident="one", message="other"))
    die_everywhere(before, after, ["one"], repeat="second", clear_by=clear_by)


def test_an_identity_is_not_taken_over_while_its_holder_could_not_be_cleared() -> None:
    """Else the next run clears the new alarm in the old one's name."""
    world = FragileWorld()
    world.apply(desired(alarm("alarm.a", ident="one")))
    wanted = desired(alarm("alarm.a", ident="two"), alarm("alarm.b", ident="one"))
    world.aom.doubts = [(False, refused(400))]

    account = world.apply(wanted)

    assert {o.address: o.outcome for o in account.outcomes} == {"alarm.a": "failed", "alarm.b": "skipped"}
    world.apply(wanted)
    assert idents(world) == ["one", "two"] and world.plan(wanted).changes == ()


def test_a_clear_whose_answer_was_lost_does_not_count_as_still_active() -> None:
    """Declared once more, the alarm is reported once more."""
    world = FragileWorld()
    wanted = desired(alarm("alarm.a", ident="one"), alarm("alarm.b", ident="two"))
    world.apply(wanted)
    world.aom.doubts = [(True, lost())]
    assert world.apply(desired(alarm("alarm.b", ident="two"))).exit_code == 1

    world.apply(wanted)

    assert idents(world) == ["one", "two"]


def test_what_may_have_a_second_record_is_not_dropped_while_the_list_cannot_be_read() -> None:
    """The clear was accepted; whether an update in doubt left a record of its own, only the list tells."""
    world = FragileWorld(repeat="second")
    world.apply(desired(alarm("alarm.a", ident="one")))
    world.aom.doubts = [(True, lost())]
    world.apply(desired(alarm("alarm.a", ident="one", message="other")))
    nothing, options = desired(), {"allow": {"empty": None}}
    world.aom.blind = [refused(500)] * 9

    assert world.apply(nothing, **options).exit_code == 1

    world.heal()
    assert world.apply(nothing, **options).exit_code == 0
    assert idents(world) == [] and world.store.resources == {}


def test_runs_for_another_alarm_do_not_vouch_for_this_one() -> None:
    """An older state, put back, knows the first run of a handling and not the second: the history holds it back."""
    world = FragileWorld()
    first, second = (desired(handling("handling.h", alarm_id=id)) for id in ("ALM-1", "ALM-2"))
    world.apply(first)
    world.apply(second)
    world.store.put_back(world.store.generations[0])

    account = world.apply(second)

    assert account.exit_code == 0 and "already ran as WO2" in account.outcomes[0].detail
    assert world.coc.posts == [("ALM-1", "SC1"), ("ALM-2", "SC1")]
