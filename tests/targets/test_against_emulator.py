"""The adapters against the emulator as a server of its own, and beside the vendor's clients."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import pytest
from huaweicloudsdkaom.v2 import AomClient, EventList, EventModel, EventQueryParam2, ListEventsRequest, PushEventsRequest
from huaweicloudsdkcore.auth.credentials import BasicCredentials

from reconcile.emulator.app import make_app
from reconcile.emulator.credentials import (
    FIXED_AK,
    FIXED_DOMAIN,
    FIXED_PASSWORD,
    FIXED_PROJECT_ID,
    FIXED_REGION,
    FIXED_SK,
    FIXED_TOKEN,
    FIXED_USER,
)
from reconcile.emulator.settings import Settings
from reconcile.errors import Effect, TargetError
from reconcile.model.config import DEFAULT_TARGETS, Auth, Config, Target
from reconcile.model.resources import Alarm, Handling, Resource
from reconcile.model.snapshot import RecordedAlarm
from reconcile.ports import AlarmTarget, LiveAlarm, Stamp
from reconcile.targets.open import OpenTargets, open_targets
from tests.emulator_fixture import control, running_emulator
from tests.targets.opening import KEY, aom, coc, coc_events, config_of
from tests.targets.server import run

ALM = "ALM2025071417361705s6mUUrF"
STAMP = Stamp("shop/alarm.a")
KEYS = {"HUAWEICLOUD_SDK_AK": FIXED_AK, "HUAWEICLOUD_SDK_SK": FIXED_SK}
LOGINS = {
    "keys": KEYS,
    "token": {"HW_AUTH_TOKEN": FIXED_TOKEN},
    "password": {"HW_USER_NAME": FIXED_USER, "HW_USER_PASSWORD": FIXED_PASSWORD, "HW_DOMAIN_NAME": FIXED_DOMAIN},
}


class WallClock:
    """Real time, for servers that check it."""

    def now(self) -> int:
        return time.time_ns() // 1_000_000

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


@pytest.fixture(scope="module")
def emulator() -> Iterator[str]:
    with running_emulator() as url:
        yield url


@pytest.fixture(autouse=True)
def fresh(emulator: str) -> None:
    control(emulator, "reset", {})


@asynccontextmanager
async def opened(*targets: Target, environ: Mapping[str, str] = KEYS) -> AsyncIterator[OpenTargets]:
    async with open_targets(
        config_of(*targets), environ=environ, embedded=lambda: None, clock=WallClock(), log=lambda _: None
    ) as found:
        yield found


def alarm(**changes: Any) -> Alarm:
    given: dict[str, Any] = {
        "target": "aom",
        "name": "disk-full",
        "severity": "Major",
        "resource": Resource(provider="demo", type="vm", id="vm-1"),
        "message": "92 % used",
        "timeout": 3_600_000,
    }
    return Alarm(**{**given, **changes})


async def life(target: AlarmTarget) -> tuple[list[LiveAlarm], list[LiveAlarm]]:
    """Report, list, clear, list."""
    now = WallClock().now()
    sending = target.compose(alarm(), address="alarm.a", starts_at=now, stamp=STAMP, alarm_id=None)
    await target.report([sending])
    before = await target.active(since=now - 15 * 86_400_000)
    record = RecordedAlarm(
        target="aom",
        digest="d",
        content={},
        occurrence="o",
        starts_at=now,
        reported_at=now,
        remote_id=before[0].id,
        metadata=dict(sending.metadata),
    )
    await target.clear([target.compose_clear("alarm.a", record, ends_at=now + 1)])
    return before, await target.active(since=now)


@pytest.mark.parametrize("dialect", ["current", "legacy", "cn-2021"])
def test_an_alarm_lives_and_ends_in_each_dialect(emulator: str, dialect: str) -> None:
    """The strict server of that dialect accepts every body."""
    control(emulator, "settings", {"dialect": dialect})

    async def scenario() -> Any:
        async with opened(aom(emulator, dialect=dialect, project_id=FIXED_PROJECT_ID)) as targets:
            return await life(targets.alarms["aom"])

    before, after = run(scenario())
    assert [live.metadata["reconcile_key"] for live in before] == [STAMP.key]
    assert after == []


@pytest.mark.parametrize("way", LOGINS)
def test_each_way_to_log_in_is_accepted(emulator: str, way: str) -> None:
    """The project is looked up by the region; the clear goes through likewise."""

    async def scenario() -> Any:
        environ = {**LOGINS[way], "HW_AUTH_URL": emulator + "/v3"}
        async with opened(aom(emulator, project_id=None, region=FIXED_REGION), environ=environ) as targets:
            return await life(targets.alarms["aom"])

    before, after = run(scenario())
    assert (len(before), after) == (1, [])


def test_the_agencys_keys_are_accepted(emulator: str) -> None:
    """The emulator stands in for the metadata service too."""

    async def scenario() -> Any:
        environ = {"RECONCILE_ECS_METADATA_URL": emulator}
        target = aom(emulator, project_id=FIXED_PROJECT_ID, auth=Auth(type="agency"))
        async with opened(target, environ=environ) as targets:
            return await life(targets.alarms["aom"])

    assert len(run(scenario())[0]) == 1


def test_a_wrong_secret_is_refused(emulator: str) -> None:
    """401, and nothing happened."""

    async def scenario() -> TargetError:
        environ = {**KEYS, "HUAWEICLOUD_SDK_SK": "wrong-secret-key"}
        async with opened(aom(emulator, project_id=FIXED_PROJECT_ID), environ=environ) as targets:
            with pytest.raises(TargetError) as caught:
                await life(targets.alarms["aom"])
            return caught.value

    error = run(scenario())
    assert (error.answer.status, error.effect) == (401, Effect.REFUSED)


def test_a_clock_that_is_off_is_named(emulator: str) -> None:
    """The server's Date says so."""

    class LateClock(WallClock):
        def now(self) -> int:
            return super().now() - 3_600_000

    async def scenario() -> str:
        config = config_of(aom(emulator, project_id=FIXED_PROJECT_ID))
        async with open_targets(config, environ=KEYS, embedded=lambda: None, clock=LateClock(), log=lambda _: None) as targets:
            with pytest.raises(TargetError) as caught:
                await targets.alarms["aom"].active(since=LateClock().now())
            return str(caught.value)

    assert "60 minutes behind the server's" in run(scenario())


def test_three_thousand_alarms_are_listed_page_by_page(emulator: str) -> None:
    """Every page, each alarm once."""

    async def scenario() -> int:
        async with opened(aom(emulator, project_id=FIXED_PROJECT_ID)) as targets:
            target = targets.alarms["aom"]
            now = WallClock().now()
            for batch in range(3):
                sendings = [
                    target.compose(
                        alarm(resource=Resource(provider="p", type="t", id=f"{batch}-{n}")),
                        address="alarm.a",
                        starts_at=now,
                        stamp=STAMP,
                        alarm_id=None,
                    )
                    for n in range(1000)
                ]
                await target.report(sendings)
            return len(await target.active(since=now))

    assert run(scenario()) == 3000


@pytest.mark.parametrize(("task_type", "terminal"), [("SCRIPT", True), ("RUNBOOK", True), ("PLAN", True)])
def test_a_task_is_started_seen_and_followed(emulator: str, task_type: str, terminal: bool) -> None:
    """The work order of the answer is the row of the histories."""
    control(emulator, "settings", {"task_seconds": 0})
    handling = Handling.model_validate(
        {
            "target": "coc",
            "task_type": task_type,
            "associated_task_id": "SC1",
            "associated_task_type": "CUSTOMIZATION",
            "associated_task_name": "restart",
            "input_param": {"timeout": 300, "script_params": []},
            "sub_task_info": {"sub_task_type": "SCRIPT", "sub_associated_task_id": "SC2"} if task_type == "PLAN" else None,
        }
    )

    async def scenario() -> Any:
        async with opened(coc(emulator)) as targets:
            target = targets.tasks["coc"]
            ticket = await target.trigger(ALM, handling)
            rows = await target.histories(ALM)
            return ticket, rows, await target.follow(ticket, task_type, ALM), await target.show(ALM)

    ticket, rows, status, shown = run(scenario())
    assert [(row.work_order_id, row.task_id) for row in rows] == [(ticket, "SC1")]
    assert status.ended is terminal and status.succeeded
    assert shown is not None and shown.id == ALM and shown.status == "alarming"


def test_an_alarm_nobody_knows_is_none(emulator: str) -> None:
    """ShowAlarm of an unknown id."""

    async def scenario() -> Any:
        async with opened(coc(emulator)) as targets:
            return await targets.tasks["coc"].show("ALM0000000000000000nothing00")

    assert run(scenario()) is None


def test_a_custom_event_is_raised_and_restored(emulator: str) -> None:
    """The strict server accepts both bodies."""

    async def scenario() -> None:
        async with opened(coc_events(emulator, integration_key=KEY)) as targets:
            target = targets.alarms["coc-events"]
            sending = target.compose(
                alarm(target="coc-events", timeout=None),
                address="alarm.a",
                starts_at=WallClock().now(),
                stamp=None,
                alarm_id="rec1",
            )
            await target.report([sending])
            record = RecordedAlarm(
                target="coc-events",
                digest="d",
                content={},
                occurrence="o",
                starts_at=1,
                reported_at=1,
                alarm_id="rec1",
                metadata=dict(sending.metadata),
            )
            await target.clear([target.compose_clear("alarm.a", record, ends_at=WallClock().now())])

    run(scenario())
    log = control(emulator, "log")
    assert [row["status"] for row in log if "custom" in row["path"]] == [200, 200]


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::ResourceWarning")
def test_the_vendors_client_and_this_one_see_each_others_alarms(emulator: str) -> None:
    """What one reports the other lists and clears."""
    vendor = (
        AomClient.new_builder()
        .with_credentials(BasicCredentials(FIXED_AK, FIXED_SK, FIXED_PROJECT_ID))
        .with_endpoint(emulator)
        .build()
    )
    now = WallClock().now()
    metadata = {
        "event_name": "theirs",
        "event_severity": "Major",
        "event_type": "alarm",
        "resource_provider": "ecs",
        "resource_type": "vm",
        "resource_id": "x",
    }

    def vendors() -> list[Any]:
        query = EventQueryParam2(time_range="-1.-1.60")
        request = ListEventsRequest(type="active_alert", limit=1000, marker="0", body=query)
        return list(vendor.list_events(request).events)

    async def scenario() -> None:
        async with opened(aom(emulator, project_id=FIXED_PROJECT_ID)) as targets:
            target = targets.alarms["aom"]
            event = EventModel(starts_at=now, timeout=60_000, metadata=metadata, annotations={"message": "m"}, attach_rule={})
            vendor.push_events(PushEventsRequest(body=EventList(events=[event]), enterprise_project_id="0"))
            (theirs,) = await target.active(since=now, stamped=False)
            assert dict(theirs.metadata) == metadata
            record = RecordedAlarm(
                target="aom",
                digest="d",
                content={},
                occurrence="o",
                starts_at=now,
                reported_at=now,
                remote_id=theirs.id,
                metadata=metadata,
            )
            await target.clear([target.compose_clear("alarm.a", record, ends_at=now + 1)])
            assert vendors() == []
            await target.report([target.compose(alarm(), address="alarm.a", starts_at=now, stamp=STAMP, alarm_id=None)])
            (ours,) = vendors()
            clear = EventModel(id=ours.id, ends_at=now + 1, metadata=ours.metadata)
            vendor.push_events(PushEventsRequest(action="clear", body=EventList(events=[clear]), enterprise_project_id="0"))
            assert await target.active(since=now) == []

    run(scenario())


def test_embedded_targets_work_without_an_account() -> None:
    """The emulator in-process, in memory, without credentials."""
    app = make_app(None, Settings(auth_required=False))

    async def scenario() -> Any:
        config = Config(targets=DEFAULT_TARGETS)
        async with open_targets(config, environ={}, embedded=lambda: app, clock=WallClock(), log=lambda _: None) as targets:
            return await life(targets.alarms["aom"])

    before, after = run(scenario())
    assert (len(before), after) == (1, [])


@pytest.mark.parametrize(
    ("fault", "effect", "runs"),
    [
        ("reset-before", Effect.UNKNOWN, 0),
        ("reset-after", Effect.UNKNOWN, 1),
        ("truncate", Effect.UNKNOWN, 1),
        ("html", Effect.UNKNOWN, 1),
        ("empty", Effect.UNKNOWN, 1),
        ("500", Effect.UNKNOWN, 0),
        ("400", Effect.REFUSED, 0),
    ],
)
def test_faults_on_a_trigger_never_lead_to_a_second_request(emulator: str, fault: str, effect: Effect, runs: int) -> None:
    """The server's own count of work orders is the judge."""
    control(emulator, "settings", {"faults": [f"POST:*/auto-process:{fault}"]})
    handling = Handling.model_validate(
        {
            "target": "coc",
            "task_type": "SCRIPT",
            "associated_task_id": "SC1",
            "associated_task_type": "CUSTOMIZATION",
            "associated_task_name": "restart",
        }
    )

    async def scenario() -> Effect:
        async with opened(coc(emulator, request_timeout=2000)) as targets:
            with pytest.raises(TargetError) as caught:
                await targets.tasks["coc"].trigger(ALM, handling)
            return caught.value.effect

    assert run(scenario()) is effect
    sent = [row for row in control(emulator, "log") if row["path"].endswith("/auto-process")]
    assert len(sent) == 1
    assert sum(row["count"] for row in control(emulator, "triggers")) == runs
