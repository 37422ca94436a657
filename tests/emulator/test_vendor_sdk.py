"""The vendor's own clients from PyPI against the emulator, over HTTP: what they can do, the tool can rely on."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest
from huaweicloudsdkaom.v2 import (
    AomClient,
    EventList,
    EventModel,
    EventQueryParam2,
    ListEventsRequest,
    PushEventsRequest,
    RelationModel,
)
from huaweicloudsdkcoc.v1 import (
    AlarmScheduleInstance,
    AutoHandlerAlarmRequestBody,
    ClearAlarmRequest,
    ClearAlarmRequestBody,
    CocClient,
    CreateReportCustomEventRequest,
    GetExecutionRequest,
    GetScriptJobInfoRequest,
    HandlerAlarmRequest,
    ListAlarmHandleHistoriesRequest,
    ReportCustomEventRequestBody,
    ShowAlarmRequest,
)
from huaweicloudsdkcore.auth.credentials import BasicCredentials, GlobalCredentials
from huaweicloudsdkcore.exceptions.exceptions import ClientRequestException

from reconcile.emulator.credentials import FIXED_AK, FIXED_DOMAIN_ID, FIXED_PROJECT_ID, FIXED_SK
from tests.emulator.bench import ALARM_ID
from tests.emulator_fixture import control

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::ResourceWarning")
METADATA = {
    "event_name": "test", "event_severity": "Major", "event_type": "alarm", "resource_provider": "ecs", "resource_type": "vm",
    "resource_id": "ecs123", "team": "x",
}  # fmt: skip


def _aom(url: str, sk: str = FIXED_SK) -> Any:
    credentials = BasicCredentials(FIXED_AK, sk, FIXED_PROJECT_ID)
    return AomClient.new_builder().with_credentials(credentials).with_endpoint(url).build()


def _coc(url: str, sk: str = FIXED_SK) -> Any:
    credentials = GlobalCredentials(FIXED_AK, sk, FIXED_DOMAIN_ID)
    return CocClient.new_builder().with_credentials(credentials).with_endpoint(url).build()


def _push(client: Any, event: Any, action: str | None = None) -> Any:
    request = PushEventsRequest(body=EventList(events=[event]), enterprise_project_id="0")
    if action:
        request.action = action
    return client.push_events(request)


def _listed(client: Any, kind: str = "active_alert") -> Any:
    relation = RelationModel(key="team", value=["x"], relation="AND")
    body = EventQueryParam2(time_range="-1.-1.60", metadata_relation=[relation])
    request = ListEventsRequest(type=kind, limit=1000, marker="0", enterprise_project_id="all_granted_eps", body=body)
    return client.list_events(request)


def test_report_list_and_clear(emulator: str) -> None:
    """204 without an id; the id is found by listing, and the clear needs it."""
    control(emulator, "settings", {"dialect": "current"})
    client = _aom(emulator)
    now = int(time.time() * 1000)
    annotations = {"message": "Alarm Details"}
    report = EventModel(starts_at=now, timeout=60_000, metadata=METADATA, annotations=annotations, attach_rule={})
    assert _push(client, report).status_code == 204
    page = _listed(client)
    (event,) = page.events
    assert (event.metadata, event.annotations, event.starts_at, event.ends_at) == (METADATA, annotations, now, 0)
    assert (page.page_info.current_count, page.page_info.next_marker) == (1, None)
    assert _push(client, EventModel(id=event.id, ends_at=now + 1, metadata=METADATA), "clear").status_code == 204
    assert _listed(client).events == []
    assert _listed(client, "history_alert").events[0].ends_at == now + 1


def test_a_400_is_understood(emulator: str) -> None:
    """Code and words reach the SDK's exception."""
    with pytest.raises(ClientRequestException) as caught:
        _push(_aom(emulator), EventModel(starts_at=1, metadata={"event_name": "x"}))
    assert (caught.value.status_code, caught.value.error_code, caught.value.error_msg) == (400, "AOM.0400", "metadata is invalid")


def test_a_wrong_signature_is_refused(emulator: str) -> None:
    """On AOM and COC alike, and nothing is done."""
    for call in (
        lambda: _listed(_aom(emulator, "wrong")),
        lambda: _push(_aom(emulator, "wrong"), EventModel(starts_at=1, metadata=METADATA)),
        lambda: _coc(emulator, "wrong").show_alarm(ShowAlarmRequest(alarm_id=ALARM_ID)),
    ):
        with pytest.raises(ClientRequestException) as caught:
            call()
        assert (caught.value.status_code, caught.value.error_code) == (401, "APIGW.0301")
        assert "verify aksk signature fail" in caught.value.error_msg
    assert control(emulator, "alarms") == []


def test_auto_process_and_histories(emulator: str) -> None:
    """A trigger answers its work order, which the histories and the order's own page show."""
    client = _coc(emulator)
    body = AutoHandlerAlarmRequestBody(
        task_type="SCRIPT",
        associated_task_id="SC2025071006154101b779eb7",
        associated_task_type="CUSTOMIZATION",
        associated_task_name="testScript",
        associated_task_enterprise_project_id="0",
        runbook_instance_mode="SAME",
        input_param={"timeout": 300, "script_params": "[]"},
        target_instances=[AlarmScheduleInstance(target_selection="MANUAL", target_instances='{"batches":[]}', order_no=0)],
    )
    client.handler_alarm(HandlerAlarmRequest(alarm_id=ALARM_ID, body=body))
    found = client.list_alarm_handle_histories(ListAlarmHandleHistoriesRequest(alarm_id=ALARM_ID, offset=0, limit=100))
    (row,) = found.alarm_handle_histories
    assert (found.count, row.associated_task_id, row.task_type) == (1, body.associated_task_id, "SCRIPT")
    (run,) = control(emulator, "triggers")
    assert (run["count"], run["work_orders"]) == (1, [row.work_order_id])
    order = client.get_script_job_info(GetScriptJobInfoRequest(execute_uuid=row.work_order_id)).data
    assert order.status in ("PROCESSING", "FINISHED")
    with pytest.raises(ClientRequestException):
        client.get_execution(GetExecutionRequest(execution_id=row.work_order_id))


def test_show_and_cancel(emulator: str) -> None:
    """What an alarm is, and what a cancel resolved."""
    client = _coc(emulator)
    alarm = client.show_alarm(ShowAlarmRequest(alarm_id=ALARM_ID)).data
    assert (alarm.id, alarm.status, alarm.importance) == (ALARM_ID, "alarming", "major")
    body = ClearAlarmRequestBody(alarm_ids=ALARM_ID, remarks="done", is_service_interrupt=False)
    assert client.clear_alarm(ClearAlarmRequest(body=body)).data == [ALARM_ID]
    assert client.show_alarm(ShowAlarmRequest(alarm_id=ALARM_ID)).data.status == "resolved"
    with pytest.raises(ClientRequestException) as caught:
        client.show_alarm(ShowAlarmRequest(alarm_id="ALM-unknown"))
    assert caught.value.status_code == 404


def test_a_custom_event(emulator: str) -> None:
    """Taken under any key of 32 letters and digits, kept by its alarmId."""
    body = ReportCustomEventRequestBody(
        alarm_id="18cf", alarm_name="CPU", alarm_level="Critical", time=1709118444540, name_space="shanghai",
        region_id="cn-north-4", application_id="18cfa", resource_name="m", resource_id="r", alarm_desc="d",
        url="https://example.com", alarm_status="ok", alarm_source="coc", additional={},
    )  # fmt: skip
    answer = _coc(emulator).create_report_custom_event(CreateReportCustomEventRequest(integration_key="a1" * 16, body=body))
    assert (answer.error_code, answer.provider_code) == ("COC.00000000", "049")
    (event,) = control(emulator, "coc-events")
    assert (event["alarmId"], event["status"], event["body"]["URL"]) == ("18cf", "ok", "https://example.com")
    assert "a1" * 16 not in json.dumps(control(emulator, "log"))
