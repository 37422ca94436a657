"""Failures on the wire: which effect they have, what is sent again, what never is."""

from __future__ import annotations

import asyncio
import gc
import gzip
import time
import warnings
from typing import Any

import httpx
import pytest

from reconcile.errors import Effect, TargetError
from reconcile.model.resources import Alarm, Handling, Resource
from reconcile.targets.http.errors import WireError, effect_of_status, inert
from reconcile.targets.http.retrying import Budget, Patience, Retrying
from reconcile.targets.http.wire import Request, Response
from tests.targets.opening import TOKEN, aom, coc, opened
from tests.targets.server import Reply, Server, SteppingClock, run

ALM = "ALM2025071417361705s6mUUrF"
HANDLING = Handling.model_validate(
    {
        "target": "coc",
        "task_type": "SCRIPT",
        "associated_task_id": "SC1",
        "associated_task_type": "CUSTOMIZATION",
        "associated_task_name": "restart",
    }
)
STARTED = Reply(json={"errorCode": "200", "errorMsg": "Success", "data": "SCR1"})
EMPTY = Reply(json={"events": []})
FAST = {"request_timeout": 300}


def triggered(*replies: Reply, **changes: Any) -> tuple[int, str | TargetError, SteppingClock]:
    """(requests seen, ticket or error, the clock) of one trigger."""

    async def scenario() -> tuple[int, str | TargetError, SteppingClock]:
        clock = SteppingClock()
        async with Server(list(replies)) as server, opened(coc(server.url, **{**FAST, **changes}), clock=clock) as targets:
            try:
                return len(server.seen), await targets.tasks["coc"].trigger(ALM, HANDLING), clock
            except TargetError as error:
                return len(server.seen), error, clock

    count, outcome, clock = run(scenario())
    return count, outcome, clock


def counted(*replies: Reply, script: str = "trigger", **changes: Any) -> tuple[int, Any, SteppingClock]:
    """Like `triggered`, but counts after the end; `list` asks for the active alarms instead."""

    async def scenario() -> tuple[int, Any, SteppingClock]:
        clock = SteppingClock()
        async with Server(list(replies)) as server:
            options = {**FAST, **changes}
            async with opened(coc(server.url, **options), aom(server.url, **options), clock=clock) as targets:
                try:
                    if script == "trigger":
                        outcome: Any = await targets.tasks["coc"].trigger(ALM, HANDLING)
                    else:
                        outcome = await targets.alarms["aom"].active(since=0)
                except TargetError as error:
                    outcome = error
            return len(server.seen), outcome, clock

    return run(scenario())


DOUBTFUL = {
    "reset before an answer": Reply(reset=True),
    "closed before an answer": Reply(cut=0),
    "cut in the head": Reply(json={"a": 1}, cut=20),
    "cut in the body": Reply(json={"errorCode": "200", "data": "SCR1"}, cut=100),
    "no answer in time": Reply(delay=1.0),
    "slow drip": Reply(json={"errorCode": "200", "data": "SCR1"}, drip=0.02),
    "broken gzip": Reply(body=b"not gzip at all", headers={"content-encoding": "gzip"}),
    "cut gzip": Reply(body=gzip.compress(b'{"errorCode": "200", "data": "SCR1"}')[:-4], headers={"content-encoding": "gzip"}),
    **{
        str(status): Reply(status, json={"error_code": "x"}) for status in (301, 302, 303, 307, 308, 408, 500, 501, 502, 503, 504)
    },
    "503 with Retry-After": Reply(503, headers={"retry-after": "1"}),
}


@pytest.mark.parametrize("fault", DOUBTFUL)
def test_a_doubtful_trigger_is_unknown_and_sent_once(fault: str) -> None:
    """It may be running. Sending it again could run it twice."""
    count, error, _ = counted(DOUBTFUL[fault], STARTED)
    assert isinstance(error, TargetError)
    assert (count, error.effect) == (1, Effect.UNKNOWN)


@pytest.mark.parametrize("status", [400, 401, 403, 404, 405, 409, 413, 415, 422])
def test_a_refused_trigger_is_refused_and_sent_once(status: int) -> None:
    """The server said no; the next plan tries again."""
    count, error, _ = counted(Reply(status, json={"error_code": "COC.1", "error_msg": "no"}), STARTED)
    assert isinstance(error, TargetError)
    assert (count, error.effect, error.answer.status) == (1, Effect.REFUSED, status)


def test_a_throttled_trigger_waits_as_asked_and_goes_out_again() -> None:
    """A 429 ran nothing."""
    count, ticket, clock = counted(Reply(429, headers={"retry-after": "7"}), STARTED)
    assert (count, ticket) == (2, "SCR1")
    assert 7 <= sum(clock.slept) <= 8


def test_a_gateways_own_throttling_code_names_its_window() -> None:
    """APIG.0308 says in words how long its window is."""
    words = "The throttling threshold has been reached: policy user over ratelimit,limit:10,time:1 minute"
    count, ticket, clock = counted(Reply(429, json={"error_code": "APIG.0308", "error_msg": words}), STARTED)
    assert (count, ticket) == (2, "SCR1")
    assert 60 <= sum(clock.slept) <= 61


def test_an_unreachable_server_proves_that_nothing_was_sent() -> None:
    """Connect errors may be repeated even for a trigger."""

    async def scenario() -> tuple[TargetError, int]:
        clock = SteppingClock()
        async with Server(STARTED) as server:
            url = server.url
        async with opened(coc(url), clock=clock) as targets:
            with pytest.raises(TargetError) as caught:
                await targets.tasks["coc"].trigger(ALM, HANDLING)
            return caught.value, len(clock.slept)

    error, waits = run(scenario())
    assert (error.effect, waits) == (Effect.NOT_SENT, 4)


def test_a_deadline_that_passes_in_the_handshake_is_not_sent_either() -> None:
    """No byte of the request had left: the transport's own steps prove it."""
    hung: list[asyncio.StreamWriter] = []

    async def silent(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        hung.append(writer)

    async def effect(url: str) -> Effect:
        async with opened(coc(url, request_timeout=100)) as targets:
            try:
                await targets.tasks["coc"].trigger(ALM, HANDLING)
            except TargetError as error:
                return error.effect
        raise AssertionError

    async def scenario() -> Effect:
        server = await asyncio.start_server(silent, "127.0.0.1", 0)
        async with server:
            found = await effect(f"https://127.0.0.1:{server.sockets[0].getsockname()[1]}")
            for writer in hung:
                writer.transport.abort()
            await asyncio.sleep(0)
        return found

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)  # httpcore drops a socket that is cancelled in its handshake
        assert run(scenario()) is Effect.NOT_SENT
        gc.collect()


def test_tls_against_a_plain_server_is_not_sent() -> None:
    """A failed handshake carried no request."""

    async def scenario() -> TargetError:
        async def plain(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            writer.write(b"HTTP/1.1 400 no TLS here\r\n\r\n")
            await writer.drain()
            writer.close()

        server = await asyncio.start_server(plain, "127.0.0.1", 0)
        async with server, opened(coc(f"https://127.0.0.1:{server.sockets[0].getsockname()[1]}")) as targets:
            with pytest.raises(TargetError) as caught:
                await targets.tasks["coc"].trigger(ALM, HANDLING)
            return caught.value

    assert run(scenario()).effect is Effect.NOT_SENT


@pytest.mark.parametrize("fault", ["reset before an answer", "cut in the body", "408", "500", "502", "503", "504", "cut gzip"])
def test_a_question_is_asked_again(fault: str) -> None:
    """Listing changes nothing, so a doubtful answer costs only time."""
    count, alarms, _ = counted(DOUBTFUL[fault], EMPTY, script="list")
    assert (count, alarms) == (2, [])


@pytest.mark.parametrize("fault", ["reset before an answer", "cut in the head", "408", "500", "502", "503", "504"])
@pytest.mark.parametrize("call", ["report", "clear"])
def test_a_report_and_a_clear_are_sent_again_byte_for_byte(fault: str, call: str) -> None:
    """The same metadata again does no harm; a clear stays a clear."""

    async def scenario() -> list[tuple[str, bytes]]:
        async with Server([DOUBTFUL[fault], Reply(204)]) as server:
            async with opened(aom(server.url), clock=SteppingClock()) as targets:
                target = targets.alarms["aom"]
                resource = Resource(provider="p", type="t", id="i")
                sending = target.compose(
                    Alarm(target="aom", name="n", severity="Info", resource=resource, message="m"),
                    address="alarm.a",
                    starts_at=1,
                    stamp=None,
                    alarm_id=None,
                )
                await (target.report if call == "report" else target.clear)([sending])
            return [(seen.target, seen.body) for seen in server.seen]

    first, second = run(scenario())
    assert first == second
    assert first[0].endswith("?action=clear") is (call == "clear")


@pytest.mark.parametrize("fault", ["301", "308", "501"])
def test_a_question_is_not_repeated_where_that_cannot_help(fault: str) -> None:
    """A redirect stays a redirect."""
    count, error, _ = counted(DOUBTFUL[fault], EMPTY, script="list")
    assert count == 1
    assert isinstance(error, TargetError)


def test_a_redirect_takes_no_credential_anywhere() -> None:
    """Whatever it says, the token goes to the configured origin only."""

    async def scenario() -> tuple[int, str]:
        async with Server(EMPTY) as sink, Server(Reply(307, headers={"location": sink.url + "/x"})) as server:
            async with opened(aom(server.url)) as targets:
                with pytest.raises(TargetError, match="never followed") as caught:
                    await targets.alarms["aom"].active(since=0)
            return len(sink.seen), str(caught.value)

    assert run(scenario())[0] == 0


def test_a_gzip_bomb_is_ended_before_it_grows() -> None:
    """16 MiB after decompression; 64 MiB of zeros come in 64 kB."""
    bomb = Reply(body=gzip.compress(b"0" * (64 << 20)), headers={"content-encoding": "gzip"})
    count, error, _ = counted(bomb, EMPTY, script="list", request_timeout=5000)
    assert "larger than" in str(error)
    assert count == 1


def test_a_packed_answer_is_unpacked() -> None:
    """Lists are large and compress well."""
    packed = Reply(body=gzip.compress(b'{"events": []}'), headers={"content-encoding": "gzip"})
    assert counted(packed, script="list")[:2] == (1, [])


def test_a_drip_is_ended_by_the_total_deadline() -> None:
    """A byte now and then must not hold a run: httpx alone would wait for ever."""
    begun = time.monotonic()
    counted(Reply(json={"x": "y" * 200}, drip=0.05))
    assert time.monotonic() - begun < 1.5


@pytest.mark.parametrize(
    ("body", "code", "words"),
    [
        ({"error_code": "AOM.0400", "error_msg": "parse failed", "error_type": "SC_BAD_REQUEST"}, "AOM.0400", "parse failed"),
        ({"errorCode": "X.1", "errorMsg": "spelled otherwise"}, "X.1", "spelled otherwise"),
        ({"error_code": "X.2", "error_message": "and otherwise"}, "X.2", "and otherwise"),
        ({"code": 403, "message": "gateway"}, "403", "gateway"),
        ({"error": {"code": 401, "message": "identity"}}, "401", "identity"),
        ({"detail": "?"}, None, '{"detail": "?"}'),
    ],
)
def test_every_spelling_of_an_error_becomes_code_and_words(body: Any, code: str | None, words: str) -> None:
    """The user sees what the server said."""
    _, error, _ = counted(Reply(400, json={**body, "trace_id": "t-1"} if "detail" not in body else body))
    assert (error.answer.code, error.answer.words) == (code, words)
    assert error.answer.trace_id == ("t-1" if "detail" not in body else None)
    assert str(error).endswith(words)


def test_the_trace_id_may_stand_in_a_header() -> None:
    """X-Request-Id is what support asks for."""
    _, error, _ = counted(Reply(400, json={"error_code": "x"}, headers={"X-Request-Id": "req-9"}))
    assert error.answer.trace_id == "req-9"


def test_a_page_of_html_is_shown_short_and_inert() -> None:
    """A proxy's page must neither flood nor drive the terminal."""
    page = "<html>\x1b[31m\u202e\r\n" + "x" * 5000
    _, error, _ = counted(Reply(502, body=page.encode(), headers={"content-type": "text/html"}))
    assert len(str(error)) < 600
    assert str(error).isprintable()
    assert "<html>\\x1b[31m\\u202e xxx" in str(error)


@pytest.mark.parametrize("text", ["a\x9bb", "a\u200bb", "a\u2028b", "a\x00b", "a\ud800b"])
def test_inert_text_is_printable(text: str) -> None:
    """C1 controls, zero-width characters, line separators, half surrogates."""
    assert inert(text).isprintable()


def test_a_secret_the_server_repeats_is_not_repeated_by_us() -> None:
    """Some servers quote the request in their errors."""
    _, error, _ = counted(Reply(400, json={"error_msg": f"bad token {TOKEN}"}, headers={"x-request-id": TOKEN}))
    assert TOKEN not in str(error) + repr(error.answer)
    assert "bad token ***" in str(error)


def test_cookies_are_not_kept() -> None:
    """No state between requests but what we send."""

    async def scenario() -> list[str | None]:
        async with Server(Reply(json={"events": []}, headers={"set-cookie": "a=b; Path=/"})) as server:
            async with opened(aom(server.url)) as targets:
                await targets.alarms["aom"].active(since=0)
                await targets.alarms["aom"].active(since=0)
            return [seen.headers.get("cookie") for seen in server.seen]

    assert run(scenario()) == [None, None]


def test_the_environments_proxy_is_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    """Only a proxy named in the config sees our requests."""
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    assert counted(EMPTY, script="list")[:2] == (1, [])


def test_a_body_json_cannot_say_is_never_sent() -> None:
    """NaN is no JSON."""

    async def scenario() -> tuple[TargetError, int]:
        async with Server(Reply(204)) as server, opened(aom(server.url)) as targets:
            target = targets.alarms["aom"]
            resource = Alarm(
                target="aom",
                name="n",
                severity="Info",
                resource=Resource(provider="p", type="t", id="i"),
                message="m",
                annotations={"x": float("nan")},
            )
            sending = target.compose(resource, address="alarm.a", starts_at=1, stamp=None, alarm_id=None)
            with pytest.raises(TargetError) as caught:
                await target.report([sending])
            return caught.value, len(server.seen)

    error, count = run(scenario())
    assert (error.effect, count) == (Effect.NOT_SENT, 0)


@pytest.mark.parametrize("project", ["0\r\nX-Evil: 1", "项目"])
def test_a_header_value_no_header_can_carry_is_never_sent(project: str) -> None:
    """An enterprise project id is input."""

    async def scenario() -> int:
        async with Server(Reply(204)) as server, opened(aom(server.url)) as targets:
            target = targets.alarms["aom"]
            resource = Alarm(
                target="aom",
                name="n",
                severity="Info",
                resource=Resource(provider="p", type="t", id="i"),
                message="m",
                enterprise_project_id=project,
            )
            sending = target.compose(resource, address="alarm.a", starts_at=1, stamp=None, alarm_id=None)
            with pytest.raises(TargetError):
                await target.report([sending])
            return len(server.seen)

    assert run(scenario()) == 0


def test_cancelling_a_request_ends_it_at_once() -> None:
    """Ctrl-C is not caught by any wrapper."""

    async def scenario() -> float:
        async with Server(Reply(delay=5)) as server, opened(coc(server.url, request_timeout=9000)) as targets:
            begun = time.monotonic()
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.1):
                    await targets.tasks["coc"].trigger(ALM, HANDLING)
            return time.monotonic() - begun

    assert run(scenario()) < 1


# -- the wrappers alone ------------------------------------------------------------------------------------------------


class Failing:
    """A wire that fails so many times, then answers."""

    def __init__(self, failures: int, **attributes: Any) -> None:
        self.sent = 0
        self._failures = failures
        self._attributes = attributes

    async def send(self, request: Request) -> Response:
        self.sent += 1
        if self.sent > self._failures:
            return Response(200)
        error = WireError("down", effect=Effect.UNKNOWN)
        error.transient = True
        for name, value in self._attributes.items():
            setattr(error, name, value)
        raise error


QUESTION = Request("GET", ("x",), "Ask", repeatable=True)


def retrying(inner: Failing, *, budget: Budget | None = None, chance: float = 1.0) -> tuple[Retrying, SteppingClock]:
    clock = SteppingClock()
    wire = Retrying(inner, budget=budget or Budget(), sleep=clock.sleep, log=lambda _: None, chance=lambda: chance)
    return wire, clock


def test_waits_double_and_are_random() -> None:
    """Full jitter: anything from nothing to the step."""
    wire, clock = retrying(Failing(4))
    run(wire.send(QUESTION))
    assert clock.slept == [0.25, 0.5, 1.0, 2.0]
    wire, clock = retrying(Failing(4), chance=0.0)
    run(wire.send(QUESTION))
    assert clock.slept == [0.0] * 4


def test_a_throttled_wait_has_a_floor() -> None:
    """Equal jitter: full jitter can fall to nothing and starve on a limit by the minute."""
    wire, clock = retrying(Failing(3, throttled=True), chance=0.0)
    run(wire.send(QUESTION))
    assert clock.slept == [0.5, 1.0, 2.0]


def test_patience_ends() -> None:
    """Five tries, then the last error."""
    inner = Failing(99)
    wire, _ = retrying(inner)
    with pytest.raises(WireError):
        run(wire.send(QUESTION))
    assert inner.sent == Patience().tries


def test_a_server_that_asks_for_an_hour_is_not_waited_for() -> None:
    """Five minutes at most; beyond, the error says what the server said."""
    inner = Failing(99, wait=3600.0)
    wire, clock = retrying(inner)
    with pytest.raises(WireError):
        run(wire.send(QUESTION))
    assert (inner.sent, clock.slept) == (1, [])


def test_all_retries_share_a_budget() -> None:
    """1,000 requests against a dead server: at most 1.2 times the load."""
    inner, budget = Failing(10**9), Budget()
    wire, _ = retrying(inner, budget=budget)

    async def storm() -> None:
        for _ in range(1000):
            with pytest.raises(WireError):
                await wire.send(QUESTION)

    run(storm())
    assert inner.sent <= 1200


@pytest.mark.parametrize(
    ("effect", "throttled", "again"),
    [(Effect.NOT_SENT, False, True), (Effect.REFUSED, True, True), (Effect.UNKNOWN, False, False)],
)
def test_what_is_not_repeatable_goes_again_only_when_it_never_ran(effect: Effect, throttled: bool, again: bool) -> None:
    """The one rule that keeps a runbook from running twice."""
    inner = Failing(1, effect=effect, throttled=throttled)
    wire, _ = retrying(inner)
    try:
        run(wire.send(Request("POST", ("x",), "Run", repeatable=False)))
    except WireError:
        assert not again
    assert inner.sent == (2 if again else 1)


@pytest.mark.parametrize(
    ("header", "expected"),
    [("7", 7.0), ("Fri, 20 Nov 2026 08:00:30 GMT", 30.0), ("-5", None), ("soon", None), ("Fri, 20 Nov 2020 08:00:00 GMT", 0.0)],
)
def test_retry_after_is_read_in_both_forms(header: str, expected: float | None) -> None:
    """Seconds or a date; nonsense counts as absent, a past date as now."""
    from reconcile.targets.http.errors import refused

    error = refused(QUESTION, 503, {"retry-after": header}, "", now=1_795_161_600.0, where="here")
    assert error.wait == (expected or None)


@pytest.mark.parametrize("status", range(300, 600))
def test_only_a_4xx_other_than_408_is_a_refusal(status: int) -> None:
    """Contract section 6."""
    assert (effect_of_status(status) is Effect.REFUSED) == (400 <= status < 500 and status != 408)


def test_requests_keep_their_distance() -> None:
    """20/s: whoever asks, and however many at once."""
    from reconcile.targets.http.rate import RateLimited

    async def scenario() -> list[float]:
        clock = SteppingClock()
        wire = RateLimited(Failing(0), rate=20.0, sleep=clock.sleep, monotonic=lambda: 100.0)
        await asyncio.gather(*(wire.send(QUESTION) for _ in range(4)))
        return clock.slept

    assert run(scenario()) == pytest.approx([0.05, 0.1, 0.15])


def test_the_log_holds_a_line_a_request_and_no_header_beyond_the_list() -> None:
    """Allow-listed headers, no body, no token."""
    log: list[str] = []

    async def scenario() -> None:
        reply = Reply(json={"events": []}, headers={"x-request-id": "r1", "x-secret": "s"})
        async with Server(reply) as server, opened(aom(server.url), log=log) as targets:
            await targets.alarms["aom"].active(since=0)

    run(scenario())
    assert len(log) == 1
    assert "aom: POST /v2/" in log[0]
    assert "-> 200 in " in log[0]
    assert "x-request-id=r1" in log[0]
    assert not any(word in log[0] for word in (TOKEN, "x-secret", "time_range"))


def test_httpx_still_tells_the_step_that_proves_nothing_left() -> None:
    """The proof rests on a name of the transport's trace; a new version must not lose it."""
    events: list[str] = []

    async def trace(event: str, _: Any) -> None:
        events.append(event)

    async def scenario() -> None:
        async with Server(Reply()) as server, httpx.AsyncClient(trust_env=False) as client:
            await client.get(server.url, extensions={"trace": trace})

    run(scenario())
    assert events.index("connection.connect_tcp.complete") < events.index("http11.send_request_headers.started")
