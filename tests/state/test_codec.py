"""The state file's bytes: readable, versioned, refused when broken."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any
from unittest import mock

import pytest
from hypothesis import given, settings

from reconcile.errors import StateUnusable
from reconcile.model.snapshot import Snapshot
from reconcile.state.codec import decode, encode, encoded

from .samples import LINEAGE, VERSION, alarm, event, handling, intent, last_run, run
from .strategies import snapshots

GOLDEN = Path(__file__).parent / "golden"

STATES = {
    "empty": Snapshot(lineage=LINEAGE, tool_version=VERSION),
    "full": Snapshot(
        stack="payments-prod",
        lineage=LINEAGE,
        serial=41,
        resources={
            'alarm.disk["ecs-2"]': alarm(2, 'quote " back \\ line\nend, Straße, 告警, \U0001f525'),
            "handling.restart": handling(run(), run(None)),
            "alarm.disk": alarm(1),
            "event.deployed": event(),
        },
        pending={i.id: i for i in (intent("b", at=2), intent("a", at=3))},
        last_run=last_run(),
        tool_version=VERSION,
    ),
}


def load(content: bytes) -> Snapshot:
    return decode(content, where="state/default.json", tool_version=VERSION)


@pytest.mark.parametrize("name", STATES)
def test_the_bytes_of_a_state_are_the_golden_ones(name: str) -> None:
    """Format 1 stays as it is: states written years ago must be readable, and a diff of two states must be small."""
    golden = (GOLDEN / f"{name}.json").read_bytes()
    assert encode(STATES[name]) == golden
    assert load(golden) == STATES[name]
    assert encode(load(golden)) == golden


@given(snapshots)
@settings(deadline=None, max_examples=50)
def test_a_state_has_the_same_bytes_in_however_many_pieces(snapshot: Snapshot) -> None:
    """What is written piece by piece is what would be written at once."""
    whole = encode(snapshot)
    for size in (1, 2, 3):
        with mock.patch("reconcile.state.codec.PIECE", size):
            pieces = list(encoded(snapshot))
        assert b"".join(pieces) == whole
        assert len(pieces) == max(1, -(-len(snapshot.resources) // size))


def test_a_state_written_before_a_field_was_added_is_still_read() -> None:
    """Within one format fields are only added, with a default: `first.json` is never written anew."""
    assert load((GOLDEN / "first.json").read_bytes()) == STATES["full"]


@given(snapshots)
@settings(deadline=None, max_examples=150)
def test_what_is_written_reads_back_equal(snapshot: Snapshot) -> None:
    """decode(encode(x)) == x, also for hostile text, big numbers and half a surrogate pair."""
    content = encode(snapshot)
    assert load(content) == snapshot
    assert encode(load(content)) == content
    json.loads(content)


def test_a_key_that_a_later_tool_added_is_passed_over() -> None:
    """Unknown keys at the top do not make a file of the same format unreadable."""
    raw = json.loads((GOLDEN / "full.json").read_bytes())
    assert load(json.dumps({**raw, "novelty": [1]}).encode()) == STATES["full"]


def test_a_number_that_json_cannot_hold_is_never_written() -> None:
    """NaN in a record is refused before there are bytes."""
    bad = alarm().model_copy(update={"content": {"x": float("nan")}})
    with pytest.raises(ValueError, match="JSON compliant"):
        encode(replace(STATES["empty"], resources={"alarm.x": bad}))


def full(**changes: Any) -> bytes:
    raw = json.loads((GOLDEN / "full.json").read_bytes())
    for path, value in changes.items():
        *steps, last = path.split("__")
        inner = raw
        for step in steps:
            inner = inner[int(step)] if step.isdigit() else inner[step]
        if value is KeyError:
            del inner[last]
        else:
            inner[last] = value
    return json.dumps(raw).encode()


BROKEN = {
    "cut": ((GOLDEN / "full.json").read_bytes()[:300], "line 11, column"),
    "nothing": (b"", "line 1, column 1"),
    "zeros": (bytes(300), "line 1, column 1"),
    "other bytes": (b'{"stack": "\xff"}', "byte 11 is not UTF-8"),
    "not an object": (b"[1]", "no JSON object"),
    "a key twice": (b'{"format_version": 1, "serial": 1, "serial": 2}', 'the key "serial" stands twice'),
    "a key twice, deep": (
        b'{"format_version": 1, "resources": {"alarm.a": {}, "alarm.a": {}}}',
        'the key "alarm.a" stands twice',
    ),
    "NaN": (b'{"format_version": 1, "serial": NaN}', "NaN is not JSON"),
    "deep": (b"[" * 100_000, "recursion"),
    "no version": (full(format_version=KeyError), "format_version: Field required"),
    "old version": (full(format_version=0), "format_version: Input should be 1"),
    "text as version": (full(format_version="1"), "format_version: Input should be 1"),
    "no lineage": (full(lineage=None), "lineage: Input should be a valid string"),
    "empty lineage": (full(lineage=""), "lineage: String should have at least 1"),
    "serial as text": (full(serial="41"), "serial: Input should be a valid integer"),
    "serial true": (full(serial=True), "serial: Input should be a valid integer"),
    "negative serial": (full(serial=-1), "serial: Input should be greater than or equal to 0"),
    "resources a list": (full(resources=[]), "resources: Input should be a valid dictionary"),
    "pending missing": (full(pending=KeyError), "pending: Field required"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_state_is_refused_with_what_and_where(name: str) -> None:
    """No guess, no default: exit 1, the place in the file, and the file named."""
    content, words = BROKEN[name]
    with pytest.raises(StateUnusable) as caught:
        load(content)
    assert words in caught.value.message
    assert (caught.value.where, caught.value.exit_code) == ("state/default.json", 1)


def broken_record(change: dict[str, Any]) -> bytes:
    raw = json.loads((GOLDEN / "full.json").read_bytes())
    raw["resources"]["alarm.disk"].update(change)
    return json.dumps(raw).encode()


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"novelty": 1}, "resources.alarm.disk.alarm.novelty: Extra inputs"),
        ({"starts_at": 1.5}, "resources.alarm.disk.alarm.starts_at: Input should be a valid integer"),
        ({"kind": "alert"}, "resources.alarm.disk: Input tag 'alert'"),
        ({"metadata": {"a": 1}}, "resources.alarm.disk.alarm.metadata.a: Input should be a valid string"),
    ],
)
def test_a_broken_record_is_named_by_its_address(change: dict[str, Any], words: str) -> None:
    """Types are strict inside records too."""
    with pytest.raises(StateUnusable) as caught:
        load(broken_record(change))
    assert words in caught.value.message


def test_an_address_of_another_kind_than_its_record_is_refused() -> None:
    """An alarm's record under an event's address is not a state we wrote."""
    raw = json.loads((GOLDEN / "full.json").read_bytes())
    raw["resources"]["event.x"] = raw["resources"]["alarm.disk"]
    with pytest.raises(StateUnusable, match="holds a record of kind 'alarm'"):
        load(json.dumps(raw).encode())


def test_one_intent_twice_is_refused() -> None:
    """The ids of open intents are unique."""
    raw = json.loads((GOLDEN / "full.json").read_bytes())
    raw["pending"] *= 2
    with pytest.raises(StateUnusable, match="one id twice"):
        load(json.dumps(raw).encode())


def test_a_newer_format_is_refused_naming_both_versions() -> None:
    """Whoever sees it knows which version to install."""
    with pytest.raises(StateUnusable) as caught:
        load(b'{"format_version": 2, "tool_version": "12.0.0", "whatever": 1}')
    assert "format 2, written by reconcile 12.0.0; this is reconcile 9.9.9, which reads format 1" in caught.value.message
