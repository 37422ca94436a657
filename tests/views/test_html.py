"""The page, read as text: its policy, that it needs nothing from elsewhere, and that no text in it becomes markup."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Callable
from html.parser import HTMLParser
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reconcile.model.desired import Desired
from reconcile.model.resources import Lifecycle
from reconcile.model.snapshot import Snapshot
from reconcile.views.html import render_html
from reconcile.views.markup import Markup, tag
from reconcile.views.page_rows import fields_of
from reconcile.views.page_script import SCRIPT
from reconcile.views.page_style import STYLE
from reconcile.views.plan_document import plan_document
from reconcile.views.timeline import spans_of
from reconcile.views.timeline_svg import words
from tests.views.poison import CORPUS, crowd, poisoned
from tests.views.samples import AS_OF, DAY, HOUR, alarm, declared, full_plan, handling, plan_of, recorded

Golden = Callable[[str, str], None]


class Page(HTMLParser):
    """The page as a browser takes it apart: elements, attributes, texts by element."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.skeleton: list[tuple[str, tuple[str, ...]]] = []
        self.attributes: list[tuple[str, str, str]] = []
        self.texts: dict[str, list[str]] = {}
        self.declarations: list[str] = []
        self.comments = 0
        self._open = ""
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._open = tag
        self.skeleton.append((tag, tuple(name for name, _ in attrs)))
        self.attributes += [(tag, name, value or "") for name, value in attrs]

    def handle_endtag(self, tag: str) -> None:
        self.skeleton.append(("/" + tag, ()))

    def handle_data(self, data: str) -> None:
        self.texts.setdefault(self._open, []).append(data)

    def handle_decl(self, decl: str) -> None:
        self.declarations.append(decl)

    def handle_comment(self, data: str) -> None:
        self.comments += 1

    def embedded(self) -> str:
        """The text that holds them."""
        return next(text for text in self.texts["script"] if text.startswith("{"))

    def rows(self) -> dict[str, Any]:
        """What is embedded for the script."""
        found = json.loads(self.embedded())
        assert isinstance(found, dict)
        return found


def test_the_page_of_a_plan_with_everything_in_it(golden: Golden) -> None:
    """Byte for byte; script and style stand in their own modules."""
    text = render_html(plan_document(full_plan())).replace(SCRIPT, "SCRIPT").replace(STYLE, "STYLE")
    text = re.sub(r"sha256-[\w+/]{43}=", "sha256-...", text)
    golden("../golden_review/plan.html", re.sub(r"(</(?:div|section|tr|li|g|rect|path|text|head|header)>)", r"\1\n", text))


def test_the_policy_lets_only_this_script_and_this_style_through() -> None:
    """By their hashes, and nothing else at all."""
    page = Page(render_html(plan_document(full_plan())))
    policy = next(value for tag, name, value in page.attributes if name == "content" and value.startswith("default-src"))
    hashes = {kind: base64.b64encode(hashlib.sha256(text.encode()).digest()).decode() for kind, text in _code(page).items()}
    assert policy.split("; ") == [
        "default-src 'none'",
        f"script-src 'sha256-{hashes['script']}'",
        f"style-src 'sha256-{hashes['style']}'",
        "base-uri 'none'",
        "form-action 'none'",
    ]


def _code(page: Page) -> dict[str, str]:
    return {"script": next(text for text in page.texts["script"] if "use strict" in text), "style": page.texts["style"][0]}


def test_nothing_on_the_page_leads_elsewhere() -> None:
    """Links stay on the page; no attribute, style or script names another place or could ask it."""
    page = Page(render_html(poisoned("https://evil.example/")))
    links = [value for _, name, value in page.attributes if name in ("href", "src", "action", "data", "srcset", "poster")]
    assert links and all(value.startswith("#") for value in links)
    assert not any(name.startswith("on") or name == "style" for _, name, _ in page.attributes)
    assert not re.search(r"url\(|@import|expression|https?:", STYLE)
    assert not re.search(
        r"fetch|XMLHttp|WebSocket|sendBeacon|import\(|eval|Function\(|innerHTML|outerHTML|document\.write", SCRIPT
    )


BENIGN = Page(render_html(poisoned("x")))


@pytest.mark.parametrize("text", CORPUS, ids=range(len(CORPUS)))
def test_hostile_text_adds_no_element_and_no_attribute(text: str) -> None:
    """The page has the same skeleton as for harmless text."""
    _same(Page(render_html(poisoned(text))))


@settings(max_examples=25)
@given(st.text(st.sampled_from("<>&\"'/!-=` \nascript\u202e\ud800"), min_size=1, max_size=40) | st.text(min_size=1, max_size=20))
def test_any_text_adds_no_element_and_no_attribute(text: str) -> None:
    """The same, for what nobody thought of."""
    _same(Page(render_html(poisoned(text))))


def _same(page: Page) -> None:
    assert page.skeleton == BENIGN.skeleton
    assert page.declarations == ["doctype html"] and page.comments == 0
    assert len(page.rows()["rows"]) == len(BENIGN.rows()["rows"])
    assert _code(page) == _code(BENIGN)
    assert page.embedded().isascii() and not set(page.embedded()) & set("<>&")


def test_the_page_can_be_encoded() -> None:
    """Lone surrogates and controls are visible escapes in it."""
    text = render_html(poisoned("\ud800\x1b\u202e\x00"))
    text.encode()
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]", text)


def test_every_change_is_embedded_with_both_sides() -> None:
    """Rows are numbers into one pool of texts: taken apart they give the plan again."""
    document = plan_document(full_plan())
    page = Page(render_html(document)).rows()
    changes = {(change["action"], change["address"]): change for change in document["changes"]}
    assert len(changes) == len(page["rows"]) == len(document["changes"])
    for row in page["rows"]:
        change = changes[page["actions"][row[0]][0], page["texts"][row[1]]]
        pairs = zip(row[7][::2], row[7][1::2], strict=True)
        found = {page["texts"][path]: pair for path, pair in zip(page["shapes"][row[6]], pairs, strict=True)}
        if change["before"] and change["after"]:
            field = "severity" if "severity" in found else "target"
            shown = [None if index < 0 else page["texts"][index] for index in found[field]]
            assert shown == [change[side][field] for side in ("before", "after")]
        assert all((old < 0) == (change["before"] is None) for old, _ in found.values() if not change["diff"])


def test_what_cannot_be_undone_is_listed_first() -> None:
    """In the list and in the filters alike; the plan's own order within an action."""
    document = plan_document(full_plan())
    text = render_html(document)
    page = Page(text).rows()
    listed = [(page["actions"][row[0]][0], page["texts"][row[1]]) for row in page["rows"]]
    actions = list(dict.fromkeys(action for action, _ in listed))
    assert actions == ["trigger", "clear", "replace", "update", "report", "adopt", "defer", "move", "forget", "renew"]
    assert re.findall(r'data-action="([a-z]+)"', text) == actions
    for action in actions:
        addresses = [row["address"] for row in document["changes"] if row["action"] == action]
        assert [address for name, address in listed if name == action] == addresses


def test_a_changed_secret_differs_in_words_only() -> None:
    """On both sides `(secret)`; neither value nor digest is anywhere."""
    rows = {row["address"]: row for row in plan_document(full_plan())["changes"]}
    assert ("annotations.token", "(secret)", "(secret) changed") in list(fields_of(rows["alarm.web-1-cpu-high"]))
    script = {path: new for path, _, new in fields_of(rows["handling.web-1-restart"])}["input_param.script_params"]
    assert "AGENT_TOKEN" not in str(script) and "(secret)" in str(script)


def test_many_changes_stay_small() -> None:
    """A hundred thousand rows share their texts, and the page draws few of them."""
    small, large = (len(render_html(crowd(report=count, renew=count))) for count in (200, 5_000))
    assert (large - small) / 9_600 < 250
    page = Page(render_html(crowd(renew=2_000, trigger=500)))
    assert sum(tag == "rect" for tag, _ in page.skeleton) < 400


def test_a_plan_without_changes_needs_no_script() -> None:
    """Its page says so."""
    text = render_html(plan_document(plan_of()))
    assert "<script" not in text and "No changes. 209 resources match the specs." in text


def test_markup_is_only_what_was_made_as_such() -> None:
    """Text is escaped on the way in, in texts and in attributes."""
    assert tag("p", "<b>", Markup("<i>"), title='"&', hidden=False, open=True) == '<p title="&quot;&amp;" open>&lt;b&gt;<i></p>'


def test_the_timeline_knows_when_alarms_run_out_and_are_renewed() -> None:
    """Renewed from now on; the renewal is due half a timeout, at most five days, before; a clear ends it."""
    document = plan_document(full_plan())
    spans = {span.address: span for span in spans_of(document)}
    queue = spans["alarm.queue-lag"]
    assert (queue.was, queue.ends, queue.due) == (AS_OF + 22 * 60_000, AS_OF + 5 * DAY, AS_OF + 5 * DAY // 2)
    assert words(queue, AS_OF) == ("in 5d", "in 22m", "in 2d 12h")
    assert 'alarm.gone["a b"]' not in spans and "alarm.web-4-cpu-high" not in spans
    assert next(iter(spans)) == "alarm.queue-lag"


def test_the_state_adds_what_the_plan_leaves_alone() -> None:
    """An unchanged alarm runs out when the state says, and is due by its own margin."""
    calm = alarm(lifecycle=Lifecycle(renew_before=HOUR))
    snapshot = Snapshot(resources={"alarm.calm": recorded(calm, expires_at=AS_OF + DAY), 'alarm.gone["a b"]': recorded(calm)})
    spans = {span.address: span for span in spans_of(plan_document(full_plan()), snapshot)}
    assert (spans["alarm.calm"].ends, spans["alarm.calm"].due) == (AS_OF + DAY, AS_OF + DAY - HOUR)
    assert 'alarm.gone["a b"]' not in spans


def test_the_specs_add_handlings_the_plan_leaves_alone() -> None:
    """The graph is then whole."""
    found = {a: declared(a, r) for a, r in (("alarm.calm", alarm()), ("handling.calm", handling(alarm="alarm.calm")))}
    assert "handling.calm" in render_html(plan_document(plan_of()), desired=Desired(found))
