"""Laws, for any specs: an apply converges, a second one does nothing, the same input gives the same plan."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from reconcile.model.desired import Declared, Desired
from reconcile.views.plan_document import encode, plan_document
from tests.world import World, alarm, desired, event, handling

NAMES = st.sampled_from([f"a{i}" for i in range(6)])
SEVERITIES = st.sampled_from(["Critical", "Major", "Minor", "Info"])


@st.composite
def alarms(draw: st.DrawFn) -> list[Declared]:
    """Alarms with identities of their own, freely dealt to addresses: renames, swaps and replacements arise by themselves."""
    names = draw(st.lists(NAMES, unique=True, max_size=6))
    idents = draw(st.permutations([f"r{i}" for i in range(7)]))
    return [
        alarm(f"alarm.{name}", ident=ident, severity=draw(SEVERITIES), message=draw(st.sampled_from(["x", "y"])))
        for name, ident in zip(names, idents, strict=False)
    ]


@st.composite
def specs(draw: st.DrawFn) -> Desired:
    """Alarms, events, COC alarms and handlings of some of them."""
    found = draw(alarms())
    more: list[Declared] = []
    for name in draw(st.lists(NAMES, unique=True, max_size=2)):
        more.append(event(f"event.{name}", message=draw(st.sampled_from(["1", "2"]))))
    for name in draw(st.lists(NAMES, unique=True, max_size=2)):
        more.append(alarm(f"alarm.coc-{name}", target="coc-events", severity=draw(SEVERITIES)))
    for bound in found[: draw(st.integers(0, 3))]:
        more.append(handling(f"handling.{bound.address[6:]}", alarm=bound.address, alarm_id=f"ALM-{bound.address}"))
    return desired(*found, *more)


def remote(world: World) -> list[tuple[str, str]]:
    """What is active in AOM: identity and severity."""
    return sorted((r["metadata"]["resource_id"], r["metadata"]["event_severity"]) for r in world.aom.active_now().values())


HYPOTHESES = {
    "identity": st.sampled_from(["core", "metadata"]),
    "repeat": st.sampled_from(["update", "ignore", "second"]),
    "clear_by": st.sampled_from(["id", "metadata"]),
    "lag": st.sampled_from([0, 2_000]),
    "batch_size": st.integers(1, 5),
    "concurrency": st.integers(1, 4),
}


@settings(max_examples=60)
@given(st.fixed_dictionaries(HYPOTHESES), st.lists(specs(), min_size=1, max_size=4))
def test_every_apply_converges_and_a_second_one_does_nothing(hypotheses: dict, life: list[Desired]) -> None:
    """Whatever the server takes for the same alarm, whatever the specs were before."""
    world = World(**hypotheses)
    allow = {"empty": None, "clears": 99}
    for wanted in life:
        account = world.apply(wanted, allow=allow)
        assert account.exit_code == 0, [o for o in account.outcomes if o.outcome != "done"]
        declared = [d for d in wanted.declared.values() if d.kind == "alarm" and d.resource.target == "aom"]
        assert remote(world) == sorted((d.content["resource"]["id"], d.content["severity"]) for d in declared)
        left = {action for action, _, _ in world.actions(wanted, allow=allow)}
        assert left <= {"defer", "trigger"}  # a task its alarm's history holds back is told on every run
        assert all(o.outcome == "skipped" for o in account.outcomes if o.action == "trigger" and "trigger" in left)
        before = (world.store.serial, dict(world.store.resources), len(world.aom.log))
        world.apply(wanted, allow=allow)
        assert (world.store.serial, dict(world.store.resources), len(world.aom.log)) == before
    runs = [(post, world.coc.posts.count(post)) for post in world.coc.posts]
    assert all(count == 1 for _, count in runs)


@settings(max_examples=60)
@given(specs(), specs(), st.randoms(use_true_random=False))
def test_a_plan_does_not_depend_on_the_order_things_were_read_in(before: Desired, after: Desired, random: object) -> None:
    """Shuffled declarations and records give the same bytes."""
    world = World()
    world.apply(before, allow={"empty": None, "clears": 99})
    plan = encode(plan_document(world.plan(after)))
    items = list(after.declared.items())
    random.shuffle(items)  # type: ignore[attr-defined]
    recorded = list(world.store.resources.items())
    random.shuffle(recorded)  # type: ignore[attr-defined]
    world.store.resources = dict(recorded)
    shuffled = Desired(dict(items), after.moved, after.forget, after.digest)
    assert encode(plan_document(world.plan(shuffled))) == plan
