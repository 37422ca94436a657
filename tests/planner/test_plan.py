"""Order, selection, determinism, and what each verb's reason is where the applier's tests do not say."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from reconcile.errors import Refused, StateUnusable
from reconcile.model.config import Config, Target
from tests.world import NOW, World, alarm, desired, event, handling

ALM = "ALM2025071417361705s6mUUrF"
ROOT = Path(__file__).parents[2]


def test_the_order_is_that_of_an_apply(world: World) -> None:
    """Moves, forgets, early clears, reports, replaces, triggers, clears, deferrals."""
    before = [alarm(f"alarm.{n}", ident=n) for n in ("gone", "give", "keep", "old", "rep")]
    world.apply(desired(*before, event("event.e")))
    wanted = desired(
        alarm("alarm.new", ident="old"),
        alarm("alarm.keep", ident="give"),
        alarm("alarm.rep", ident="elsewhere"),
        alarm("alarm.fresh", ident="fresh"),
        handling("handling.run", alarm="alarm.fresh", alarm_id=ALM),
        handling("handling.wait"),
    )
    assert [(a, address) for a, address, _ in world.actions(wanted, allow={"clears": 9})] == [
        ("move", "alarm.new"),
        ("forget", "event.e"),
        ("clear", "alarm.give"),
        ("report", "alarm.fresh"),
        ("replace", "alarm.keep"),
        ("replace", "alarm.rep"),
        ("trigger", "handling.run"),
        ("clear", "alarm.gone"),
        ("defer", "handling.wait"),
    ]


def test_forget_leaves_the_remote_alarm_alone(world: World) -> None:
    """Dropped from the state, nothing sent; an address without a key names all its instances."""
    world.apply(desired(alarm('alarm.a["x"]', ident="x"), alarm("alarm.b")))
    wanted = desired(alarm("alarm.b"), forget=["alarm.a"])
    assert world.actions(wanted) == [("forget", 'alarm.a["x"]', "forget")]
    world.apply(wanted)
    assert len(world.aom.records) == 2 and set(world.store.resources) == {"alarm.b"}


def test_moved_without_a_key_means_all_instances(world: World) -> None:
    """Every instance of the old name becomes one of the new."""
    world.apply(desired(alarm('alarm.a["x"]', ident="x"), alarm('alarm.a["y"]', ident="y")))
    wanted = desired(alarm('alarm.b["x"]', ident="x"), alarm('alarm.b["y"]', ident="y"), moved=[("alarm.a", "alarm.b")])
    assert [a for a, _, _ in world.actions(wanted)] == ["move", "move"]


def test_ignored_changes_are_no_change_and_keep_what_is_recorded(world: World) -> None:
    """`ignore_changes` holds for the diff, and for what another change sends."""
    ignoring = {"ignore_changes": ["message", "metadata.team"]}
    world.apply(desired(alarm("alarm.a", lifecycle=ignoring, metadata={"team": "x"})))
    changed = desired(alarm("alarm.a", lifecycle=ignoring, message="new", metadata={"team": "y"}))
    assert world.actions(changed) == []
    world.apply(desired(alarm("alarm.a", lifecycle=ignoring, message="new", metadata={"team": "y"}, severity="Info")))
    live = next(iter(world.aom.records.values()))
    assert (live["annotations"]["message"], live["metadata"]["team"]) == ("busy", "x")


def test_selection_leaves_the_rest_alone_and_says_so(world: World) -> None:
    """A partial plan is not complete; a glob's `[` is not special."""
    wanted = desired(alarm('alarm.a["x"]', ident="x"), alarm("alarm.b"), handling("handling.h", alarm="alarm.b", alarm_id=ALM))
    plan = world.plan(wanted, targets=("alarm.a",))
    assert [c.address for c in plan.changes] == ['alarm.a["x"]'] and not plan.complete and plan.left_out == 2
    assert [c.address for c in world.plan(wanted, excludes=("alarm.*",)).changes] == ["handling.h"]
    assert world.actions(wanted, targets=("handling.h",)) == [("defer", "handling.h", "alarm not active")]
    assert world.actions(wanted, on=("coc",), targets=("alarm.*",)) == []


def test_rerun_change_runs_again_when_the_tasks_text_changed(world: World) -> None:
    """Not for the binding's own keys, and not by default."""
    world.apply(desired(handling("handling.h", alarm_id=ALM, rerun="change")))
    assert world.actions(desired(handling("handling.h", alarm_id=ALM, rerun="change"))) == []
    edited = desired(handling("handling.h", alarm_id=ALM, rerun="change", input_param={"timeout": 9}))
    assert world.actions(edited) == [("trigger", "handling.h", "task changed")]


def test_destroy_clears_alarms_and_forgets_the_rest(world: World) -> None:
    """A handling whose alarm is being cleared is forgotten, not run."""
    wanted = desired(alarm("alarm.a"), event("event.e"), handling("handling.h", alarm="alarm.a", alarm_id=ALM))
    world.apply(wanted)
    found = world.actions(wanted, destroy=True)
    assert found == [
        ("forget", "event.e", "removed"),
        ("forget", "handling.h", "destroy"),
        ("clear", "alarm.a", "destroy"),
    ]


def test_a_target_that_is_gone_defers_its_clears(world: World) -> None:
    """Nothing is lost: the alarm stays in the state, and the reason says what to do."""
    world.apply(desired(alarm("alarm.a"), alarm("alarm.b")))
    world.config = Config(stack="shop", targets={})
    plan = world.plan(desired(alarm("alarm.b")))
    assert [(c.action, c.reason) for c in plan.changes] == [("defer", "target unknown")]
    assert "state rm" in (plan.changes[0].note or "")


def test_as_of_previews_what_will_be_due(world: World) -> None:
    """Renewals and expiries of another day."""
    wanted = desired(alarm("alarm.a"))
    world.apply(wanted)
    assert world.actions(wanted, as_of=NOW + 3 * 86_400_000) == [("renew", "alarm.a", "expires soon")]
    assert world.actions(wanted, as_of=NOW + 6 * 86_400_000) == [("report", "alarm.a", "expired")]


def test_the_stack_cannot_change_and_real_targets_need_one(world: World) -> None:
    """A state knows whose it is."""
    world.apply(desired(alarm("alarm.a")))
    world.config = Config(stack="other", targets=world.config.targets)
    with pytest.raises(StateUnusable, match="belongs to stack `shop`"):
        world.plan(desired())
    fresh = World(Config(targets={"aom": Target(name="aom", type="aom", endpoint="https://aom.example")}))
    with pytest.raises(Refused, match="stack"):
        fresh.plan(desired())


SCRIPT = """
from tests.world import World, alarm, desired, handling
from reconcile.views.plan_document import encode, plan_document
world = World()
old = [alarm(f"alarm.a{i}", metadata={k: "1" for k in "zyxw"}, annotations={k: i for k in "qrst"}) for i in range(9)]
world.apply(desired(*old))
new = [alarm(f"alarm.a{i}", metadata={k: "2" for k in "wxyz"}, annotations={k: i + 1 for k in "tsrq"}) for i in range(3, 12)]
print(encode(plan_document(world.plan(desired(*new, handling("handling.h"))))))
"""


def test_the_same_input_gives_the_same_bytes_under_every_hash_seed() -> None:
    """Three seeds, one document."""
    outputs = set()
    for seed in ("0", "1", "4242"):
        env = {**os.environ, "PYTHONHASHSEED": seed}
        done = subprocess.run([sys.executable, "-c", SCRIPT], capture_output=True, text=True, env=env, cwd=ROOT, check=True)
        outputs.add(done.stdout)
    assert len(outputs) == 1 and len(outputs.pop()) > 1000
