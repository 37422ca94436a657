"""ListEvents: what it refuses, what it finds, and how it turns pages."""

from __future__ import annotations

import time
from typing import Any

import pytest

from tests.emulator.bench import PROJECT, Bench, bench


def _names(page: dict[str, Any]) -> list[str]:
    return [row["metadata"]["event_name"] for row in page["events"]]


def _fill(b: Bench, *names: str, **metadata: str) -> None:
    b.push(*[b.event(name, metadata=metadata) for name in names])


@pytest.mark.parametrize(
    "body",
    [{"time_range": None}, {"time_range": 60}, {"time_range": "-1.-1"}, {"time_range": "-1.-1.0"}, {"time_range": "-2.-1.5"},
     {"time_range": "-1.-1.1441"}, {"time_range": "-1.-1.21600"}, {"time_range": "-1.-1.21600", "step": 899_999},
     {"time_range": "100.99.5"}, {"time_range": "0.600000.8"}, {"step": 0}, {"step": "60000"}, {"step": True}, {"search": 1},
     {"sort": {}}, {"sort": {"order_by": ["starts_at"], "order": "up"}}, {"sort": {"order_by": "starts_at"}},
     {"metadata_relation": {}}, {"metadata_relation": [{"value": ["x"]}]}, {"metadata_relation": [{"key": "a", "value": "x"}]},
     {"metadata_relation": [{"key": "a", "value": ["x"], "relation": "XOR"}]}, {"unknown": 1},
     {"metadata_relation": [{"key": "a", "value": [1]}]}, {"metadata_relation": [{"key": "a", "value": []}]}],
)  # fmt: skip
def test_a_query_that_breaks_a_rule_is_a_400(body: dict[str, Any]) -> None:
    """The three-part range, minutes * 60 / step <= 1440, and the shapes of sort and metadata_relation."""
    with bench() as b:
        status, answer = b.listed(**body)
        assert (status, answer["error_code"]) == (400, "AOM.0400")


@pytest.mark.parametrize("query", ["limit=0", "limit=1001", "limit=x", "limit=-1", "marker=x", "marker=-1"])
def test_a_limit_or_marker_out_of_bounds_is_a_400(query: str) -> None:
    """The limit is 1 to 1,000, a marker is one that was given."""
    with bench() as b:
        assert b.listed(query)[0] == 400


@pytest.mark.parametrize("body", [{"time_range": "-1.-1.1440"}, {"time_range": "-1.-1.21600", "step": 900_000}])
def test_a_long_window_needs_a_step(body: dict[str, Any]) -> None:
    """A day without one; fifteen with a quarter of an hour."""
    with bench() as b:
        assert b.listed(**body)[0] == 200


def test_the_three_types_of_listing() -> None:
    """Active alarms, past alarms, and with any other type everything, events included."""
    with bench() as b:
        _fill(b, "a", "b")
        _fill(b, "e", event_type="event")
        b.clear(b.ending("a", id=b.active()[0]["id"]))
        assert _names(b.listed("type=active_alert")[1]) == ["b"]
        assert _names(b.listed("type=history_alert")[1]) == ["a"]
        assert _names(b.listed("")[1]) == _names(b.listed("type=x")[1]) == ["a", "b", "e"]


@pytest.mark.parametrize(
    ("relations", "found"),
    [
        ([("AND", "event_name", ["a", "b"])], ["a", "b"]),
        ([("AND", "event_name", ["a", "b"]), ("AND", "team", ["y"])], ["b"]),
        ([("NOT", "team", ["x"])], ["b", "c"]),
        ([("OR", "event_name", ["a"]), ("OR", "team", ["y"])], ["a", "b"]),
        ([("AND", "team", ["x", "y"]), ("NOT", "event_name", ["b"])], ["a"]),
        ([("AND", "none", ["x"])], []),
    ],
)
def test_relations_of_metadata(relations: list[tuple[str, str, list[str]]], found: list[str]) -> None:
    """Any of the values of an entry; all AND, no NOT, at least one OR; custom keys are keys like others."""
    with bench() as b:
        _fill(b, "a", team="x")
        _fill(b, "b", team="y")
        _fill(b, "c")
        entries = [{"relation": r, "key": k, "value": v} for r, k, v in relations]
        assert _names(b.listed(metadata_relation=entries)[1]) == found


def test_search_is_a_part_of_any_value_in_any_case() -> None:
    """And wildcards of SQL are plain characters."""
    with bench() as b:
        _fill(b, "CPU usage", "50% full")
        assert _names(b.listed(search="cpu")[1]) == ["CPU usage"]
        assert _names(b.listed(search="%")[1]) == ["50% full"]


def test_the_range_is_laid_on_starts_at_or_on_arrival() -> None:
    """An alarm reported with an old starts_at is outside a short window, unless arrival counts."""
    with bench() as b:
        old = b.event("old", timeout=10 * 3_600_000)
        old["starts_at"] -= 2 * 3_600_000
        b.push(old)
        now = b.desk.now()
        assert _names(b.listed(time_range="-1.-1.60")[1]) == []
        assert _names(b.listed(time_range=f"{old['starts_at']}.-1.121")[1]) == ["old"]
        assert _names(b.listed(time_range=f"{old['starts_at']}.{now}.121")[1]) == ["old"]
        assert _names(b.listed(time_range=f"-1.{old['starts_at']}.10")[1]) == ["old"]
        assert _names(b.listed(time_range=f"-1.{old['starts_at'] - 1}.10")[1]) == []
    with bench(range_on="arrives_at") as b:
        old["starts_at"] = b.desk.now() - 2 * 3_600_000
        b.push(old)
        assert _names(b.listed(time_range="-1.-1.60")[1]) == ["old"]


@pytest.mark.parametrize("sort", [{}, {"sort": {"order_by": ["event_name"], "order": "desc"}}, {"sort": {"order_by": ["id"]}}])
def test_pages_show_every_record_once(sort: dict[str, Any]) -> None:
    """Whatever the order; the last page has no next marker."""
    with bench() as b:
        _fill(b, *[f"n{k:02}" for k in range(25)])
        seen, marker, pages = [], "0", 0
        while marker is not None:
            _, page = b.listed(f"type=active_alert&limit=10&marker={marker}", **sort)
            seen += _names(page)
            assert page["page_info"]["current_count"] == len(page["events"])
            marker, pages = page["page_info"]["next_marker"], pages + 1
        assert pages == 3
        assert sorted(seen) == [f"n{k:02}" for k in range(25)]
        if sort.get("sort", {}).get("order") == "desc":
            assert seen == sorted(seen, reverse=True)


def test_old_editions_answer_everything_at_once() -> None:
    """No page_info, limit and marker have no meaning."""
    with bench(page_info=False) as b:
        _fill(b, *[str(k) for k in range(12)])
        status, page = b.listed("limit=5&marker=7")
        assert (status, set(page), len(page["events"])) == (200, {"events"}, 12)


def test_old_dialects_lack_the_newer_fields() -> None:
    """No event_sn, arrives_at, enterprise_project_id nor policy; and no header to ask by."""
    with bench(dialect="legacy") as b:
        _fill(b, "a")
        keys = {"id", "starts_at", "ends_at", "timeout", "metadata", "annotations", "attach_rule"}
        assert set(b.active()[0]) == keys
        assert len(b.listed(headers={"Enterprise-Project-Id": "other"})[1]["events"]) == 1


def test_without_the_right_to_list_it_is_a_403() -> None:
    """Named by its permission."""
    with bench(listing=False) as b:
        assert b.push(b.event())[0] == 204
        status, body = b.listed()
        assert (status, body["error_code"]) == (403, "AOM.0403")
        assert "aom:alarm:list" in body["error_msg"]


def test_projects_do_not_see_each_other() -> None:
    """The path's project is the record's."""
    with bench() as b:
        _fill(b, "a")
        other = b.call("POST", f"/v2/{PROJECT[::-1]}/events?type=active_alert", {"time_range": "-1.-1.60"})
        assert other[1]["events"] == []


def test_a_late_page_costs_what_an_early_one_does() -> None:
    """20,000 active alarms: no page grows with those before it."""
    with bench() as b:
        for k in range(20):
            _fill(b, *[f"n{k}-{n}" for n in range(1000)])

        def seconds(marker: int) -> float:
            began = time.perf_counter()
            assert len(b.listed(f"type=active_alert&marker={marker}")[1]["events"]) == 1000
            return time.perf_counter() - began

        early, late = (min(seconds(marker) for _ in range(5)) for marker in (0, 19_000))
        assert late < 3 * early + 0.005
