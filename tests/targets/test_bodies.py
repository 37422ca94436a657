"""The bodies of the five documents' examples, written as resources, come out equal."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from reconcile.model.config import Target
from reconcile.model.resources import Alarm, Event, Handling, Resource
from reconcile.model.snapshot import RecordedAlarm
from reconcile.ports import Stamp
from reconcile.targets.aom import AomTarget
from reconcile.targets.coc_body import auto_process_body
from reconcile.targets.coc_events import CocEventsTarget
from reconcile.targets.http.wire import Request, Response
from reconcile.targets.settings import Settings

GOLDEN = Path(__file__).parent / "golden"


class NoWire:
    """Composing sends nothing."""

    async def send(self, request: Request) -> Response:
        raise AssertionError(request.label)


async def no_project() -> str:
    raise AssertionError("composing asks for no project")


def golden(name: str) -> Any:
    return json.loads((GOLDEN / f"{name}.json").read_text("utf-8"))


def aom(dialect: str, **changes: Any) -> AomTarget:
    target = Target(name="aom", type="aom", dialect=dialect, **changes)  # type: ignore[arg-type]
    return AomTarget(target, NoWire(), project_id=no_project, now=lambda: 0)


def alarm(**changes: Any) -> Alarm:
    given: dict[str, Any] = {
        "target": "aom",
        "name": "test",
        "severity": "Major",
        "resource": Resource(provider="ecs", type="vm", id="ecs123"),
        "message": "Alarm Details",
        "probable_cause": "Possible Causes",
        "fix_suggestion": "Suggestions",
        "timeout": 60_000,
        "attach_rule": {},
    }
    return Alarm(**{**given, **changes})


def test_the_current_documents_example_comes_out_equal() -> None:
    """AOM PushEvents (current), example request."""
    sending = aom("current").compose(alarm(), address="alarm.a", starts_at=1605232501000, stamp=None, alarm_id=None)
    assert golden("push-events-current") == {"events": [sending.body]}


def test_the_legacy_documents_example_comes_out_equal_but_for_its_clearing_time() -> None:
    """AOM PushEvents (legacy): a report never says when it was cleared, though the example does."""
    texts = {"message": "details", "probable_cause": "possible cause", "fix_suggestion": "fix suggestion"}
    sending = aom("legacy").compose(alarm(**texts), address="alarm.a", starts_at=1579420868000, stamp=None, alarm_id=None)
    expected = golden("push-events-legacy")["events"][0]
    assert expected.pop("ends_at") == 1579420868000
    assert expected == sending.body


def test_the_2021_documents_example_comes_out_equal_but_for_its_clearing_time_and_the_message_we_require() -> None:
    """AOM PushEvents (2021): `resource_group_id` stands beside the metadata."""
    changes = {
        "probable_cause": "possible cause",
        "fix_suggestion": "fix suggestion",
        "resource_group_id": "5680587ab6*******755c543c1f",
        "metadata": {"mo_alarm_group_id": "123", "mo_alarm_id": "456"},
    }
    sending = aom("cn-2021").compose(alarm(**changes), address="alarm.a", starts_at=1579420868000, stamp=None, alarm_id=None)
    expected = golden("push-events-cn-2021")["events"][0]
    del expected["ends_at"]
    expected["annotations"]["message"] = "Alarm Details"
    assert expected == sending.body


def test_the_custom_event_example_comes_out_equal() -> None:
    """COC ReportCustomEvent, example request."""
    resource = Alarm(
        target="coc-events",
        name="CPU Usage Exceeding Threshold",
        severity="Critical",
        resource=Resource(provider="p", type="t", id="18cxxxxxxxxxxxxff68625", name="machine-1", region="cn-north-4"),
        message="string",
        url="https://example.com",
        application_id="18cfa0a5ef8d",
        namespace="shanghai",
        source="coc",
    )
    target = CocEventsTarget(Settings(Target(name="coc-events", type="coc-events"), "https://x"), NoWire())
    sending = target.compose(
        resource, address="alarm.a", starts_at=1709118444540, stamp=Stamp("ignored"), alarm_id="18cfxxxxxxxxxx0f8"
    )
    assert golden("custom-event") == sending.body


def test_a_target_gives_namespace_application_and_source_where_the_alarm_is_silent() -> None:
    """The resource's own words win over the target's."""
    settings = Settings(
        Target(name="coc-events", type="coc-events"), "https://x", namespace="prod", application_id="app-1", source="gitops"
    )
    resource = alarm(target="coc-events", source="mine", additional={"ticket": 7})
    body = CocEventsTarget(settings, NoWire()).compose(resource, address="alarm.a", starts_at=1, stamp=None, alarm_id="id1").body
    assert (body["nameSpace"], body["applicationId"], body["alarmSource"]) == ("prod", "app-1", "mine")
    assert body["additional"] == {"probable_cause": "Possible Causes", "fix_suggestion": "Suggestions", "ticket": 7}


@pytest.mark.parametrize("task", ["plan", "script", "runbook"])
@pytest.mark.parametrize("spelling", ["plain", "structured"])
def test_the_auto_process_examples_come_out_equal_in_both_spellings(task: str, spelling: str) -> None:
    """COC HandlerAlarm: a field that wants a string of JSON may be written as the structure it holds."""
    expected = golden(f"auto-process-{task}")
    written = expected if spelling == "plain" else structured(expected)
    if spelling == "structured":
        assert written != expected
    handling = Handling.model_validate({"target": "coc", "alarm_id": "A", "alarm": "alarm.x", "rerun": "change", **written})
    assert expected == auto_process_body(handling)


def structured(body: dict[str, Any]) -> dict[str, Any]:
    """The body as a person would write it in a spec."""
    params = {
        key: json.loads(value) if isinstance(value, str) and value[0] in "[{" else value
        for key, value in body["input_param"].items()
    }
    instances = [
        {**row, "target_instances": json.loads(row["target_instances"]) if row["target_instances"] else None}
        for row in body["target_instances"]
    ]
    return {**body, "input_param": params, "target_instances": instances}


def test_a_nested_structure_in_a_sub_step_is_encoded_too() -> None:
    """`sub_target_instances` are instances like their parents; other characters than ASCII stay readable."""
    row = {
        "target_selection": "MANUAL",
        "order_no": 0,
        "sub_target_instances": [
            {"target_selection": "MANUAL", "order_no": 0, "target_instances": {"batches": [{"name": "上海"}]}}
        ],
    }
    handling = Handling.model_validate(
        {
            "target": "coc",
            "task_type": "SCRIPT",
            "associated_task_id": "SC1",
            "associated_task_type": "COMMUNAL",
            "associated_task_name": "n",
            "target_instances": [row],
        }
    )
    body = auto_process_body(handling)
    assert body["target_instances"][0]["sub_target_instances"][0]["target_instances"] == '{"batches":[{"name":"上海"}]}'
    assert body["input_param"] == {}


def test_an_event_is_typed_so_and_carries_a_timeout_all_the_same() -> None:
    """No server default is trusted: the dialect's own default is written out."""
    fields = {k: v for k, v in alarm().content().items() if k not in ("timeout", "lifecycle")}
    sending = aom("legacy").compose(Event.model_validate(fields), address="event.e", starts_at=1, stamp=None, alarm_id=None)
    assert (sending.body["metadata"]["event_type"], sending.body["timeout"]) == ("event", 259_200_000)
    assert "attach_rule" not in sending.body


def test_the_stamp_stands_in_the_metadata_unless_the_target_does_without() -> None:
    """`stamp: false` keeps the metadata as the spec has it."""
    stamp = Stamp("shop/alarm.a")
    marked = aom("current").compose(alarm(), address="alarm.a", starts_at=1, stamp=stamp, alarm_id=None)
    bare = aom("current", stamp=False).compose(alarm(), address="alarm.a", starts_at=1, stamp=stamp, alarm_id=None)
    assert marked.metadata == {**bare.metadata, "managed_by": "reconcile", "reconcile_key": "shop/alarm.a"}


def recorded(**changes: Any) -> RecordedAlarm:
    given: dict[str, Any] = {
        "target": "aom",
        "digest": "sha256:x",
        "content": {"enterprise_project_id": "eps-1"},
        "occurrence": "o",
        "starts_at": 5,
        "reported_at": 100,
        "remote_id": "6775161208461480000",
        "metadata": {"event_name": "old", "z": "1", "a": "2"},
    }
    return RecordedAlarm(**{**given, **changes})


def test_a_clear_replays_the_stored_metadata_byte_for_byte_with_the_id() -> None:
    """Dialect current: id, metadata in the stored order, ends_at, and the enterprise project of the report."""
    sending = aom("current").compose_clear("alarm.a", recorded(), ends_at=200)
    assert (
        json.dumps(sending.body)
        == '{"ends_at": 200, "metadata": {"event_name": "old", "z": "1", "a": "2"}, "id": "6775161208461480000"}'
    )
    assert sending.group == "eps-1"


@pytest.mark.parametrize("dialect", ["legacy", "cn-2021"])
def test_a_clear_of_the_older_dialects_names_no_id_and_no_enterprise_project(dialect: str) -> None:
    """Their documents forbid to fill it in."""
    sending = aom(dialect).compose_clear("alarm.a", recorded(), ends_at=200)
    assert "id" not in sending.body
    assert sending.group == "0"


def test_a_clear_never_ends_before_the_report_began() -> None:
    """Clocks of two machines differ; an end before the start would be refused."""
    assert aom("current").compose_clear("alarm.a", recorded(), ends_at=99).body["ends_at"] == 100


def test_a_custom_event_is_cleared_by_the_same_id_with_status_ok() -> None:
    """The flat fields are repeated from the state; `additional` may have held a secret and is not."""
    settings = Settings(Target(name="c", type="coc-events"), "https://x", namespace="n", application_id="a", source="s")
    target = CocEventsTarget(settings, NoWire())
    raised = target.compose(
        alarm(additional={"password": "hunter2"}), address="alarm.a", starts_at=100, stamp=None, alarm_id="rec1"
    )
    assert "hunter2" not in json.dumps(dict(raised.metadata))
    record = recorded(metadata=dict(raised.metadata), alarm_id="rec1")
    cleared = target.compose_clear("alarm.a", record, ends_at=200).body
    assert {**raised.body, "time": 200, "alarmStatus": "ok", "additional": {}} == cleared


def test_a_sending_does_not_show_its_body() -> None:
    """It may hold secrets; a repr ends up in tracebacks."""
    sending = aom("current").compose(
        alarm(annotations={"token": "hunter2"}), address="alarm.a", starts_at=1, stamp=None, alarm_id=None
    )
    assert "hunter2" not in repr(sending)
