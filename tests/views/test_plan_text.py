"""The plan as people read it."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest

from reconcile.model.change import Renew, Report
from reconcile.views.inert import cells
from reconcile.views.plan_document import encode, plan_document, read_document
from reconcile.views.plan_text import MOST_ROWS, render_document, render_plan
from reconcile.views.style import PLAIN, Style
from tests.views.samples import HOSTILE, alarm, all_changes, base, declared, full_plan, plan_of, recorded

Golden = Callable[[str, str], None]


@pytest.mark.parametrize("width", [80, 120])
def test_a_plan_with_everything_in_it(golden: Golden, width: int) -> None:
    """What is refused or unknown comes first, the summary last."""
    golden(f"plan-{width}.txt", render_plan(full_plan(), style=PLAIN, width=width, saved_to="plan.json"))


def test_a_plan_in_full(golden: Golden) -> None:
    """`--full` shows every field and every renewal."""
    golden("plan-full.txt", render_plan(full_plan(), style=PLAIN, width=100, full=True))


def test_a_plan_in_colour(golden: Golden) -> None:
    """The same text, painted."""
    painted = render_plan(full_plan(), style=Style(True), width=100)
    golden("plan-colour.txt", painted)
    assert re.sub(r"\x1b\[[0-9;]*m", "", painted) == render_plan(full_plan(), style=PLAIN, width=100)


def test_a_saved_plan_reads_like_a_fresh_one() -> None:
    """`show PLANFILE` gives the bytes that `plan` gave."""
    plan = full_plan()
    saved = read_document(encode(plan_document(plan)).encode())
    for full in (False, True):
        assert render_document(saved, style=PLAIN, full=full) == render_plan(plan, style=PLAIN, full=full)


@pytest.mark.parametrize(
    ("changes", "unchanged", "last"),
    [
        ((), 12, "No changes. 12 resources match the specs."),
        ((), 1, "No changes. 1 resource matches the specs."),
        (all_changes()[-2:-1], 3, "No changes. 3 resources match the specs. 1 deferred."),
        (all_changes()[8:9], 3, "Plan: 1 to renew."),
    ],
)
def test_the_last_line_is_the_summary(changes: tuple[Report, ...], unchanged: int, last: str) -> None:
    """One line that says what happens."""
    assert render_plan(plan_of(*changes, unchanged=unchanged), style=PLAIN).splitlines()[-1] == last


def test_nothing_a_spec_or_server_wrote_reaches_the_terminal_alive() -> None:
    """A hostile text in every place a text can stand: no control but our line ends, and no forged summary line."""
    hostile = Report(
        **base(f'alarm.x["{HOSTILE}"]', HOSTILE, HOSTILE, note=HOSTILE, moved_from=HOSTILE),
        after=declared("alarm.x", alarm(message=HOSTILE, annotations={HOSTILE: HOSTILE})),
    )
    plan = plan_of(hostile, stack=HOSTILE, notes=(HOSTILE,), pending=full_plan().pending, drift=full_plan().drift)
    for full in (False, True):
        text = render_plan(plan, style=PLAIN, full=full, saved_to=HOSTILE)
        assert [character for character in text if not character.isprintable() and character != "\n"] == []
        assert not any(line.startswith("Plan: 0") for line in text.splitlines())


@pytest.mark.parametrize("width", [80, 120])
def test_addresses_are_never_cut_and_lines_fit_where_they_can(width: int) -> None:
    """A long address stands whole on its line; what can be wrapped is."""
    address = f"alarm.{'x' * 120}"
    long_one = Report(**base(address, "new"), after=declared(address, alarm(message="word " * 60)))
    lines = render_plan(plan_of(long_one), style=PLAIN, width=width).splitlines()
    assert any(line.endswith(address) for line in lines)
    assert all(cells(line) <= width for line in lines if address not in line)


def test_the_closing_lines_fit_a_narrow_terminal_and_stay_whole_elsewhere() -> None:
    """Pipelines read the last line; a command to copy is never broken."""
    saved = "build/plans/of/the/night/plan-of-the-payments-stack.json"
    lines = render_plan(full_plan(), style=PLAIN, width=80, saved_to=saved).splitlines()
    assert lines[-4:-2] == [f"Saved to {saved}.", f"Apply exactly this:  reconcile apply {saved}"]
    assert lines[-2].startswith("Plan: 3 to report") and max(map(len, lines[-2:])) <= 80
    last = render_plan(full_plan(), style=PLAIN).splitlines()[-1]
    assert last == " ".join(lines[-2:]) and len(last) > 100


def test_a_huge_plan_stays_readable() -> None:
    """At most so many rows a group, with the count of what was cut; in full all of them."""
    report = Report(**base("alarm.web", "new"), after=declared("alarm.web", alarm()))
    plan = plan_of(*[report] * 5_000, unchanged=0)
    short = render_plan(plan, style=PLAIN)
    assert short.count("report   alarm.web") == MOST_ROWS
    assert "... and 4,800 more" in short
    assert short.endswith("\nPlan: 5,000 to report.\n")
    assert render_plan(plan, style=PLAIN, full=True).count("report   alarm.web") == 5_000


def test_a_secret_shows_as_a_word() -> None:
    """A template of a secret is masked in full views, inside lists too."""
    full = render_plan(plan_of(*all_changes()), style=PLAIN, full=True)
    assert "secret.env" not in full
    assert '"paramValue": "(secret)"' in full


def test_renewals_are_one_line() -> None:
    """How many, and when the first runs out."""
    renew = Renew(**base("alarm.a", "expires soon"), after=declared("alarm.a", alarm()), before=recorded(alarm()))
    text = render_plan(plan_of(renew, renew, renew), style=PLAIN)
    assert "  @   renew    3 alarms, the first expires in 22m\n" in text
