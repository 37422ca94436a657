"""What really leaves: method, path, query, headers and body, seen by a server on loopback."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from reconcile.errors import Effect, TargetError
from reconcile.model.resources import Alarm, Handling, Resource
from reconcile.model.snapshot import RecordedAlarm
from reconcile.ports import CocAlarm, HistoryRow, Sending, TaskStatus
from tests.targets.opening import PROJECT, aom, coc, coc_events, opened
from tests.targets.server import Reply, Seen, Server, SteppingClock, run

GOLDEN = Path(__file__).parent / "golden"
SHOWN = ("content-type", "enterprise-project-id", "x-auth-token", "x-project-id")
DONE = Reply(204)
ALM = "ALM2025071417361705s6mUUrF"


def transcript(server: Server) -> str:
    """The requests as text, without what changes from run to run."""
    return "\n".join(
        "\n".join(
            [f"{seen.method} {seen.target}", *(f"{name}: {seen.headers[name]}" for name in SHOWN if name in seen.headers)]
            + ([seen.body.decode()] if seen.body else [])
        )
        + "\n"
        for seen in server.seen
    )


def alarm(**changes: Any) -> Alarm:
    given: dict[str, Any] = {
        "target": "aom",
        "name": "disk-full",
        "severity": "Major",
        "resource": Resource(provider="demo", type="vm", id="vm-1"),
        "message": "92 % used — 上海",
        "timeout": 3_600_000,
    }
    return Alarm(**{**given, **changes})


def record_of(sending: Sending, **changes: Any) -> RecordedAlarm:
    given: dict[str, Any] = {
        "target": "aom",
        "digest": "sha256:x",
        "content": {},
        "occurrence": "o",
        "starts_at": 1,
        "reported_at": 1763710000000,
        "remote_id": "6775161208461480000",
        "metadata": dict(sending.metadata),
    }
    return RecordedAlarm(**{**given, **changes})


@pytest.mark.parametrize("dialect", ["current", "legacy", "cn-2021"])
def test_report_clear_and_list_leave_as_the_golden_file_says(dialect: str) -> None:
    """Every byte of three requests in each dialect; a clear says `?action=clear`."""
    listed = Reply(json={"events": []})

    async def scenario() -> str:
        async with Server(lambda seen: listed if seen.path.endswith("/events") and "push" not in seen.path else DONE) as server:
            async with opened(aom(server.url, dialect=dialect)) as targets:
                target = targets.alarms["aom"]
                sending = target.compose(alarm(), address="alarm.a", starts_at=1763710000000, stamp=None, alarm_id=None)
                await target.report([sending, sending])
                await target.clear([target.compose_clear("alarm.a", record_of(sending), ends_at=1763713600000)])
                await target.active(since=1763710000000)
            return transcript(server)

    assert run(scenario()) == (GOLDEN / f"wire-{dialect}.txt").read_text("utf-8")


def test_cn_2021_may_be_told_to_post() -> None:
    """`method: POST` counts where the document allows it, and nowhere else."""

    async def scenario(dialect: str) -> str:
        async with Server(DONE) as server, opened(aom(server.url, dialect=dialect, method="POST")) as targets:
            target = targets.alarms["aom"]
            await target.report([target.compose(alarm(), address="alarm.a", starts_at=1, stamp=None, alarm_id=None)])
            return server.seen[0].method

    assert [run(scenario("cn-2021")), run(scenario("current"))] == ["POST", "PUT"]


def test_the_enterprise_project_of_a_batch_stands_in_its_header() -> None:
    """The group is what may share a request."""

    async def scenario() -> str:
        async with Server(DONE) as server, opened(aom(server.url)) as targets:
            target = targets.alarms["aom"]
            resource = alarm(enterprise_project_id="eps-7")
            sending = target.compose(resource, address="alarm.a", starts_at=1, stamp=None, alarm_id=None)
            await target.report([sending])
            return sending.group + " " + server.seen[0].headers["enterprise-project-id"]

    assert run(scenario()) == "eps-7 eps-7"


@pytest.mark.parametrize("status", [200, 204])
def test_both_successes_are_accepted_in_every_dialect(status: int) -> None:
    """A 200 with a body is as good as a 204 without."""

    async def scenario() -> None:
        async with Server(Reply(status, json={"error_code": "whatever"})) as server, opened(aom(server.url)) as targets:
            target = targets.alarms["aom"]
            await target.report([target.compose(alarm(), address="alarm.a", starts_at=1, stamp=None, alarm_id=None)])

    run(scenario())


def test_many_requests_share_one_connection() -> None:
    """Keep-alive, or 100,000 alarms would mean 1,000 handshakes."""

    async def scenario() -> int:
        async with Server(DONE) as server, opened(aom(server.url)) as targets:
            target = targets.alarms["aom"]
            for _ in range(20):
                await target.report([target.compose(alarm(), address="alarm.a", starts_at=1, stamp=None, alarm_id=None)])
            return server.connections

    assert run(scenario()) == 1


# -- the list --------------------------------------------------------------------------------------------------------


def row(ident: Any, **changes: Any) -> dict[str, Any]:
    return {
        "id": ident,
        "starts_at": 5,
        "ends_at": 0,
        "timeout": 60000,
        "annotations": {"message": "m"},
        "metadata": {"event_name": "x", "event_type": "alarm", "managed_by": "reconcile", "reconcile_key": "s/alarm.a"},
        **changes,
    }


def listing(*pages: Any, since: int = 0, stamped: bool = True, now: int = 1_795_161_600_000) -> tuple[list[Any], list[Seen]]:
    """(what `active` returns, the requests)."""

    async def scenario() -> tuple[list[Any], list[Seen]]:
        replies, clock = [Reply(json=page) for page in pages], SteppingClock(now)
        async with Server(replies) as server, opened(aom(server.url), clock=clock) as targets:
            return await targets.alarms["aom"].active(since=since or now, stamped=stamped), server.seen

    return run(scenario())


def page(*rows: Any, marker: Any = None) -> dict[str, Any]:
    return {"events": list(rows), "page_info": {"current_count": len(rows), "next_marker": marker}}


def test_all_pages_are_read_by_their_markers() -> None:
    """Short pages are no end: a server may cap the page size."""
    found, seen = listing(page(row("1"), marker="m1"), page(row("2"), marker="m2"), page(row("3")))
    assert ([live.id for live in found], [request.query["marker"] for request in seen]) == (["1", "2", "3"], ["0", "m1", "m2"])


def test_an_id_beyond_the_integers_of_javascript_stays_exact() -> None:
    """A decimal above 2^53, as string or number."""
    found, _ = listing(page(row("6775161208461480001"), row(6775161208461480003)))
    assert [live.id for live in found] == ["6775161208461480001", "6775161208461480003"]


def test_a_list_without_page_info_is_one_page() -> None:
    """Older editions know no pages."""
    found, seen = listing({"events": [row("1")]})
    assert (len(found), len(seen)) == (1, 1)


@pytest.mark.parametrize("marker", ["0", "m1"])
def test_a_marker_that_repeats_ends_the_list(marker: str) -> None:
    """No endless loop, no record twice."""
    found, seen = listing(page(row("1"), marker="m1"), page(row("1"), row("2"), marker=marker))
    assert ([live.id for live in found], len(seen)) == (["1", "2"], 2)


def test_a_full_page_of_news_whose_marker_repeats_is_an_error() -> None:
    """A list that is not whole must not pass for one: what it lacks would be reported again."""
    full = page(*(row(str(n)) for n in range(1000)), marker="0")
    with pytest.raises(TargetError, match="not whole"):
        listing(full)


def test_an_empty_page_ends_the_list_whatever_its_marker_says() -> None:
    """Some servers always offer a next marker."""
    found, seen = listing(page(row("1"), marker="m1"), page(marker="m2"))
    assert (len(found), len(seen)) == (1, 2)


def test_the_servers_filter_is_not_trusted() -> None:
    """Unstamped, cleared and one-off records are dropped here too."""
    unstamped = row("2", metadata={"event_name": "x", "event_type": "alarm"})
    event = row("4", metadata={**row("4")["metadata"], "event_type": "event"})
    rows = (row("1"), unstamped, row("3", ends_at=9), event, "nonsense", row("", id=None))
    assert [live.id for live in listing(page(*rows))[0]] == ["1"]
    assert [live.id for live in listing(page(*rows), stamped=False)[0]] == ["1", "2"]


def test_the_stamp_is_filtered_by_the_server_only_when_asked() -> None:
    """Adoption of unstamped alarms needs them all."""
    filtered, everything = listing(page())[1][0].json, listing(page(), stamped=False)[1][0].json
    assert filtered["metadata_relation"] == [{"key": "managed_by", "relation": "AND", "value": ["reconcile"]}]
    assert "metadata_relation" not in everything


@pytest.mark.parametrize("days", [0, 1, 15, 400])
def test_the_window_reaches_back_to_the_oldest_and_keeps_the_rule_of_1440_points(days: int) -> None:
    """minutes * 60 / step in seconds <= 1,440, and never less than an hour."""
    now = 1_795_161_600_000
    body = listing(page(), since=now - days * 86_400_000, now=now)[1][0].json
    minutes = int(body["time_range"].removeprefix("-1.-1."))
    assert minutes >= max(60, days * 1440)
    assert minutes * 60 / (body["step"] / 1000) <= 1440


def test_not_being_allowed_to_list_is_a_403_that_names_the_permission() -> None:
    """The applier goes on without a read-back; the user learns what to grant."""

    async def scenario() -> TargetError:
        denied = Reply(403, json={"error_code": "AOM.0403", "error_msg": "no", "trace_id": "t-1"})
        async with Server(denied) as server, opened(aom(server.url)) as targets:
            with pytest.raises(TargetError, match="aom:alarm:list") as caught:
                await targets.alarms["aom"].active(since=0)
            return caught.value

    error = run(scenario())
    answer = error.answer
    assert (answer.status, answer.code, answer.words, answer.trace_id) == (403, "AOM.0403", "no", "t-1")
    assert error.effect is Effect.REFUSED


@pytest.mark.parametrize("body", [[], {"nothing": 1}, {"events": "x"}])
def test_a_list_in_no_known_shape_is_an_error_and_not_empty(body: Any) -> None:
    """An empty list means: nothing is active. That must be said, not guessed."""
    with pytest.raises(TargetError, match="no list of events"):
        listing(body)


# -- custom events ---------------------------------------------------------------------------------------------------


def raised(reply: Reply, log: list[str] | None = None) -> tuple[list[Seen], TargetError | None]:
    async def scenario() -> tuple[list[Seen], TargetError | None]:
        async with Server(reply) as server, opened(coc_events(server.url), log=log) as targets:
            target = targets.alarms["coc-events"]
            sending = target.compose(alarm(), address="alarm.a", starts_at=1763710000000, stamp=None, alarm_id="rec1")
            try:
                await target.report([sending])
                await target.clear([target.compose_clear("alarm.a", record_of(sending, alarm_id="rec1"), ends_at=1763713600000)])
            except TargetError as error:
                return server.seen, error
            return server.seen, None

    return run(scenario())


@pytest.mark.parametrize("code", ["COC.00000000", "0", 0])
def test_a_custom_event_succeeds_with_either_code(code: Any) -> None:
    """The document's table says 0, its example COC.00000000."""
    seen, error = raised(Reply(json={"error_code": code, "error_msg": "success", "data": None, "provider_code": "049"}))
    assert error is None
    assert [(s.method, s.path, s.json["alarmStatus"], s.json["alarmId"]) for s in seen] == [
        ("POST", "/v1/event/huawei/custom/abcdefghij0123456789ABCDEFGHIJ01", status, "rec1") for status in ("alarm", "ok")
    ]


def test_a_200_with_another_code_is_a_failure() -> None:
    """The code decides, not the status alone."""
    _, error = raised(Reply(json={"error_code": "COC.00000001", "error_msg": "alarmName must not be null"}))
    assert error is not None
    assert (error.effect, error.answer.code, error.answer.words) == (
        Effect.REFUSED,
        "COC.00000001",
        "alarmName must not be null",
    )


def test_the_integration_key_is_in_the_path_and_nowhere_else() -> None:
    """Not in the log, not in the error, even where the server repeats it."""
    key, log = "abcdefghij0123456789ABCDEFGHIJ01", []  # type: tuple[str, list[str]]
    seen, error = raised(Reply(400, json={"error_code": "COC.1", "error_msg": f"bad key {key}"}), log)
    assert key in seen[0].path
    assert error is not None
    assert key not in str(error) + repr(error.answer) + "\n".join(log)
    assert "POST /v1/event/huawei/custom/*** -> 400" in log[0]


# -- auto-process ----------------------------------------------------------------------------------------------------

HANDLING = Handling.model_validate(
    {
        "target": "coc",
        "task_type": "SCRIPT",
        "associated_task_id": "SC1",
        "associated_task_type": "CUSTOMIZATION",
        "associated_task_name": "restart",
        "input_param": {"timeout": 300, "script_params": []},
    }
)


def triggered(*replies: Reply) -> tuple[list[Seen], str | TargetError]:
    async def scenario() -> tuple[list[Seen], str | TargetError]:
        async with Server(list(replies)) as server, opened(coc(server.url)) as targets:
            try:
                return server.seen, await targets.tasks["coc"].trigger(ALM, HANDLING)
            except TargetError as error:
                return server.seen, error

    return run(scenario())


def test_a_trigger_posts_the_body_and_returns_the_work_order() -> None:
    """COC HandlerAlarm."""
    seen, ticket = triggered(Reply(json={"errorCode": "200", "errorMsg": "Success", "data": "SCR1"}))
    assert ticket == "SCR1"
    assert [(s.method, s.path) for s in seen] == [("POST", f"/v1/alarm-mgmt/alarm/{ALM}/auto-process")]
    assert seen[0].json == {
        "input_param": {"timeout": 300, "script_params": "[]"},
        "task_type": "SCRIPT",
        "associated_task_id": "SC1",
        "associated_task_type": "CUSTOMIZATION",
        "associated_task_name": "restart",
    }


UNUSABLE = [
    Reply(json={"errorCode": "200", "errorMsg": "Success", "data": None}),
    Reply(json={"errorCode": "200", "errorMsg": "Success", "data": "  "}),
    Reply(json={"errorCode": "200", "errorMsg": "Success"}),
    Reply(json={"errorCode": "200", "data": {"id": 1}}),
    Reply(json={"errorCode": "500", "errorMsg": "oops", "data": "SCR1"}),
    Reply(json={"data": "SCR1"}),
    Reply(json=["SCR1"]),
    Reply(body=b""),
    Reply(body=b"<html>ok</html>", headers={"content-type": "text/html"}),
    Reply(body=b'{"errorCode": "200", "data": "SC', sized=False),
    Reply(204),
    Reply(202, json={"errorCode": "200", "data": "SCR1"}),
]


@pytest.mark.parametrize("reply", UNUSABLE)
def test_a_success_without_a_usable_ticket_is_unknown_and_sent_once(reply: Reply) -> None:
    """The task may be running: only a person or the histories can tell."""
    seen, error = triggered(reply)
    assert isinstance(error, TargetError)
    assert (error.effect, len(seen)) == (Effect.UNKNOWN, 1)


@pytest.mark.parametrize("alarm_id", ["a/b", "x?action=clear", "%2e%2e", "上海", "a#b", "a b"])
def test_an_alarm_id_stays_one_part_of_the_path(alarm_id: str) -> None:
    """Ids are input; they must not address another call."""

    async def scenario() -> str:
        async with Server(Reply(json={"data": {"id": "x"}})) as server, opened(coc(server.url)) as targets:
            await targets.tasks["coc"].show(alarm_id)
            return server.seen[0].target.removeprefix("/v1/alarm-mgmt/alarm/")

    from urllib.parse import quote

    assert run(scenario()) == quote(alarm_id, safe="")


@pytest.mark.parametrize("alarm_id", ["", ".", ".."])
def test_an_alarm_id_of_dots_is_never_sent(alarm_id: str) -> None:
    """It would climb out of its place."""

    async def scenario() -> tuple[int, Effect]:
        async with Server(Reply(json={})) as server, opened(coc(server.url)) as targets:
            with pytest.raises(TargetError) as caught:
                await targets.tasks["coc"].trigger(alarm_id, HANDLING)
            return len(server.seen), caught.value.effect

    assert run(scenario()) == (0, Effect.NOT_SENT)


def history(*tickets: str, **changes: Any) -> list[dict[str, Any]]:
    return [
        {
            "work_order_id": ticket,
            "associated_task_id": "SC1",
            "create_name": "bot",
            "start_time": 5,
            "status": "FINISHED",
            **changes,
        }
        for ticket in tickets
    ]


def asked(script: Any, question: str, *arguments: Any) -> tuple[Any, list[Seen]]:
    async def scenario() -> tuple[Any, list[Seen]]:
        async with Server(script) as server, opened(coc(server.url)) as targets:
            return await getattr(targets.tasks["coc"], question)(*arguments), server.seen

    return run(scenario())


def test_histories_are_read_to_the_last_page_and_each_work_order_once() -> None:
    """Rows may move between pages while they are read."""
    everything = [f"w{n}" for n in range(250)]

    def script(seen: Seen) -> Reply:
        start = int(seen.query["offset"])
        rows = history(*everything[max(0, start - 1) : start + 99])
        return Reply(json={"count": 250, "alarm_handle_histories": rows, "resolved_record": None})

    rows, seen = asked(script, "histories", ALM)
    assert [row.work_order_id for row in rows] == everything
    assert [s.query["limit"] for s in seen] == ["100"] * len(seen)


def test_a_server_that_hands_out_shorter_pages_is_read_to_the_end() -> None:
    """A limit is a wish: what counts is how many rows came, and how many there are."""
    everything = [f"w{n}" for n in range(70)]

    def script(seen: Seen) -> Reply:
        start = int(seen.query["offset"])
        return Reply(json={"count": 70, "alarm_handle_histories": history(*everything[start : start + 30])})

    rows, seen = asked(script, "histories", ALM)
    assert ([row.work_order_id for row in rows], len(seen)) == (everything, 3)


def test_a_history_row_keeps_what_recovery_needs() -> None:
    """Whose it is, when it began, which task."""
    rows, _ = asked(Reply(json={"count": 1, "alarm_handle_histories": history("w1")}), "histories", ALM)
    assert rows == [HistoryRow("w1", "SC1", create_name="bot", start_time=5, status="FINISHED")]


@pytest.mark.parametrize("body", [{}, {"alarm_handle_histories": None}, {"error_code": "COC.1", "alarm_handle_histories": []}])
def test_histories_in_no_known_shape_are_an_error_and_not_empty(body: Any) -> None:
    """An empty baseline would let a task run twice."""
    with pytest.raises(TargetError):
        asked(Reply(json=body), "histories", ALM)


def test_a_known_alarm_is_shown_and_an_unknown_one_is_none() -> None:
    """404, 400 and an empty answer all mean: not known."""
    told = {"id": ALM, "name": "cpu", "status": "alarming", "owner": "u1", "owner_name": "Lee", "region": "cn-north-4"}
    shown, _ = asked(Reply(json={"data": told}), "show", ALM)
    assert shown == CocAlarm(ALM, "cpu", "alarming", "Lee", {"owner_name": "Lee", "region": "cn-north-4"})
    for reply in (Reply(404, json={"error_code": "x"}), Reply(400, json={"error_code": "x"}), Reply(json={"data": None})):
        assert asked(reply, "show", ALM)[0] is None


@pytest.mark.parametrize(
    ("task_type", "path", "word", "expected"),
    [
        ("RUNBOOK", "/v1/executions/T1", "Succeed", TaskStatus("Succeed", True, True)),
        ("RUNBOOK", "/v1/executions/T1", "Pending", TaskStatus("Pending")),
        ("RUNBOOK", "/v1/executions/T1", "Timeout", TaskStatus("Timeout", True)),
        ("SCRIPT", "/v1/job/script/orders/T1", "FINISHED", TaskStatus("FINISHED", True, True)),
        ("SCRIPT", "/v1/job/script/orders/T1", "ABNORMAL", TaskStatus("ABNORMAL", True)),
        ("SCRIPT", "/v1/job/script/orders/T1", "brand new word", TaskStatus("brand new word")),
    ],
)
def test_a_work_order_is_followed_by_the_call_of_its_type(task_type: str, path: str, word: str, expected: TaskStatus) -> None:
    """Unknown words are not terminal."""
    status, seen = asked(Reply(json={"data": {"status": word}}), "follow", "T1", task_type, ALM)
    assert (status, seen[0].path, len(seen)) == (expected, path, 1)


@pytest.mark.parametrize("task_type", ["PLAN", "SCRIPT"])
def test_the_histories_tell_where_no_other_call_does(task_type: str) -> None:
    """Plans have no call of their own; a script order may not be known under this id."""

    def script(seen: Seen) -> Reply:
        if "handle-histories" in seen.path:
            return Reply(json={"count": 2, "alarm_handle_histories": history("w1", status="x") + history("T1")})
        return Reply(404, json={"error_code": "COC.404", "error_msg": "no such order"})

    assert asked(script, "follow", "T1", task_type, ALM)[0] == TaskStatus("FINISHED", True, True)


def test_the_project_is_part_of_every_aom_path() -> None:
    """One target, one project."""
    assert f"/v2/{PROJECT}/events" in listing(page())[1][0].path
