"""Faults: the grammar, who is hit, and what a client of a real connection sees of each."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from reconcile.emulator.credentials import FIXED_TOKEN
from reconcile.emulator.faults import Faults, parse_fault
from tests.emulator.bench import ALARM_ID
from tests.emulator_fixture import control

TRIGGER = f"/v1/alarm-mgmt/alarm/{ALARM_ID}/auto-process"
BODY = {
    "task_type": "SCRIPT", "associated_task_id": "SC1", "associated_task_type": "CUSTOMIZATION", "associated_task_name": "n",
    "input_param": {},
}  # fmt: skip


@pytest.fixture
def client(emulator: str) -> Iterator[httpx.Client]:
    """A client with a valid token and little patience."""
    with httpx.Client(base_url=emulator, headers={"X-Auth-Token": FIXED_TOKEN}, timeout=2, trust_env=False) as client:
        yield client


def _set(client: httpx.Client, *faults: str) -> None:
    control(str(client.base_url).rstrip("/"), "settings", {"faults": list(faults)})


def _seen(client: httpx.Client) -> tuple[int, list[tuple[Any, Any]]]:
    """How often the task ran, and status and outcome of each logged request."""
    url = str(client.base_url).rstrip("/")
    runs = sum(row["count"] for row in control(url, "triggers"))
    return runs, [(row["status"], row["outcome"]) for row in control(url, "log")]


@pytest.mark.parametrize(
    ("text", "hits"),
    [
        ("PUT:*:503", [1, 2, 3, 4, 5, 6]),
        ("PUT:*:503@2", [2]),
        ("PUT:*:503@2,5", [2, 5]),
        ("PUT:*:503x3", [1, 2, 3]),
        ("PUT:*:503@2x3", [2, 3, 4]),
        ("PUT:*/push/events*:503@1", [1]),
        ("put:*/push/events[?]action=clear:503@1", [1]),
        ("*:/v2/p/push/events:503@1", [1]),
        ("POST:*:503", []),
        ("PUT:*/events/:503", []),
    ],
)
def test_who_is_hit(text: str, hits: list[int]) -> None:
    """By verb, by glob over path and query, by the count of what matched."""
    faults = Faults([parse_fault(text)])
    assert [n for n in range(1, 7) if faults.hit("PUT", "/v2/p/push/events", "action=clear")] == hits


def test_the_first_fault_that_hits_wins_and_each_counts_for_itself() -> None:
    """A fault in the shadow of another one still counts the requests it matches."""
    faults = Faults([parse_fault("*:*:500@1"), parse_fault("*:*:503@2")])
    assert [fault and fault.status for fault in (faults.hit("GET", "/", "") for _ in range(3))] == [500, 503, None]


@pytest.mark.parametrize(
    "text",
    ["", "PUT", "PUT:*", "PUT:*:", ":*:503", "PUT:*:99", "PUT:*:600", "PUT:*:nothing", "PUT:*:503@0", "PUT:*:503@",
     "PUT:*:slow=x", "PUT:*:503=1", "PUT:*:reset;a=b", "PUT:*:503;retry-after", "PUT:*:duplicate-before", "PUT:*:503x0"],
)  # fmt: skip
def test_what_is_no_fault_is_refused(text: str) -> None:
    """With a sentence that says what was read."""
    with pytest.raises(ValueError, match="fault"):
        parse_fault(text)


def test_an_url_may_hold_what_the_grammar_uses() -> None:
    """Colons and an HTTP date with commas are part of a value."""
    fault = parse_fault("GET:*:redirect=http://127.0.0.1:9/x?a=b@2x3")
    assert (fault.headers, sorted(fault.at)) == ((("location", "http://127.0.0.1:9/x?a=b"),), [2, 3, 4])
    dated = parse_fault("GET:*:429;retry-after=Wed, 21 Oct 2026 07:28:00 GMT@1")
    assert dated.headers == (("retry-after", "Wed, 21 Oct 2026 07:28:00 GMT"),)


@pytest.mark.parametrize(
    ("fault", "status", "runs"), [("503", 503, 0), ("503-after", 503, 1), ("408", 408, 0), ("500-after", 500, 1), ("401", 401, 0)]
)
def test_a_status_is_spelled_by_the_api_and_executed_only_when_asked(
    client: httpx.Client, fault: str, status: int, runs: int
) -> None:
    """Then the request after it is answered as ever."""
    _set(client, f"POST:*/auto-process:{fault}@1")
    answer = client.post(TRIGGER, json=BODY)
    assert (answer.status_code, set(answer.json())) == (status, {"error_code", "error_msg"})
    assert _seen(client) == (runs, [(status, 200 if runs else None)])
    assert client.post(TRIGGER, json=BODY).status_code == 200


def test_throttling_names_its_wait(client: httpx.Client) -> None:
    """In the gateway's words, with the header given."""
    _set(client, "*:*:429;retry-after=3@1")
    answer = client.post(TRIGGER, json=BODY)
    assert (answer.status_code, answer.headers["retry-after"], answer.json()["error_code"]) == (429, "3", "APIG.0308")


def test_a_redirect_is_not_executed(client: httpx.Client) -> None:
    """307 to where it was told."""
    _set(client, "*:*:redirect=http://127.0.0.1:9/x")
    answer = client.post(TRIGGER, json=BODY)
    assert (answer.status_code, answer.headers["location"]) == (307, "http://127.0.0.1:9/x")
    assert _seen(client) == (0, [(307, None)])


@pytest.mark.parametrize(("fault", "runs"), [("reset", 0), ("reset-before", 0), ("reset-after", 1)])
def test_a_reset_cuts_the_connection(client: httpx.Client, fault: str, runs: int) -> None:
    """Before or after execution; the client cannot tell, the log can."""
    _set(client, f"POST:*:{fault}@1")
    with pytest.raises((httpx.ReadError, httpx.RemoteProtocolError)):
        client.post(TRIGGER, json=BODY)
    assert _seen(client) == (runs, [(None, 200 if runs else None)])
    assert client.post(TRIGGER, json=BODY).status_code == 200


@pytest.mark.parametrize(("fault", "runs"), [("timeout-after", 1), ("timeout-before", 0)])
def test_a_timeout_is_silence(client: httpx.Client, fault: str, runs: int) -> None:
    """Until the client gives up."""
    _set(client, f"POST:*:{fault}@1")
    with pytest.raises(httpx.ReadTimeout):
        client.post(TRIGGER, json=BODY, timeout=0.3)
    assert _seen(client) == (runs, [(None, 200 if runs else None)])


def test_a_truncated_answer_breaks_off(client: httpx.Client) -> None:
    """With the length announced the client notices; silent, only the JSON is broken; without a body it is a cut."""
    _set(client, "POST:*:truncate@1", "POST:*:truncate-silent@2", "PUT:*:truncate@1")
    with pytest.raises((httpx.RemoteProtocolError, httpx.ReadError)):
        client.post(TRIGGER, json=BODY)
    half = client.post(TRIGGER, json=BODY)
    assert half.status_code == 200
    with pytest.raises(ValueError, match=r"Unterminated|Expecting"):
        half.json()
    assert _seen(client)[0] == 2
    with pytest.raises((httpx.RemoteProtocolError, httpx.ReadError)):
        client.put(f"/v2/{'e0' * 16}/push/events", json={"events": [_event()]})


def _event() -> dict[str, Any]:
    metadata = {
        "event_name": "n", "event_severity": "Major", "event_type": "alarm", "resource_provider": "p", "resource_type": "t",
        "resource_id": "i",
    }  # fmt: skip
    return {"starts_at": int(time.time() * 1000), "timeout": 60_000, "metadata": metadata}


@pytest.mark.parametrize(("fault", "runs"), [("html", 1), ("empty", 1), ("html-before", 0), ("empty-before", 0)])
def test_a_200_may_be_no_answer_at_all(client: httpx.Client, fault: str, runs: int) -> None:
    """A proxy's page, or nothing."""
    _set(client, f"POST:*:{fault}")
    answer = client.post(TRIGGER, json=BODY)
    assert answer.status_code == 200
    assert (b"<html>" in answer.content) is fault.startswith("html")
    assert _seen(client)[0] == runs


def test_a_gzip_bomb_unpacks_to_what_was_ordered(client: httpx.Client) -> None:
    """A few kilobytes on the wire."""
    _set(client, "GET:*:gzip-bomb=8")
    with client.stream("GET", f"/v1/alarm-mgmt/alarm/{ALARM_ID}") as answer:
        packed = sum(len(chunk) for chunk in answer.iter_raw())
    assert packed < 100_000
    assert len(client.get(f"/v1/alarm-mgmt/alarm/{ALARM_ID}").content) == 8 * 1024 * 1024 + 2


def test_slow_and_delayed_answers_arrive(client: httpx.Client) -> None:
    """Byte by byte, or late and whole."""
    _set(client, "POST:*:slow=0.4@1", "POST:*:delay=0.3@2")
    for least in (0.35, 0.3):
        began = time.monotonic()
        assert client.post(TRIGGER, json=BODY).json()["errorCode"] == "200"
        assert time.monotonic() - began >= least


def test_a_delayed_request_is_executed_though_the_client_left(client: httpx.Client) -> None:
    """It lands after the client gave it up."""
    _set(client, "POST:*:delay=0.5@1")
    with pytest.raises(httpx.ReadTimeout):
        client.post(TRIGGER, json=BODY, timeout=0.1)
    assert _seen(client)[0] == 0
    time.sleep(0.7)
    assert _seen(client)[0] == 1


def test_a_duplicate_runs_twice_and_is_answered_once(client: httpx.Client) -> None:
    """As by a proxy that repeats; both are in the log."""
    _set(client, "POST:*:duplicate@1")
    order = client.post(TRIGGER, json=BODY).json()["data"]
    url = str(client.base_url).rstrip("/")
    (row,) = control(url, "triggers")
    assert (row["count"], row["work_orders"][1]) == (2, order)
    assert _seen(client)[1] == [(200, 200), (200, 200)]
