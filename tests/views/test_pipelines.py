"""What pipelines read: annotations, step outputs, the merge request report."""

from __future__ import annotations

import json
import re
from collections.abc import Callable

import pytest

from reconcile.views.github import disarmed, output_lines, render_annotations
from reconcile.views.gitlab import render_gitlab_report
from reconcile.views.plan_document import encode, plan_document
from reconcile.views.plan_text import render_document
from reconcile.views.style import PLAIN
from tests.views.poison import CORPUS, crowd, poisoned
from tests.views.samples import all_changes, full_plan, plan_of

Golden = Callable[[str, str], None]
_COMMAND = re.compile(r"::(error|warning|notice) (?:file=[^,:]+,line=\d+,)?title=[^,:]+::.+")


def test_annotations_of_a_plan_with_everything_in_it(golden: Golden) -> None:
    """Errors for what refuses it, warnings for what cannot be undone."""
    golden("../golden_review/annotations.txt", render_annotations(plan_document(full_plan())))


@pytest.mark.parametrize("text", CORPUS, ids=range(len(CORPUS)))
def test_no_text_forges_an_annotation(text: str) -> None:
    """One command a line, as many as for harmless text, its properties ours."""
    lines = render_annotations(poisoned(text)).split("\n")
    assert len(lines) == len(render_annotations(poisoned("x")).split("\n"))
    assert all(_COMMAND.fullmatch(line) for line in lines[:-1]) and lines[-1] == ""


def test_at_most_ten_annotations_of_a_level() -> None:
    """More are not shown, so the tenth says how many there are."""
    lines = render_annotations(crowd(clear=50, trigger=5, report=9)).splitlines()
    assert len(lines) == 10 and sum("Runs a task" in line for line in lines) == 5
    assert lines[-1] == "::warning title=More in the plan::46 annotations more: read the plan itself"


def test_a_harmless_plan_has_no_annotation() -> None:
    """Reports and renewals are everyday life."""
    assert render_annotations(crowd(report=3, renew=2, update=1)) == ""


def test_outputs_of_a_step(golden: Golden) -> None:
    """For GitHub, and as a dotenv report."""
    document = plan_document(full_plan())
    text = output_lines(document, exit_code=2) + output_lines(document, exit_code=2, prefix="RECONCILE_")
    golden("../golden_review/outputs.txt", text)


def test_outputs_say_no_changes_for_renewals_and_deferrals() -> None:
    """The same rule as the detailed exit code."""
    quiet = plan_of(*(change for change in all_changes() if change.action in ("renew", "defer")))
    assert "changes=false\n" in output_lines(plan_document(quiet), exit_code=0)
    assert quiet.has_changes is False


@pytest.mark.parametrize("text", CORPUS, ids=range(len(CORPUS)))
def test_no_text_adds_an_output(text: str) -> None:
    """Five lines, whatever the plan holds."""
    lines = output_lines(poisoned(text), exit_code=0).splitlines()
    assert [line.partition("=")[0] for line in lines] == ["changes", "clears", "triggers", "plan_id", "exit_code"]


def test_the_merge_request_report_counts_three_things(golden: Golden) -> None:
    """Created, updated, deleted; nothing else is allowed in it."""
    text = render_gitlab_report(plan_document(full_plan()))
    golden("../golden_review/gitlab.json", text)
    assert json.loads(text) == {"create": 3, "update": 4, "delete": 1}
    assert json.loads(render_gitlab_report(plan_document(plan_of()))) == {"create": 0, "update": 0, "delete": 0}


def _obeyed(line: str) -> bool:
    """What the runner takes for a command: `::name ...::` after blanks, or `##[name ...]` anywhere."""
    return bool(re.match(r"\s*::[\w-]+.*::", line) or re.search(r"##\[[\w-]+.*\]", line))


@pytest.mark.parametrize("width", [40, 80, 100])
def test_a_log_holds_no_command_of_a_spec(width: int) -> None:
    """A long message is wrapped, so that any word of it can begin a line; the older form works anywhere in one."""
    hostile = poisoned(" a" * 7 + " ::stop-commands::x \u3000::add-mask::e ##[add-mask]e" * 9)
    text = render_document(hostile, style=PLAIN, width=width, full=True)
    assert any(_obeyed(line) for line in text.splitlines())
    assert not any(_obeyed(line) for line in disarmed(text).splitlines())


def test_disarmed_json_says_the_same_and_other_text_stays() -> None:
    """The escape is one of JSON's own; text without commands is not touched."""
    document = poisoned('##[group]x "##[endgroup]')
    assert json.loads(disarmed(encode(document))) == document
    assert "##[" not in disarmed(encode(document))
    calm = render_document(plan_document(full_plan()), style=PLAIN)
    assert disarmed(calm) == calm
