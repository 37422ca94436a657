"""The comment for review: its bytes, its budget, and that no text in it becomes markup."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from markdown_it.token import Token

from reconcile.views.commonmark import Purse, code, fence, marker
from reconcile.views.markdown import LEAST_BYTES, render_markdown
from reconcile.views.plan_document import plan_document
from tests.views.poison import CORPUS, crowd, poisoned
from tests.views.samples import all_changes, full_plan, plan_of

Golden = Callable[[str, str], None]
_MARKER = re.compile(r"<!-- reconcile:plan stack=[A-Za-z0-9_.~%-]* -->\n?")


def test_the_comment_of_a_plan_with_everything_in_it(golden: Golden) -> None:
    """Dangers, counts, the list, the details, the foot."""
    golden("../golden_review/plan.md", render_markdown(plan_document(full_plan()), saved_to="plan.json"))


def test_a_plan_without_changes_is_short(golden: Golden) -> None:
    """Renewals alone are no reason for a table."""
    renewal = next(change for change in all_changes() if change.action == "renew")
    text = render_markdown(plan_document(plan_of(renewal))) + render_markdown(plan_document(plan_of()))
    golden("../golden_review/unchanged.md", text)
    assert "|" not in text and "diff" not in text


def test_the_marker_is_first_and_names_the_stack() -> None:
    """A pipeline finds its comment by the first line; names never end the comment early, and long ones stay different."""
    assert render_markdown(plan_document(plan_of())).startswith("<!-- reconcile:plan stack=payments-prod -->\n")
    assert marker("plan", "a -->\n b") == "<!-- reconcile:plan stack=a%20--%3E%0A%20b -->"
    long = [marker("plan", "x" * 500 + tail) for tail in "ab"]
    assert len(set(long)) == 2 and max(map(len, long)) < 200


def _tokens(text: str) -> list[Token]:
    parser = MarkdownIt("commonmark").enable(["table", "strikethrough"])
    return [part for token in parser.parse(text) for part in (token, *(token.children or ()))]


def _skeleton(text: str) -> list[tuple[str, str, object]]:
    """Everything a renderer would read as markup or prose: what stands in code only counts its lines."""
    found: list[tuple[str, str, object]] = []
    for token in _tokens(text):
        match token.type:
            case "code_inline" | "inline":
                found.append((token.type, token.tag, None))
            case "fence":
                found.append((token.type, token.info, token.content.count("\n")))
            case "html_block" if _MARKER.fullmatch(token.content):
                found.append((token.type, "marker", None))
            case _:
                found.append((token.type, token.tag, token.content))
    return found


BENIGN = _skeleton(render_markdown(poisoned("x"), max_bytes=10**6, saved_to="plan.json"))


@pytest.mark.parametrize("text", CORPUS, ids=range(len(CORPUS)))
def test_hostile_text_changes_nothing_but_code(text: str) -> None:
    """The page outside code spans and fences is the same as for harmless text: no link, tag, mention, heading or row more."""
    assert _skeleton(render_markdown(poisoned(text), max_bytes=10**6, saved_to="plan.json")) == BENIGN


@settings(max_examples=40)
@given(
    st.text(st.sampled_from("`~<>!-[]()@#|\\&*_:/ \n\r\tax\u202e\u2028\ud800"), min_size=1, max_size=30)
    | st.text(min_size=1, max_size=30)
)
def test_any_text_changes_nothing_but_code(text: str) -> None:
    """The same, for what nobody thought of."""
    assert _skeleton(render_markdown(poisoned(text), max_bytes=10**6, saved_to="plan.json")) == BENIGN


@given(st.text(st.sampled_from("`a \\\n")))
def test_a_code_span_shows_its_text_and_ends(text: str) -> None:
    """Whatever runs of backticks are in it."""
    children = MarkdownIt("commonmark").parse(f"before {code(text)} after")[1].children or []
    assert [child.type for child in children] == ["text", "code_inline", "text"]


@given(st.lists(st.text(st.sampled_from("`~a ")), max_size=4))
@example(["```"])
@example(["a", "`````", "b"])
def test_a_fence_is_longer_than_any_run_inside(lines: list[str]) -> None:
    """It holds all of its lines, and what follows is outside."""
    tokens = MarkdownIt("commonmark").parse(fence(lines) + "\n\nafter")
    assert tokens[0].type == "fence" and tokens[0].content.rstrip("\n") == "\n".join(lines).rstrip("\n")
    assert tokens[2].content == "after"


@settings(max_examples=25)
@given(st.integers(LEAST_BYTES, 90_000), st.sampled_from(CORPUS))
def test_the_comment_never_exceeds_its_budget(most: int, text: str) -> None:
    """Neither with many rows nor with hostile ones; and every section it opens is closed."""
    for document in (LARGE, poisoned(text), poisoned("\U0001f600" * 5_000)):
        rendered = render_markdown(document, max_bytes=most, saved_to="plan-" + "\U0001f600" * 300)
        assert len(rendered.encode()) <= most
        assert rendered.count("\n<details>") == rendered.count("\n</details>\n")
        assert rendered.endswith("</sub>\n")


LARGE = crowd(report=3_000, update=400, clear=150, trigger=40, replace=30)


def _sections(text: str) -> set[str]:
    return set(re.findall(r"<summary>([^(]*) \(", text))


def test_reports_lose_their_fields_first_then_updates_and_clears_stay() -> None:
    """The order in which details are given up as the room shrinks."""
    gone: list[str] = []
    for most in range(2_000_000, 40_000, -40_000):
        text = render_markdown(LARGE, max_bytes=most)
        left = _sections(text)
        gone += sorted({"New alarms and events in full", "Changed fields", "What the tasks are given"} - left - set(gone))
        assert all(row["address"] in text for row in LARGE["changes"] if row["action"] in ("clear", "trigger")), most
    assert gone == ["New alarms and events in full", "Changed fields", "What the tasks are given"]


def test_it_says_how_much_was_left_out() -> None:
    """In numbers, and where to find the rest."""
    text = render_markdown(LARGE, saved_to="plan.json")
    found = re.search(r"Left out, so that the comment fits: ([\d,]+) lines of the list; the fields of 40 tasks; ", text)
    listed = sum(1 for row in LARGE["changes"] if row["address"] + " " in text)
    assert found and int(found[1].replace(",", "")) == len(LARGE["changes"]) - listed
    assert "the fields of 3,000 reports. All of it: `reconcile show --full plan.json`" in text


def test_clears_that_do_not_fit_are_named_loudly() -> None:
    """A hundred thousand clears fit no comment: then it says that clears are missing."""
    text = render_markdown(crowd(clear=100_000))
    assert len(text.encode()) <= 60_000 and re.search(r"\*\*[\d,]+ of them clears or tasks\*\*", text)
    assert "**100,000 clears**" in text


def test_a_budget_that_holds_nothing_is_refused() -> None:
    """Below the least there is no honest comment."""
    with pytest.raises(ValueError, match="4,000"):
        render_markdown(LARGE, max_bytes=100)


def test_no_secret_template_and_no_changed_secret_is_spelled_out() -> None:
    """A changed secret is a word."""
    text = render_markdown(plan_document(full_plan()))
    assert "annotations.token  (secret) changed" in text


def test_a_purse_that_was_closed_stays_closed() -> None:
    """Nothing of less importance slips in after something that did not fit."""
    purse = Purse(10)
    assert [list(purse.buy(blocks)) for blocks in (["1234"], ["too long for it"], ["1"])] == [["1234"], [], []]


def test_the_list_shows_a_destroy_plan_as_such() -> None:
    """The heading says it."""
    document: dict[str, Any] = plan_document(plan_of(all_changes()[-1], destroy=True))
    assert "### Destroy plan for `payments-prod`: 1 change, **1 clear**" in render_markdown(document)
