"""COC: custom events, the alarms that exist from the start, tasks and their work orders."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from tests.emulator.bench import ALARM_ID, Bench, bench

KEY = "0123456789abcdefABCDEF0123456789"
EVENT = {
    "alarmId": "18cf0f8", "alarmName": "CPU Usage Exceeding Threshold", "alarmLevel": "Critical", "time": 1709118444540,
    "nameSpace": "shanghai", "regionId": "cn-north-4", "applicationId": "18cfa0a5ef8d", "resourceName": "machine-1",
    "resourceId": "18cx", "alarmDesc": "string", "URL": "https://example.com", "alarmStatus": "alarm", "alarmSource": "coc",
    "additional": {},
}  # fmt: skip
SCRIPT = {
    "task_type": "SCRIPT", "associated_task_type": "CUSTOMIZATION", "associated_task_id": "SC2025071006154101b779eb7",
    "associated_task_enterprise_project_id": "0", "associated_task_name": "testScript",
    "input_param": {"timeout": 300, "execute_user": "root", "success_rate": 100, "script_params": "[]"},
    "target_instances": [
        {"target_selection": "MANUAL", "target_instances": '{"batches":[]}', "order_no": 0, "batch_strategy": "NONE"}
    ],
    "runbook_instance_mode": "SAME", "sub_task_info": None,
}  # fmt: skip


def _report(b: Bench, **change: Any) -> tuple[int, Any]:
    body = {name: value for name, value in (EVENT | change).items() if value is not ...}
    return b.call("POST", f"/v1/event/huawei/custom/{KEY}", body)


def _trigger(b: Bench, alarm: str = ALARM_ID, **change: Any) -> tuple[int, Any]:
    return b.call("POST", f"/v1/alarm-mgmt/alarm/{alarm}/auto-process", SCRIPT | change)


def _histories(b: Bench, query: str = "offset=0&limit=100", alarm: str = ALARM_ID) -> tuple[int, Any]:
    return b.call("GET", f"/v1/alarm-mgmt/alarm/{alarm}/handle-histories?{query}")


def test_a_custom_event_is_answered_as_the_document_has_it() -> None:
    """The answer of its example, byte for byte but for spaces."""
    with bench() as b:
        success = {"error_code": "COC.00000000", "error_msg": "success", "data": None, "provider_code": "049"}
        assert _report(b) == (200, success)


def test_every_missing_field_is_named_at_once() -> None:
    """Joined by bars, as in the example of the document."""
    with bench() as b:
        status, body = _report(b, alarmName=..., alarmId=None)
        assert (status, body["error_code"], body["provider_code"]) == (400, "COC.00000001", "049")
        assert body["error_msg"] == "alarmName must not be null | alarmId must not be null"


@pytest.mark.parametrize(
    "change",
    [{"alarmLevel": "critical"}, {"alarmStatus": "OK"}, {"alarmDesc": ""}, {"alarmDesc": "x" * 256}, {"time": "1709118444540"},
     {"time": 0}, {"time": 1.5}, {"additional": []}, {"resourceName": "x" * 256}, {"nameSpace": 7}, {"namespace": "x"}],
)  # fmt: skip
def test_a_custom_event_that_breaks_a_rule_is_a_400(change: dict[str, Any]) -> None:
    """Enumerations, lengths of 255, types, and names in another case."""
    with bench() as b:
        assert _report(b, **change)[0] == 400


@pytest.mark.parametrize("change", [{"regionId": ...}, {"URL": ""}, {"alarmDesc": "x" * 255}, {"additional": {"k": [1]}}])
def test_optional_fields_may_be_blank(change: dict[str, Any]) -> None:
    """And text of 255 characters fits."""
    with bench() as b:
        assert _report(b, **change)[0] == 200


def test_the_alarms_that_exist_from_the_start() -> None:
    """Ids of 26 characters, one of them resolved; an unknown id is a 404."""
    with bench() as b:
        status, body = b.call("GET", f"/v1/alarm-mgmt/alarm/{ALARM_ID}")
        assert (status, body["data"]["id"], body["data"]["status"]) == (200, ALARM_ID, "alarming")
        rows = b.desk.store.db.execute("SELECT id, status FROM coc_alarms").fetchall()
        assert all(re.fullmatch(r"ALM[0-9A-Za-z]{23}", id) for id, _ in rows)
        assert sorted(status for _, status in rows) == ["alarming"] * 4 + ["resolved"]
        for call in (b.call("GET", "/v1/alarm-mgmt/alarm/ALM1"), _trigger(b, "ALM1"), _histories(b, alarm="ALM1")):
            assert (call[0], set(call[1])) == (404, {"error_code", "error_msg"})


def test_a_cancel_names_what_it_resolved() -> None:
    """Partial success is visible, and the histories tell who resolved it."""
    with bench() as b:
        body = {"alarm_ids": f"{ALARM_ID},ALM1", "remarks": "done", "is_service_interrupt": False}
        assert b.call("POST", "/v1/alarm-mgmt/alarms/cancel", body) == (200, {"data": [ALARM_ID]})
        assert b.call("POST", "/v1/alarm-mgmt/alarms/cancel", body) == (200, {"data": []})
        assert b.call("POST", "/v1/alarm-mgmt/alarms/cancel", {"alarm_ids": [ALARM_ID]})[0] == 400
        assert _histories(b)[1]["resolved_record"]["remarks"] == "done"


def test_every_trigger_is_one_more_work_order() -> None:
    """Not idempotent: the same body twice runs twice, and the histories show both, newest first."""
    with bench() as b:
        orders = [_trigger(b)[1]["data"] for _ in range(3)]
        assert len(set(orders)) == 3
        status, body = _histories(b)
        assert (status, body["count"]) == (200, 3)
        assert [row["work_order_id"] for row in body["alarm_handle_histories"]] == orders[::-1]
        row = body["alarm_handle_histories"][0]
        assert (row["associated_task_id"], row["task_type"]) == (SCRIPT["associated_task_id"], "SCRIPT")
        assert row["sub_task_info"] is None


def test_the_trigger_is_answered_as_the_document_has_it() -> None:
    """errorCode, errorMsg and the work order."""
    with bench() as b:
        status, body = _trigger(b)
        assert (status, body["errorCode"], body["errorMsg"]) == (200, "200", "Success")
        assert re.fullmatch(r"RBT\d{14}[0-9a-f]{9}", body["data"])


def test_histories_are_paged_by_offset_and_limit() -> None:
    """Both are mandatory; pages neither overlap nor skip."""
    with bench() as b:
        orders = [_trigger(b)[1]["data"] for _ in range(5)][::-1]
        pages = [_histories(b, f"offset={offset}&limit=2")[1] for offset in (0, 2, 4, 6)]
        assert [row["work_order_id"] for page in pages for row in page["alarm_handle_histories"]] == orders
        assert {page["count"] for page in pages} == {5}
        for query in ("", "offset=0", "limit=5", "offset=0&limit=101", "offset=-1&limit=5", "offset=0&limit=0"):
            assert _histories(b, query)[0] == 400


@pytest.mark.parametrize(
    "change",
    [{"task_type": "Script"}, {"task_type": None}, {"associated_task_id": ""}, {"associated_task_name": None},
     {"associated_task_type": "OWN"}, {"input_param": None}, {"input_param": "x"}, {"input_param": {"script_params": []}},
     {"runbook_instance_mode": "same"}, {"target_instances": {}}, {"target_instances": [{"target_selection": "MANUAL"}]},
     {"target_instances": [{"target_selection": "SOME", "order_no": 0}]},
     {"target_instances": [{"target_selection": "ALL", "order_no": "0"}]},
     {"target_instances": [{"target_selection": "ALL", "order_no": 0, "target_instances": {"batches": []}}]},
     {"target_instances": [{"target_selection": "ALL", "order_no": 0, "target_instances": "no json"}]},
     {"target_instances": [{"target_selection": "ALL", "order_no": 0, "sub_target_instances": [{"order_no": 0}]}]},
     {"sub_task_info": {"sub_associated_task_id": "x" * 101}}, {"sub_task_info": {"sub_task_type": "x"}}, {"alarm_id": "x"}],
)  # fmt: skip
def test_a_trigger_that_breaks_a_rule_runs_nothing(change: dict[str, Any]) -> None:
    """A 400 in the document's spelling, and no work order."""
    with bench() as b:
        status, body = _trigger(b, **change)
        assert (status, set(body)) == (400, {"error_code", "error_msg"})
        assert _histories(b)[1]["count"] == 0


@pytest.mark.parametrize(
    ("task_type", "path", "running", "ended"),
    [("RUNBOOK", "/v1/executions/", "Running", "Failed"), ("SCRIPT", "/v1/job/script/orders/", "PROCESSING", "ABNORMAL")],
)
def test_work_orders_run_and_end(task_type: str, path: str, running: str, ended: str) -> None:
    """By the clock; how they end is a setting, and each type is found in its own place."""
    with bench(task_seconds=5, task_outcome="fail") as b:
        order = _trigger(b, task_type=task_type)[1]["data"]
        assert b.call("GET", path + order)[1]["data"]["status"] == running
        assert _histories(b)[1]["alarm_handle_histories"][0]["end_time"] is None
        b.shift(5_000)
        assert b.call("GET", path + order)[1]["data"]["status"] == ended
        row = _histories(b)[1]["alarm_handle_histories"][0]
        assert (row["status"], row["duration"]) == (ended, 5_000)
        assert b.call("GET", path + "unknown")[0] == 404


def test_histories_may_lag() -> None:
    """A run that just began is not seen yet."""
    with bench(history_lag=10) as b:
        _trigger(b)
        assert _histories(b)[1]["count"] == 0
        b.shift(11_000)
        assert _histories(b)[1]["count"] == 1


def test_a_plan_with_a_sub_task_is_kept_with_it() -> None:
    """As the first example of the document has it."""
    with bench() as b:
        sub = {
            "sub_task_type": "SCRIPT", "sub_associated_task_id": "SC1", "sub_associated_task_name": "n",
            "sub_associated_task_type": "CUSTOMIZATION",
        }  # fmt: skip
        assert _trigger(b, task_type="PLAN", sub_task_info=sub)[0] == 200
        assert _histories(b)[1]["alarm_handle_histories"][0]["sub_task_info"] == sub


def test_what_may_be_secret_is_not_readable_in_the_file(tmp_path: Any) -> None:
    """Annotations, custom events and logged bodies: stored, but not as plain text; the file is the owner's alone."""
    path = tmp_path / "deep" / "emulator.db"
    with bench(path, keep_bodies=True) as b:
        b.push(b.event(annotations={"token": "canary-one"}))
        _report(b, additional={"token": "canary-two"})
        _trigger(b, input_param={"token": "canary-three"})
        assert b.active()[0]["annotations"] == {"token": "canary-one"}
        for file in path.parent.iterdir():
            assert b"canary" not in file.read_bytes(), file
            assert file.stat().st_mode & 0o077 == 0
            assert json.dumps(KEY).encode()[1:-1] not in file.read_bytes()
