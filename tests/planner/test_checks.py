"""Checks over plans: what they forbid is listed with the rest, and nothing else about the plan is any different."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reconcile.engine import ViolationsFound
from reconcile.model.config import Check, Guards
from reconcile.model.dialects import DAY
from reconcile.planner.checks import failed_checks
from reconcile.views.plan_document import encode, plan_document, read_document
from tests.laws.test_laws import specs
from tests.world import CONFIG, World, alarm, desired, handling


def check(require: str, **more: Any) -> Check:
    """A check by the name of c."""
    return Check(name="c", require=require, line=7, **more)


def with_checks(world: World, *checks: Check, **more: Any) -> World:
    """The world, its config with checks."""
    world.config = CONFIG.model_copy(update={"checks": checks, **more})
    return world


def test_each_change_is_asked_about(world: World) -> None:
    """One violation for each that does not hold, with its address, the message and the place of the check."""
    with_checks(world, check('change.after.severity != "Critical"', message="no"))
    found = world.plan(
        desired(*(alarm(f"alarm.{name}", severity="Critical") for name in "ab"), alarm("alarm.c", severity="Info"))
    )
    assert [(v.kind, v.address, v.message) for v in found.violations] == [
        ("check", "alarm.a", "alarm.a: check `c`: no"),
        ("check", "alarm.b", "alarm.b: check `c`: no"),
    ]
    assert "reconcile.yaml:7" in found.violations[0].hint


def test_when_says_what_a_check_is_about(world: World) -> None:
    """The rest is passed over, values that would not fit included."""
    world.apply(desired(alarm("alarm.a", severity="Critical"), alarm("alarm.b", severity="Info")))
    with_checks(world, check('change.before.severity != "Critical"', when='change.action == "clear"'))
    assert [v.address for v in world.plan(desired(alarm("alarm.c")), allow={"clears": 9}).violations] == ["alarm.a"]


def test_a_check_over_the_plan_is_asked_once(world: World) -> None:
    """With the summary, and all changes."""
    with_checks(
        world, check("plan.summary.report <= 1", over="plan"), check("plan.changes.all(c, c.target == 'aom')", over="plan")
    )
    found = world.plan(desired(alarm("alarm.a"), alarm("alarm.b")))
    assert [(v.address, v.message) for v in found.violations] == [(None, "check `c`: `plan.summary.report <= 1` does not hold")]
    assert not world.plan(desired()).violations


def test_what_cannot_be_evaluated_is_refused(world: World) -> None:
    """A policy that cannot be asked has not allowed it."""
    with_checks(world, check("change.after.metadata.team == 'web'"), check("true", when="change.nothing == 1"))
    found = world.plan(desired(alarm("alarm.a")))
    assert len(found.violations) == 2 and all("cannot be evaluated" in v.message for v in found.violations)


def test_checks_and_guards_are_told_together_and_nothing_is_sent(world: World) -> None:
    """All reasons of a refusal at once; the error names the first few."""
    with_checks(world, check("false"), guards=Guards(max_triggers=0))
    wanted = desired(*(alarm(f"alarm.{name}") for name in "abcd"), handling("handling.h", alarm_id="ALM1"))
    with pytest.raises(ViolationsFound, match=r"triggered.*and 3 more$") as caught:
        world.apply(wanted)
    assert [v.kind for v in caught.value.plan.violations] == ["triggers", *["check"] * 5] and caught.value.exit_code == 6
    assert not world.aom.records and not world.coc.posts


def test_a_destroy_is_checked(world: World) -> None:
    """The guards on clears let it pass; a rule of one's own does not."""
    world.apply(desired(alarm("alarm.a")))
    with_checks(world, check("!plan.destroy"))
    assert [v.kind for v in world.plan(desired(alarm("alarm.a")), destroy=True).violations] == ["check"]


def test_a_saved_plan_is_checked_again_and_only_for_what_it_does(world: World) -> None:
    """Rules that came later hold; a row that nobody reviewed, and that is left out, refuses nothing."""
    old = alarm("alarm.old", severity="Critical")
    world.apply(desired(old))
    wanted = desired(old, alarm("alarm.new"))
    saved = read_document(encode(plan_document(world.plan(wanted))).encode())
    world.clock.at += 20 * DAY
    with_checks(world, check("false"))
    with pytest.raises(ViolationsFound):
        world.apply(wanted, expect=saved)
    with_checks(world, check("change.after.severity != 'Critical'"))
    assert [v.address for v in world.plan(wanted).violations] == ["alarm.old"]
    world.aom.log.clear()
    assert world.apply(wanted, expect=saved).exit_code == 0
    assert world.aom.log == [("report", ["alarm.new"])]


EXPRESSIONS = st.sampled_from(
    [
        "true",
        "false",
        "change.action == 'report'",
        "change.nothing",
        "size(change.diff) < 1",
        "plan.summary.clear == 0",
        "change.after != null && change.after.severity == 'Major'",
    ]
)


@given(before=specs(), after=specs(), require=EXPRESSIONS, when=st.none() | EXPRESSIONS)
@settings(max_examples=60, deadline=None)
def test_a_check_never_changes_a_plan(before: Any, after: Any, require: str, when: str | None) -> None:
    """With it or without it: the same rows, in the same order, and the guards' reasons first."""
    world = World()
    world.apply(before)
    plain = world.plan(after)
    shown = encode(plan_document(plain))
    with_checks(world, check(require, when=when), check("plan.changes.all(c, false)", over="plan"))
    checked = world.plan(after)
    assert replace(checked, violations=()) == replace(plain, violations=())
    assert checked.violations[: len(plain.violations)] == plain.violations
    assert checked.violations[len(plain.violations) :] == failed_checks(plain, world.config.checks, world.config.file)
    assert encode(plan_document(plain)) == shown
