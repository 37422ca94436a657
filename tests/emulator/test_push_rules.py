"""Every rule of the three AOM documents on a push, in their spelling."""

from __future__ import annotations

from typing import Any

import pytest

from tests.emulator.bench import JSON, PROJECT, bench

DAY = 86_400_000
LONG = "x" * 2049
MANY = {f"k{n}": "v" for n in range(31)}
ALL = ("any", "current", "legacy", "cn-2021")
OLD = ("legacy", "cn-2021")

REFUSED: list[tuple[str, tuple[str, ...], dict[str, Any]]] = [
    ("a metadata that is missing", ALL, {"metadata": None}),
    ("metadata values that are not text", ALL, {"plus": {"team": 7}}),
    ("an empty metadata value", ("current",), {"plus": {"team": ""}}),
    ("a metadata value of 2,049 characters", ("current",), {"plus": {"team": LONG}}),
    ("more than 30 metadata keys", OLD, {"plus": MANY}),
    ("a severity that is not one of four", ALL, {"plus": {"event_severity": "major"}}),
    ("an event type that is neither alarm nor event", ALL, {"plus": {"event_type": "Alarm"}}),
    ("a timeout of nothing", ALL, {"timeout": 0}),
    ("a timeout that is text", ALL, {"timeout": "60000"}),
    ("a timeout that is a fraction", ALL, {"timeout": 60000.0}),
    ("a timeout that is a truth", ALL, {"timeout": True}),
    ("a timeout over 15 days", ("current",), {"timeout": 15 * DAY + 1}),
    ("a starts_at that is text", ALL, {"starts_at": "now"}),
    ("a negative ends_at", ALL, {"ends_at": -1}),
    ("a report without starts_at", ("current",), {"starts_at": None}),
    ("annotations that are a list", ALL, {"annotations": []}),
    ("annotations that hold more than text", ("legacy",), {"annotations": {"n": 1}}),
    ("more than 30 annotations", ("cn-2021",), {"annotations": MANY}),
    ("an attach_rule", OLD, {"attach_rule": {}}),
    ("an attach_rule that is no object", ("any", "current"), {"attach_rule": "x"}),
    ("an id", OLD, {"id": "1"}),
    ("a resource_group_id", ("current", "legacy"), {"resource_group_id": "g"}),
    ("a field nobody knows", ALL, {"severity": "Major"}),
]
ALLOWED: list[tuple[str, tuple[str, ...], dict[str, Any]]] = [
    ("a metadata value of 2,048 characters", ALL, {"plus": {"team": LONG[1:]}}),
    ("long values", OLD, {"plus": {"team": LONG}}),
    ("30 metadata keys", OLD, {"plus": dict(list(MANY.items())[:24])}),
    ("more than 30 metadata keys", ("any", "current"), {"plus": MANY}),
    ("a timeout of 15 days", ALL, {"timeout": 15 * DAY}),
    ("a timeout of 16 days", OLD, {"timeout": 16 * DAY}),
    ("no timeout", ALL, {"timeout": None}),
    ("no starts_at", ("any", *OLD), {"starts_at": None}),
    ("blank annotations", ALL, {"annotations": None}),
    ("annotations of any kind", ("any", "current", "cn-2021"), {"annotations": {"n": {"deep": [1, None]}}}),
    ("an attach_rule", ("any", "current"), {"attach_rule": {}}),
    ("a resource_group_id", ("any", "cn-2021"), {"resource_group_id": "g"}),
    ("an ends_at on a report, as two of the examples have it", ALL, {"ends_at": 1_579_420_868_000}),
]


def _changed(event: dict[str, Any], change: dict[str, Any]) -> dict[str, Any]:
    metadata = event["metadata"] | change.get("plus", {})
    rest = {name: value for name, value in change.items() if name != "plus"}
    return {name: value for name, value in (event | {"metadata": metadata} | rest).items() if value is not None}


@pytest.mark.parametrize(("what", "dialects", "change"), REFUSED, ids=[f"{w}-{d[0]}" for w, d, _ in REFUSED])
def test_what_a_document_forbids_is_a_400(what: str, dialects: tuple[str, ...], change: dict[str, Any]) -> None:
    """Each rule binds in the dialects named, and only the event that breaks it is to blame."""
    for dialect in dialects:
        with bench(dialect=dialect) as b:
            status, body = b.push(_changed(b.event(), change))
            assert (status, body["error_code"], body["error_type"]) == (400, "AOM.0400", "SC_BAD_REQUEST"), (what, dialect)
            assert b.active() == []


@pytest.mark.parametrize(("what", "dialects", "change"), ALLOWED, ids=[f"{w}-{d[0]}" for w, d, _ in ALLOWED])
def test_what_no_document_forbids_is_taken(what: str, dialects: tuple[str, ...], change: dict[str, Any]) -> None:
    """The bounds themselves, and what only another dialect forbids."""
    for dialect in dialects:
        with bench(dialect=dialect) as b:
            status, _ = b.push(_changed(b.event(), change))
            assert status == (200 if dialect == "cn-2021" else 204), (what, dialect)


@pytest.mark.parametrize(
    "name", ["event_name", "event_severity", "event_type", "resource_provider", "resource_type", "resource_id"]
)
def test_each_mandatory_metadata_key_is_missed(name: str) -> None:
    """The error speaks of metadata, as the live API does."""
    for dialect in ALL:
        with bench(dialect=dialect) as b:
            event = b.event()
            del event["metadata"][name]
            status, body = b.push(event)
            assert status == 400
            assert "metadata is invalid" in (body.get("error_msg") or body["error_message"])


@pytest.mark.parametrize(
    "body",
    [b"", b"[]", b"{", b'{"events":[]}', b'{"events":{}}', b'{"events":[1]}', b'{"events":[{}],"x":1}', b"\xff",
     b'{"events":[],"events":[]}', b'{"events":[{"starts_at":NaN}]}', b'{"events":[{"starts_at":' + b"9" * 5000 + b"}]}",
     b'{"events":' + b"[" * 100_000,
     b'{"events":[{"metadata":{"event_name":"\\ud800"}}]}'],
)  # fmt: skip
def test_a_body_that_is_no_push_is_a_400(body: bytes) -> None:
    """Empty, broken, of the wrong shape, with duplicate keys, with numbers that are none."""
    with bench() as b:
        assert b.call("PUT", f"/v2/{PROJECT}/push/events", body)[0] == 400


def test_the_400_is_spelled_as_each_edition_has_it() -> None:
    """Only the current document has a trace id; the old page says error_message."""
    keys = {}
    for dialect in ALL:
        with bench(dialect=dialect) as b:
            keys[dialect] = set(b.push({})[1])
    assert keys["current"] == keys["any"] == {"error_code", "error_msg", "error_type", "trace_id"}
    assert keys["legacy"] == {"error_code", "error_message", "error_type"}
    assert keys["cn-2021"] == {"error_code", "error_msg", "error_type"}


def test_a_push_must_say_that_it_is_json() -> None:
    """Content-Type is mandatory; a charset beside it is fine."""
    with bench() as b:
        target, body = f"/v2/{PROJECT}/push/events", {"events": [b.event()]}
        assert b.call("PUT", target, body, {})[0] == 400
        assert b.call("PUT", target, body, {"content-type": "text/plain"})[0] == 400
        assert b.call("PUT", target, body, {"Content-Type": "application/json;charset=UTF-8"})[0] == 204


def test_one_bad_event_refuses_the_whole_batch() -> None:
    """Nothing of a refused batch is kept."""
    with bench() as b:
        assert b.push(b.event("a"), b.event("b", timeout=0), b.event("c"))[0] == 400
        assert b.active() == []


def test_post_is_a_push_in_the_2021_document_only() -> None:
    """The other two know PUT alone."""
    with bench(dialect="cn-2021") as b:
        assert b.push(b.event(), method="POST")[0] == 200
    for dialect in ("current", "legacy"):
        with bench(dialect=dialect) as b:
            assert b.push(b.event(), method="POST")[0] == 405


def test_any_other_action_reports() -> None:
    """A typo in the action raises an alarm, as the documents say."""
    with bench() as b:
        assert b.push(b.event(), query="action=claer")[0] == 204
        assert len(b.active()) == 1


def test_a_clear_says_when_and_in_the_current_document_whom() -> None:
    """ends_at and metadata everywhere; the id where the document wants it."""
    for dialect in ALL:
        with bench(dialect=dialect) as b:
            b.push(b.event())
            assert b.clear(b.ending(ends_at=0))[0] == 400
            assert b.clear({"ends_at": b.desk.now()})[0] == 400
            assert (b.clear(b.ending())[0] == 400) is (dialect == "current")


def test_an_event_cannot_be_cleared() -> None:
    """Clearing works on alarms only."""
    with bench() as b:
        kind = {"event_type": "event"}
        assert b.push(b.event(metadata=kind))[0] == 204
        status, body = b.clear(b.ending(metadata=kind))
        assert (status, body["error_msg"]) == (400, "an event cannot be cleared")


def test_a_batch_may_be_bounded_and_an_event_poisoned() -> None:
    """413 beyond the bound, 400 for the poisoned one: what splitting a batch is tested with."""
    with bench(max_batch=2, refuse=["bad-*"]) as b:
        assert b.push(*[b.event(str(n)) for n in range(3)])[0] == 413
        assert b.push(b.event("a"), b.event("b", metadata={"resource_id": "bad-1"}))[0] == 400
        assert b.push(b.event("a"))[0] == 204


def test_a_body_over_12_mb_is_a_413() -> None:
    """The gateway's bound."""
    with bench() as b:
        assert b.call("PUT", f"/v2/{PROJECT}/push/events", b" " * (12 * 1024 * 1024 + 1), JSON)[0] == 413
