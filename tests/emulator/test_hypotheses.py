"""Where the documents are silent, the switch decides: what a repeat does, what identifies, what clears, when it shows."""

from __future__ import annotations

import pytest

from reconcile.emulator.desk import log_rows
from tests.emulator.bench import Bench, bench

HOUR = 3_600_000


def test_ids_are_decimal_text_beyond_what_a_float_holds() -> None:
    """So nobody may read them as numbers."""
    with bench() as b:
        b.push(b.event("a"), b.event("b"))
        ids = [row["id"] for row in b.active()]
        assert all(isinstance(id, str) and int(id) > 2**53 and id != str(int(float(id))) for id in ids)
        assert len(set(ids)) == 2


def test_repeat_update_moves_content_and_times_and_keeps_the_id() -> None:
    """The default: a report of the same alarm renews it in place."""
    with bench(repeat="update") as b:
        b.push(b.event(annotations={"message": "old"}))
        before = b.active()[0]
        b.shift(1000)
        b.push(b.event(metadata={"event_severity": "Minor", "team": "x"}, annotations={"message": "new"}, timeout=HOUR * 2))
        (after,) = b.active()
        assert after["id"] == before["id"]
        assert (after["annotations"]["message"], after["timeout"]) == ("new", 2 * HOUR)
        assert after["metadata"]["event_severity"] == "Minor"
        assert after["starts_at"] >= before["starts_at"] + 1000


def test_repeat_ignore_changes_nothing() -> None:
    """Neither content nor expiry moves."""
    with bench(repeat="ignore") as b:
        b.push(b.event())
        before = b.active()
        b.shift(1000)
        b.push(b.event(annotations={"message": "new"}, timeout=2 * HOUR))
        assert b.active() == before


def test_repeat_second_makes_a_twin() -> None:
    """Two active records for one alarm, within one batch too."""
    with bench(repeat="second") as b:
        b.push(b.event(), b.event())
        b.push(b.event())
        assert len({row["id"] for row in b.active()}) == 3


@pytest.mark.parametrize(("identity", "records"), [("core", 1), ("metadata", 2)])
def test_identity_is_the_core_or_all_metadata(identity: str, records: int) -> None:
    """A changed severity is an update of the core, and another alarm where all metadata counts."""
    with bench(identity=identity) as b:
        b.push(b.event())
        b.push(b.event(metadata={"event_severity": "Minor"}))
        assert len(b.active()) == records


def test_enterprise_projects_keep_alarms_apart() -> None:
    """The header is part of the identity, kept on the record and looked for by the listing."""
    with bench() as b:
        b.push(b.event(), enterprise_project_id="e1")
        b.push(b.event())
        everything = {"Enterprise-Project-Id": "all_granted_eps"}
        assert [r["enterprise_project_id"] for r in b.listed(headers=everything)[1]["events"]] == ["e1", "0"]
        assert [r["enterprise_project_id"] for r in b.active()] == ["0"]
        assert [r["enterprise_project_id"] for r in b.listed(headers={"Enterprise-Project-Id": "e1"})[1]["events"]] == ["e1"]
        assert b.push(b.event(), enterprise_project_id="all_granted_eps")[0] == 400


def test_clear_by_id_ends_the_record_of_that_id_alone() -> None:
    """A twin stays."""
    with bench(clear_by="id", repeat="second") as b:
        b.push(b.event(), b.event())
        first, second = b.active()
        assert b.clear(b.ending(id=first["id"]))[0] == 204
        assert [row["id"] for row in b.active()] == [second["id"]]


@pytest.mark.parametrize(("identity", "left"), [("core", 0), ("metadata", 1)])
def test_clear_by_metadata_ends_all_that_match(identity: str, left: int) -> None:
    """Twins go together; with all metadata as identity, the one with other metadata stays. The id says nothing."""
    with bench(clear_by="metadata", identity=identity, repeat="second") as b:
        b.push(b.event(), b.event(), b.event(metadata={"team": "x"}))
        b.clear(b.ending(id="1"))
        assert len(b.active()) == left


@pytest.mark.parametrize(("unknown_clear", "status"), [("accept", 204), ("refuse", 400)])
def test_a_clear_of_nothing_active_is_accepted_or_refused(unknown_clear: str, status: int) -> None:
    """By an unknown id and by unknown metadata."""
    with bench(unknown_clear=unknown_clear) as b:
        assert b.clear(b.ending(id="6775161208461480001"))[0] == status
        assert b.clear(b.ending(id="no number"))[0] == status
        assert b.clear(b.ending())[0] == status


def test_a_refused_clear_ends_nothing() -> None:
    """The alarm before the unknown one stays active, and the refused request is in the log."""
    with bench(unknown_clear="refuse") as b:
        b.push(b.event())
        assert b.clear(b.ending(id=b.active()[0]["id"]), b.ending(id="1"))[0] == 400
        assert len(b.active()) == 1
        assert [row["status"] for row in log_rows(b.desk.store, 0)] == [204, 200, 400, 200]


def test_a_cleared_alarm_is_history_with_the_instant_given() -> None:
    """And a report after it is a new record."""
    with bench() as b:
        b.push(b.event())
        id = b.active()[0]["id"]
        b.clear(b.ending(id=id, ends_at=1_763_713_600_000))
        assert b.active() == []
        (old,) = b.listed("type=history_alert")[1]["events"]
        assert (old["id"], old["ends_at"]) == (id, 1_763_713_600_000)
        b.push(b.event())
        assert b.active()[0]["id"] != id


@pytest.mark.parametrize(("expiry_from", "alive"), [("starts_at", False), ("arrival", True)])
def test_alarms_run_out_by_their_timeout(expiry_from: str, alive: bool) -> None:
    """Counted from starts_at, or from arrival; what ran out is history, ended when it ran out."""
    with bench(expiry_from=expiry_from) as b:
        event = b.event()
        event["starts_at"] -= HOUR // 2
        b.push(event)
        assert len(b.active()) == 1
        b.shift(HOUR // 2 + 1000)
        assert bool(b.active()) is alive
        b.shift(HOUR // 2)
        (old,) = b.listed("type=history_alert")[1]["events"]
        assert 0 < old["ends_at"] <= b.desk.now()


@pytest.mark.parametrize(("dialect", "days"), [("current", 15), ("legacy", 3), ("cn-2021", 3), ("any", 3)])
def test_the_default_timeout_is_the_documents(dialect: str, days: int) -> None:
    """15 days in the current one, 3 in the older; where nobody says, the shorter."""
    with bench(dialect=dialect) as b:
        event = b.event()
        del event["timeout"]
        b.push(event)
        assert b.active()[0]["timeout"] == days * 86_400_000


def test_a_lag_hides_report_update_and_clear_for_a_while() -> None:
    """Each change shows when its own lag is over, in the order in which they were made."""
    with bench(lag=10) as b:
        b.push(b.event(annotations={"message": "one"}))
        assert b.active() == []
        b.shift(5_000)
        b.push(b.event(annotations={"message": "two"}))
        assert b.active() == []
        b.shift(6_000)
        assert _messages(b) == ["one"]
        b.clear(b.ending(id=b.active()[0]["id"]))
        assert _messages(b) == ["one"]
        b.shift(5_000)
        assert _messages(b) == ["two"]
        assert b.listed("type=history_alert")[1]["events"] == []
        b.shift(6_000)
        assert b.active() == []
        assert len(b.listed("type=history_alert")[1]["events"]) == 1


def _messages(b: Bench) -> list[str]:
    return [row["annotations"]["message"] for row in b.active()]


def test_a_batch_with_one_alarm_twice_is_one_record() -> None:
    """The later report of a batch wins, as it would in a request of its own."""
    with bench() as b:
        b.push(b.event(annotations={"message": "one"}), b.event(annotations={"message": "two"}))
        assert _messages(b) == ["two"]


def test_metadata_comes_back_byte_for_byte() -> None:
    """Order, unicode, control characters and all."""
    with bench() as b:
        extra = {"z": "é\u0000\n\u2028", "a": "😀\\\"'", 'k"ey': "<b>"}
        b.push(b.event(metadata=extra, annotations={"deep": [1, {"n": None}]}, attach_rule={"r": 1}))
        (row,) = b.active()
        assert list(row["metadata"].items()) == list(b.event(metadata=extra)["metadata"].items())
        assert (row["annotations"], row["attach_rule"]) == ({"deep": [1, {"n": None}]}, {"r": 1})
