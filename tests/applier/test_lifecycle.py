"""The whole life of alarms, events and handlings, through engine and applier, against a world that behaves."""

from __future__ import annotations

import pytest

from reconcile.errors import SecretMissing
from reconcile.model.dialects import DAY
from tests.world import World, alarm, desired, event, handling, lost, refused, with_secret

ALM = "ALM2025071417361705s6mUUrF"


def test_a_new_alarm_is_reported_confirmed_and_then_left_alone(world: World) -> None:
    """One report, one id read back, a second plan that is empty, a second apply that writes nothing."""
    wanted = desired(alarm("alarm.a"))

    account = world.apply(wanted)

    assert account.exit_code == 0
    assert world.actions(wanted) == []
    record = world.store.resources["alarm.a"]
    assert record.confirmation == "confirmed" and record.remote_id in world.aom.records
    assert world.aom.records[record.remote_id]["metadata"]["reconcile_key"] == "shop/alarm.a"
    serial, facts = world.store.serial, len(world.store.facts)
    world.apply(wanted)
    assert (world.store.serial, len(world.store.facts)) == (serial, facts)


def test_changed_content_is_an_update_in_place(world: World) -> None:
    """The same record, the new content, the same occurrence."""
    world.apply(desired(alarm("alarm.a")))
    before = world.store.resources["alarm.a"]
    wanted = desired(alarm("alarm.a", severity="Critical"))
    assert world.actions(wanted) == [("update", "alarm.a", "changed")]

    world.apply(wanted)

    after = world.store.resources["alarm.a"]
    assert [r["metadata"]["event_severity"] for r in world.aom.records.values()] == ["Critical"]
    assert (after.occurrence, after.starts_at) == (before.occurrence, before.starts_at)
    assert after.reported_at > before.reported_at


def test_a_removed_alarm_is_cleared_with_its_id_and_stored_metadata(world: World) -> None:
    """Nothing is left active, nothing is left in the state."""
    world.apply(desired(alarm("alarm.a"), alarm("alarm.b")))
    wanted = desired(alarm("alarm.b"))
    assert world.actions(wanted) == [("clear", "alarm.a", "removed")]

    world.apply(wanted)

    assert set(world.store.resources) == {"alarm.b"}
    assert len(world.aom.records) == 1


def test_another_identity_is_reported_before_the_old_one_is_cleared(world: World) -> None:
    """A replacement never leaves a gap."""
    world.apply(desired(alarm("alarm.a", ident="one")))
    world.aom.log.clear()
    wanted = desired(alarm("alarm.a", ident="two"))
    assert world.actions(wanted) == [("replace", "alarm.a", "identity")]

    world.apply(wanted)

    assert [verb for verb, _ in world.aom.log] == ["report", "clear"]
    assert [r["metadata"]["resource_id"] for r in world.aom.records.values()] == ["two"]
    assert world.store.pending == {}


def test_swapped_identities_are_cleared_first(world: World) -> None:
    """Two alarms that exchange what they are about end as two right records, each with its own stamp."""
    world.apply(desired(alarm("alarm.a", ident="one"), alarm("alarm.b", ident="two")))
    world.aom.log.clear()

    world.apply(desired(alarm("alarm.a", ident="two"), alarm("alarm.b", ident="one")))

    assert [verb for verb, _ in world.aom.log] == ["clear", "report"]
    found = {r["metadata"]["resource_id"]: r["metadata"]["reconcile_key"] for r in world.aom.records.values()}
    assert found == {"two": "shop/alarm.a", "one": "shop/alarm.b"}


def test_a_renamed_alarm_is_moved_and_nothing_is_sent(world: World) -> None:
    """A removed and a new address with one identity are one alarm; its stamp stays as first reported."""
    world.apply(desired(alarm("alarm.old", ident="x")))
    world.aom.log.clear()
    wanted = desired(alarm("alarm.new", ident="x"))
    assert world.actions(wanted) == [("move", "alarm.new", "moved")]

    world.apply(wanted)

    assert world.aom.log == []
    assert world.store.resources["alarm.new"].metadata["reconcile_key"] == "shop/alarm.old"
    world.apply(desired(alarm("alarm.new", ident="x"), alarm("alarm.old", ident="y")))
    assert world.store.resources["alarm.old"].metadata["reconcile_key"] == "shop/alarm.old#2"


def test_a_renamed_and_changed_alarm_is_one_update(world: World) -> None:
    """`move` plus new content is one row."""
    world.apply(desired(alarm("alarm.old", ident="x")))
    wanted = desired(alarm("alarm.new", ident="x", message="other"))

    assert world.actions(wanted) == [("update", "alarm.new", "moved")]
    world.apply(wanted)
    assert set(world.store.resources) == {"alarm.new"} and world.actions(wanted) == []


def test_moved_may_be_a_chain(world: World) -> None:
    """a -> b and b -> c at once: nobody's record is lost."""
    world.apply(desired(alarm("alarm.a", ident="1"), alarm("alarm.b", ident="2")))
    wanted = desired(
        alarm("alarm.b", ident="1"), alarm("alarm.c", ident="2"), moved=[("alarm.a", "alarm.b"), ("alarm.b", "alarm.c")]
    )
    world.apply(wanted)
    assert world.actions(wanted) == []
    assert len(world.aom.records) == 2 and set(world.store.resources) == {"alarm.b", "alarm.c"}


def test_a_renewal_comes_before_the_timeout_ends_and_moves_the_expiry(world: World) -> None:
    """Half of five days before the end."""
    wanted = desired(alarm("alarm.a"))
    world.apply(wanted)
    first = world.store.resources["alarm.a"]
    world.clock.at += 2 * DAY
    assert world.actions(wanted) == []
    world.clock.at += DAY
    assert world.actions(wanted) == [("renew", "alarm.a", "expires soon")]

    world.apply(wanted)

    renewed = world.store.resources["alarm.a"]
    assert renewed.expires_at == renewed.reported_at + 5 * DAY and renewed.occurrence == first.occurrence
    assert len(world.aom.active_now()) == 1


def test_an_expired_alarm_is_reported_again_as_the_same_occurrence(world: World) -> None:
    """Expiry does not begin a new occurrence."""
    wanted = desired(alarm("alarm.a"))
    world.apply(wanted)
    first = world.store.resources["alarm.a"]
    world.clock.at += 6 * DAY
    assert world.actions(wanted) == [("report", "alarm.a", "expired")]

    world.apply(wanted)

    assert world.store.resources["alarm.a"].occurrence == first.occurrence
    assert len(world.aom.active_now()) == 1


def test_a_bad_event_stands_alone_and_the_rest_goes_through(world: World) -> None:
    """A rejected batch is halved until the bad one is found."""
    world.aom.batch_size = 8
    world.aom.poison = {"alarm.c"}
    account = world.apply(desired(*(alarm(f"alarm.{name}") for name in "abcdefgh")))

    assert account.exit_code == 3 and account.counts()["failed"] == 1
    assert set(world.store.resources) == {f"alarm.{name}" for name in "abdefgh"}


def test_an_event_is_sent_once_per_content_and_then_forgotten(world: World) -> None:
    """Reported, not again, again when changed, forgotten when removed."""
    wanted = desired(event("event.e"))
    world.apply(wanted)
    assert world.actions(wanted) == []
    changed = desired(event("event.e", message="v2"))
    assert world.actions(changed) == [("report", "event.e", "changed")]
    world.apply(changed)
    assert world.actions(desired()) == [("forget", "event.e", "removed")]


def test_a_lifecycle_change_alone_sends_nothing(world: World) -> None:
    """It is an update with reason lifecycle."""
    world.apply(desired(alarm("alarm.a")))
    world.aom.log.clear()
    wanted = desired(alarm("alarm.a", lifecycle={"protect": True}))
    assert world.actions(wanted) == [("update", "alarm.a", "lifecycle")]
    world.apply(wanted)
    assert world.aom.log == [] and world.store.resources["alarm.a"].protect


def test_coc_events_are_assumed_and_restored_with_their_alarm_id(world: World) -> None:
    """The alarmId is of letters and digits, and the clear has the same."""
    world.apply(desired(alarm("alarm.a", target="coc-events")))
    record = world.store.resources["alarm.a"]
    assert record.confirmation == "assumed" and record.alarm_id.isalnum() and record.expires_at is None
    world.apply(desired(), allow={"empty": None})
    assert world.events.records == {} and world.store.resources == {}


def test_a_lost_answer_to_a_report_leaves_it_in_doubt_and_the_next_run_sends_it_again(world: World) -> None:
    """The state always names a superset of what exists."""
    wanted = desired(alarm("alarm.a"))
    world.aom.faults = [lost()]
    assert world.apply(wanted).exit_code == 1
    assert world.actions(wanted) == [("update", "alarm.a", "in doubt")]
    assert world.apply(wanted).exit_code == 0
    assert world.actions(wanted) == [] and len(world.aom.records) == 1


def test_a_secret_goes_into_the_request_and_nowhere_else(world: World) -> None:
    """The state keeps a salted digest; a new value is a change, an unset one is not."""
    template = "Bearer ${secret.env.TOKEN}"
    declared = with_secret(alarm("alarm.a", annotations={"auth": template}), "annotations.auth", template)
    wanted = desired(declared)
    with pytest.raises(SecretMissing):
        world.apply(wanted)
    assert world.aom.log == []

    world.environ["TOKEN"] = "s3cret-canary"
    world.apply(wanted)

    assert [r["annotations"]["auth"] for r in world.aom.records.values()] == ["Bearer s3cret-canary"]
    assert "s3cret-canary" not in repr(world.store)
    assert world.actions(wanted) == []
    world.environ["TOKEN"] = "other"
    plan = world.plan(wanted)
    assert [(c.action, c.reason) for c in plan.changes] == [("update", "secret")]
    assert plan.changes[0].diff[0].before == "(secret)"
    del world.environ["TOKEN"]
    assert world.actions(wanted) == [] and "TOKEN" in world.plan(wanted).notes[0]


def test_a_list_that_is_not_granted_leaves_reports_unconfirmed_and_fails_a_clear(world: World) -> None:
    """Dialect current needs an id to clear."""
    world.aom.listing = False
    assert world.apply(desired(alarm("alarm.a"), alarm("alarm.b"))).exit_code == 0
    assert world.store.resources["alarm.a"].confirmation == "unconfirmed"
    account = world.apply(desired(alarm("alarm.b")))
    assert account.exit_code == 1 and "aom:alarm:list" in account.outcomes[0].detail
    assert "alarm.a" in world.store.resources
    world.aom.clear_without_id, world.aom.clear_by = True, "metadata"
    assert world.apply(desired(alarm("alarm.b"))).exit_code == 0
    assert set(world.store.resources) == {"alarm.b"} and len(world.aom.records) == 1


def test_an_unconfirmed_alarm_is_confirmed_by_the_next_run(world: World) -> None:
    """Reported, unconfirmed is no error, and not forgotten."""
    world.aom.listing = False
    wanted = desired(alarm("alarm.a"))
    world.apply(wanted)
    world.aom.listing = True
    assert world.apply(wanted).exit_code == 0
    assert world.store.resources["alarm.a"].confirmation == "confirmed"


def test_a_halt_leaves_the_rest_unsent_and_saves_what_was_done(world: World) -> None:
    """The exit code is that of the signal."""
    account = world.apply(desired(alarm("alarm.a")), halted=lambda: 15)
    assert account.exit_code == 143 and world.aom.log == []


@pytest.mark.parametrize("status", [400, 403, 500])
def test_a_refused_clear_keeps_the_alarm_in_the_state(world: World, status: int) -> None:
    """A failed clear is tried again by the next run."""
    world.apply(desired(alarm("alarm.a"), alarm("alarm.b")))
    world.aom.faults = [refused(status)]
    assert world.apply(desired(alarm("alarm.b"))).exit_code == 1
    assert world.actions(desired(alarm("alarm.b"))) == [("clear", "alarm.a", "removed")]


def test_handling_runs_once_per_occurrence(world: World) -> None:
    """Report and trigger in one apply; never again for updates, renewals, edits; deferred for a new occurrence."""
    task = handling("handling.h", alarm="alarm.a", alarm_id=ALM)
    wanted = desired(alarm("alarm.a"), task)
    assert [a for a, _, _ in world.actions(wanted)] == ["report", "trigger"]
    assert world.apply(wanted).exit_code == 0
    assert world.coc.posts == [(ALM, "SC1")] and world.actions(wanted) == []

    edited = desired(
        alarm("alarm.a", message="x"), handling("handling.h", alarm="alarm.a", alarm_id=ALM, input_param={"timeout": 1})
    )
    assert world.actions(edited) == [("update", "alarm.a", "changed"), ("update", "handling.h", "edited")]
    world.apply(edited)
    assert len(world.coc.posts) == 1 and world.actions(edited) == []
    world.apply(edited, rerun=("handling.h",))
    assert len(world.coc.posts) == 2


def test_a_used_alarm_id_is_deferred_for_a_new_occurrence(world: World) -> None:
    """A new alarm_id of the same occurrence runs; the old one for another occurrence does not."""
    wanted = desired(alarm("alarm.a"), handling("handling.h", alarm="alarm.a", alarm_id=ALM))
    world.apply(wanted)
    world.apply(wanted, replace=("alarm.a",))
    assert world.actions(wanted) == [("defer", "handling.h", "alarm_id already used")]
    world.apply(desired(alarm("alarm.a"), handling("handling.h", alarm="alarm.a", alarm_id=ALM[:-1] + "G")))
    assert len(world.coc.posts) == 2


def test_a_trigger_waits_for_its_alarm(world: World) -> None:
    """Where the alarm's own report failed, its task is not started."""
    world.aom.poison = {"alarm.a"}
    account = world.apply(desired(alarm("alarm.a"), handling("handling.h", alarm="alarm.a", alarm_id=ALM)))
    assert account.exit_code == 1 and world.coc.posts == []


def test_a_lost_answer_is_unknown_and_never_resent(world: World) -> None:
    """Executed or not: without a row in the history it stays unknown, blocks a second one, and ends with exit 7."""
    world.coc.hidden = True
    world.coc.faults = [(True, lost())]
    wanted = desired(handling("handling.h", alarm_id=ALM))

    assert world.apply(wanted).exit_code == 7
    assert world.actions(wanted) == [("defer", "handling.h", "unknown")]
    assert world.apply(wanted).exit_code == 7
    assert len(world.coc.posts) == 1

    world.coc.hidden = False
    assert world.apply(wanted).exit_code == 0
    assert world.store.resources["handling.h"].runs[0].ticket == "WO1" and world.actions(wanted) == []
    assert len(world.coc.posts) == 1


def test_a_refused_trigger_is_planned_again(world: World) -> None:
    """It provably did not run."""
    world.coc.faults = [(False, refused(400))]
    wanted = desired(handling("handling.h", alarm_id=ALM))
    assert world.apply(wanted).exit_code == 1
    assert world.apply(wanted).exit_code == 0 and len(world.coc.posts) == 1


def test_a_lost_state_does_not_run_everything_again(world: World) -> None:
    """A row of the task that nobody here knows of defers it."""
    wanted = desired(handling("handling.h", alarm_id=ALM))
    world.apply(wanted)
    world.store.resources.clear()
    account = world.apply(wanted)
    assert account.exit_code == 0 and "already ran as WO1" in account.outcomes[0].detail
    assert len(world.coc.posts) == 1


def test_an_intent_is_published_before_the_post(world: World) -> None:
    """Journal and backend know of a trigger before the server does; several of one alarm go one after the other."""
    tasks = [handling(f"handling.h{i}", alarm_id=ALM, associated_task_id=f"SC{i}") for i in range(3)]
    world.apply(desired(*tasks))
    assert world.coc.posts == [(ALM, "SC0"), (ALM, "SC1"), (ALM, "SC2")]
    assert world.store.published == 3
