"""Metrics for a textfile collector, read back by the official parser."""

from __future__ import annotations

import sys
from collections.abc import Callable

import pytest
from prometheus_client.parser import text_string_to_metric_families

from reconcile.errors import CommandLineWrong
from reconcile.model.snapshot import Snapshot
from reconcile.views.metrics import Measures, last_success_in, measures_of, render_metrics
from reconcile.views.plan_document import plan_document
from tests.views.samples import AS_OF, HOSTILE, HOUR, alarm, full_plan, recorded, recorded_event, recorded_handling

Golden = Callable[[str, str], None]
SNAPSHOT = Snapshot(
    stack="payments-prod",
    lineage="0b7c9f0e",
    serial=41,
    resources={
        "alarm.a": recorded(alarm()),
        "alarm.b": recorded(alarm(), expires_at=AS_OF + HOUR),
        "alarm.c": recorded(alarm(), expires_at=None),
        "event.e": recorded_event(),
        "handling.h": recorded_handling(),
    },
)


def samples(text: str) -> dict[tuple[str, ...], float]:
    """Name and label values -> value."""
    found = {}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            found[(sample.name.removeprefix("reconcile_"), *(sample.labels[key] for key in sorted(sample.labels)))] = sample.value
    return found


def test_the_text_of_a_plan(golden: Golden) -> None:
    """Managed, changes, drift, pending, next expiry, last success, duration."""
    plan = full_plan()
    measures = measures_of(SNAPSHOT, plan_document(plan), command="plan", exit_code=2, now=AS_OF, duration=1.25, drift=plan.drift)
    text = render_metrics(measures)
    golden("../golden_review/metrics.prom", text)
    found = samples(text)
    assert found["managed_resources", "alarm", "payments-prod"] == 3
    assert found["plan_changes", "report", "payments-prod"] == 3
    assert found["drifted_alarms", "orphan", "payments-prod"] == 1 and found["drifted_alarms", "twin", "payments-prod"] == 0
    assert found["next_expiry_timestamp_seconds", "payments-prod"] == AS_OF / 1000 + 22 * 60
    assert found["last_success_timestamp_seconds", "plan", "payments-prod"] == AS_OF / 1000
    assert found["last_run_duration_seconds", "plan", "payments-prod"] == 1.25


def test_what_nobody_looked_at_is_not_told() -> None:
    """Without a look at what is live, no drift; without a plan, no changes: zero would be a claim."""
    names = {name for name, *_ in samples(render_metrics(measures_of(SNAPSHOT, command="renew", exit_code=0, now=1, duration=0)))}
    assert names.isdisjoint({"drifted_alarms", "plan_changes"}) and "pending_operations" in names


def test_a_failed_run_keeps_the_last_success_of_its_command() -> None:
    """It is read from what the run before left behind."""
    good = render_metrics(measures_of(SNAPSHOT, command="apply", exit_code=0, now=AS_OF, duration=1))
    for command, expected in (("apply", AS_OF), ("renew", None)):
        bad = measures_of(SNAPSHOT, command=command, exit_code=1, now=AS_OF + HOUR, duration=1, earlier=good)
        assert bad.last_success == expected
    assert "last_success" not in render_metrics(measures_of(SNAPSHOT, command="apply", exit_code=3, now=1, duration=1))


@pytest.mark.parametrize("text", ["", "}{", "reconcile_last_success_timestamp_seconds{", "\x00", "a 1\n" * 5])
def test_a_broken_earlier_file_is_no_error(text: str) -> None:
    """It says nothing, so nothing is taken from it."""
    assert last_success_in(text, "apply") is None


def test_a_hostile_stack_stays_one_label() -> None:
    """Quotes, line ends and lone surrogates."""
    text = render_metrics(Measures(stack=HOSTILE + '"} 1\nfake 2', command="plan", exit_code=0))
    text.encode()
    assert "fake" not in {name for name, *_ in samples(text)}


def test_two_runs_share_no_registry() -> None:
    """The same measures twice give the same text."""
    measures = Measures(stack="s", command="plan", exit_code=0)
    assert render_metrics(measures) == render_metrics(measures)


def test_without_the_extra_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody who does not ask for metrics needs the package."""
    for name in ("prometheus_client", "prometheus_client.parser"):
        monkeypatch.setitem(sys.modules, name, None)
    measures = measures_of(SNAPSHOT, command="plan", exit_code=1, now=AS_OF, duration=1)
    for needs in (lambda: render_metrics(measures), lambda: last_success_in("a 1", "plan")):
        with pytest.raises(CommandLineWrong) as refused:
            needs()
        assert refused.value.hint == "pip install '.[metrics]' in a checkout of this tool"
