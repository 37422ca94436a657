"""Contract sections 4 and 6: COC custom events, and tasks that run at most once."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

import pytest

from tests.contract.cloud import ALM, KEY, Cloud, Reply, Seen
from tests.contract.conftest import Project

EVENT = """\
alarms:
  pool:
    target: coc-events
    severity: Critical
    name: pool empty
    resource: {provider: rds, type: db, id: rds-1, name: shop, region: cn-north-4}
    message: no connection left
    probable_cause: leak
    fix_suggestion: restart
    url: https://wiki.example/pool
    additional: {ticket: 7, env: prod}
"""
TASK = """\
handlings:
  restart:
    alarm: %s
    alarm_id: %s
    task_type: SCRIPT
    associated_task_id: SC2025071006154101b779eb7
    associated_task_type: CUSTOMIZATION
    associated_task_name: restart-agent
    input_param: {timeout: 300, script_params: [{param_name: a, param_value: "1"}]}
    target_instances:
      - {target_selection: MANUAL, order_no: 0, batch_strategy: NONE, target_instances: {batches: []}}
    sub_task_info: null
"""
ALARM = "alarms:\n  web: {severity: Major, resource: {provider: e, type: vm, id: a}, message: m}\n"


def task(alarm: str = "web", alarm_id: str = ALM) -> str:
    """One handling of one alarm."""
    return TASK % (alarm, alarm_id)


def test_a_custom_event_is_raised_and_restored_as_the_table_says(project: Project, cloud: Cloud) -> None:
    """One per request; the same alarmId, letters and digits, in both; no login on the way is needed."""
    project.specs(EVENT)
    ran = project.apply()
    [raised] = [seen for seen in cloud.seen if "/custom/" in seen.path]
    assert (raised.method, raised.target) == ("POST", f"/v1/event/huawei/custom/{KEY}")
    body = raised.body
    assert re.fullmatch("[A-Za-z0-9]{1,255}", body["alarmId"]) and abs(body["time"] - raised.at) < 5000
    assert {k: v for k, v in body.items() if k not in ("alarmId", "time")} == {
        "alarmName": "pool empty",
        "alarmLevel": "Critical",
        "nameSpace": "prod",
        "regionId": "cn-north-4",
        "applicationId": "app-1",
        "resourceName": "shop",
        "resourceId": "rds-1",
        "alarmDesc": "no connection left",
        "URL": "https://wiki.example/pool",
        "alarmStatus": "alarm",
        "alarmSource": "gitops",
        "additional": {"ticket": 7, "env": "prod", "probable_cause": "leak", "fix_suggestion": "restart"},
    }
    assert project.state["resources"]["alarm.pool"]["confirmation"] == "assumed" and "assumed" in ran.err + ran.out
    project.specs(EVENT.replace("no connection left", "still none"))
    project.apply()
    project.specs(
        EVENT.replace("  pool:", "  renamed:").replace("no connection left", "still none")
        + "moved: [{from: alarm.pool, to: alarm.renamed}]\n"
    )
    project.apply()
    project.specs("# nothing\n")
    project.apply("--allow", "empty", "--allow", "clears=9")
    sent = [seen.body for seen in cloud.seen if "/custom/" in seen.path]
    assert [one["alarmStatus"] for one in sent] == ["alarm", "alarm", "ok"] and len({one["alarmId"] for one in sent}) == 1
    assert cloud.raised == {} and KEY.encode() not in project.everything() and KEY not in ran.out + ran.err


@pytest.mark.parametrize(
    ("reply", "code"),
    [
        (Reply(200, {"error_code": "0", "error_msg": ""}), 0),
        (Reply(200, {"errorCode": "200"}), 0),
        (Reply(200, {"error_code": "COC.00000001", "error_msg": "alarmName must not be null"}), 1),
        (Reply(200, {"data": 1}), 1),
        (Reply(400, {"error_code": "COC.00000001", "error_message": "bad thing", "trace_id": "t-1"}), 1),
    ],
)
def test_success_in_coc_is_200_and_a_code_that_says_so(project: Project, cloud: Cloud, reply: Reply, code: int) -> None:
    """A 200 with another code, or none, is a failure that shows the server's words."""
    cloud.before = lambda seen: reply
    project.specs(EVENT)
    ran = project.apply(code=code)
    if code and "error_code" in reply.body:
        assert reply.body["error_code"] in ran.out + ran.err
        assert (reply.body.get("error_msg") or reply.body["error_message"]) in ran.out + ran.err
        assert reply.body.get("trace_id", "") in ran.out + ran.err
    assert (project.actions() == {}) is (code == 0)


def test_what_aom_has_and_coc_events_have_not_is_an_error(project: Project) -> None:
    """timeout, metadata, annotations, attach_rule, enterprise project there; namespace, additional here."""
    for line in ("timeout: 5d", "metadata: {a: b}", "annotations: {a: b}", "attach_rule: {}", 'enterprise_project_id: "0"'):
        project.specs(EVENT + f"    {line}\n")
        assert project.run("validate").code == 10, line
    for line in ("namespace: n", "application_id: a", "source: s", "additional: {a: 1}"):
        project.specs(ALARM.replace("}, message", "}, " + line + ", message"))
        assert project.run("validate").code == 10, line


def test_a_task_starts_once_after_its_alarm_with_the_documents_body(project: Project, cloud: Cloud) -> None:
    """Histories first, then one POST; structured strings are encoded; the answer's data is the work order."""
    project.specs(ALARM + task())
    project.apply()
    [post] = cloud.posts
    assert post.target == f"/v1/alarm-mgmt/alarm/{ALM}/auto-process"
    body = post.body
    assert json.loads(body["input_param"].pop("script_params")) == [{"param_name": "a", "param_value": "1"}]
    assert json.loads(body["target_instances"][0].pop("target_instances")) == {"batches": []}
    assert body == {
        "task_type": "SCRIPT",
        "associated_task_id": "SC2025071006154101b779eb7",
        "associated_task_type": "CUSTOMIZATION",
        "associated_task_name": "restart-agent",
        "input_param": {"timeout": 300},
        "target_instances": [{"target_selection": "MANUAL", "order_no": 0, "batch_strategy": "NONE"}],
        "sub_task_info": None,
    }
    names = ["push" if "/push/" in s.path else s.path.rsplit("/", 1)[-1] for s in cloud.seen]
    assert names.index("push") < names.index("handle-histories") < names.index("auto-process")
    [run] = project.state["resources"]["handling.restart"]["runs"]
    assert run["ticket"] == cloud.histories[0]["work_order_id"]
    for change in ("message: n", "message: n, severity: Minor"):
        project.specs(
            ALARM.replace("message: m", change).replace("severity: Major, ", "" if "sev" in change else "severity: Major, ")
            + task()
        )
        project.apply()
    edited = ALARM.replace("message: m", "message: n, severity: Minor").replace("severity: Major, ", "")
    project.specs(edited + task().replace("restart-agent", "other-name"))
    project.apply()
    project.apply("--refresh")
    assert len(cloud.posts) == 1
    project.apply("--rerun", "handling.restart")
    assert len(cloud.posts) == 2


def test_the_baseline_is_every_page_of_the_histories(project: Project, cloud: Cloud) -> None:
    """A row with the task's id on the last of many short pages: it already ran, and is deferred."""
    row = {"create_name": "me", "status": "Succeed", "associated_task_id": "other", "task_type": "SCRIPT"}
    cloud.histories = [row | {"work_order_id": f"W{n}"} for n in range(7)]
    cloud.histories.append(row | {"work_order_id": "WLAST", "associated_task_id": "SC2025071006154101b779eb7"})
    cloud.history_page = 3
    project.specs(ALARM + task())
    ran = project.run("apply", "--auto-approve")
    assert cloud.posts == [] and "WLAST" in ran.out + ran.err and ran.code in (0, 3)
    asked = [seen.query for seen in cloud.seen if seen.path.endswith("handle-histories")]
    assert {int(re.search(r"offset=(\d+)", query)[1]) for query in asked} >= {0, 3, 6}  # type: ignore[index]
    project.apply("--rerun", "handling.restart")
    assert len(cloud.posts) == 1


def refuse(status: int, times: int = 99, **headers: str) -> Callable[[Seen], Reply | None]:
    """Answer the POST of a task with a refusal, so many times."""
    left = [times]

    def answer(seen: Seen) -> Reply | None:
        if not seen.path.endswith("auto-process") or left[0] == 0:
            return None
        left[0] -= 1
        return Reply(
            status, {"error_code": "COC.1", "error_msg": "said no"}, {k.replace("_", "-"): v for k, v in headers.items()}
        )

    return answer


def test_a_429_is_waited_for_and_sent_again(project: Project, cloud: Cloud) -> None:
    """The gateway refused it: nothing ran."""
    cloud.before = refuse(429, 1, Retry_After="1")
    project.specs(ALARM + task())
    project.apply()
    assert len(cloud.posts) == 2 and cloud.posts[1].at - cloud.posts[0].at >= 950 and len(cloud.histories) == 1


@pytest.mark.parametrize(
    "status", [*[400, 401], *(pytest.param(other, marks=pytest.mark.full) for other in [403, 404, 409, 422])]
)
def test_another_refusal_is_a_failure_and_planned_again(project: Project, cloud: Cloud, status: int) -> None:
    """Exit 3 (the alarm went through); one POST; the next apply sends it."""
    cloud.before = refuse(status, 1)
    project.specs(ALARM + task())
    ran = project.apply(code=3)
    assert len(cloud.posts) == 1 and "said no" in ran.out + ran.err
    project.apply()
    assert len(cloud.posts) == 2 and len(cloud.histories) == 1


def lose(cloud: Cloud, how: str, *, runs: bool) -> Callable[[Seen], Reply | None]:
    """Lose the answer of the first POST, after the task ran or before."""
    left = [1]

    def answer(seen: Seen) -> Reply | None:
        if not seen.path.endswith("auto-process") or not left[0]:
            return None
        left[0] = 0
        if runs:
            cloud.ran(seen)
        match how:
            case "reset":
                return Reply(cut=True)
            case "truncated":
                return Reply(200, text='{"errorCode": "200", "da')
            case "timeout":
                return Reply(200, {}, delay=3)
            case "other code":
                return Reply(200, {"errorCode": "500", "errorMsg": "hm"})
        return Reply(int(how), {"error_code": "COC.5", "error_msg": "oops"}, {"Retry-After": "1"})

    return answer


@pytest.mark.parametrize(
    "how",
    [
        *["truncated", "timeout", "503"],
        *(pytest.param(other, marks=pytest.mark.full) for other in ["reset", "408", "500", "302"]),
    ],
)
def test_a_lost_answer_is_never_sent_again_by_itself(project: Project, cloud: Cloud, how: str) -> None:
    """Nothing in the histories: exit 7, `unknown` in every plan, and no second POST by any apply."""
    cloud.before = lose(cloud, how, runs=False)
    project.config(coc="request_timeout: 1s")
    project.specs(ALARM + task())
    project.apply(code=7)
    assert len(cloud.posts) == 1
    document = project.plan()
    assert document["pending"] and {row["address"]: row["action"] for row in document["changes"]} == {"handling.restart": "defer"}
    project.apply(code=7)
    assert len(cloud.posts) == 1


@pytest.mark.parametrize("how", ["reset", "503"])
def test_a_lost_answer_with_one_new_row_is_adopted(project: Project, cloud: Cloud, how: str) -> None:
    """The history says what became of it: exit 0, the work order is known."""
    cloud.before = lose(cloud, how, runs=True)
    project.specs(ALARM + task())
    project.apply()
    [run] = project.state["resources"]["handling.restart"]["runs"]
    assert run["ticket"] == cloud.histories[0]["work_order_id"] and len(cloud.posts) == 1
    project.apply()
    assert len(cloud.posts) == 1


def test_two_new_rows_stay_unknown(project: Project, cloud: Cloud) -> None:
    """Several candidates: a person decides."""
    lost = lose(cloud, "reset", runs=True)

    def twice(seen: Seen) -> Reply | None:
        reply = lost(seen)
        if reply:
            cloud.ran(seen, who="other")
        return reply

    cloud.before = twice
    project.specs(ALARM + task())
    project.apply(code=7)
    assert len(cloud.posts) == 1


def test_a_killed_apply_never_runs_a_task_twice(project: Project, cloud: Cloud) -> None:
    """The intent is durable before the POST: killed while it is in flight, the next run finds it in the histories."""

    def hang(seen: Seen) -> Reply | None:
        if seen.path.endswith("auto-process"):
            cloud.ran(seen)
            return Reply(200, {}, delay=0.0, cut=True) if killed else _wait()
        return None

    killed: list[int] = []
    started: subprocess.Popen[bytes] | None = None

    def _wait() -> Reply:
        assert started is not None
        journal = b"".join(p.read_bytes() for p in (project.root / "state").glob("*journal*"))
        assert b"trigger" in journal and b"handling.restart" in journal
        os.kill(started.pid, signal.SIGKILL)
        killed.append(1)
        return Reply(cut=True)

    cloud.before = hang
    project.specs(ALARM + task())
    argv = [sys.executable, "-m", "reconcile", "apply", "--auto-approve"]
    null = subprocess.DEVNULL
    started = subprocess.Popen(argv, cwd=project.root, env=project.environ(), stdin=null, stderr=null, stdout=null)
    assert started.wait(60) == -signal.SIGKILL
    cloud.before = lambda seen: None
    project.apply()
    assert len(cloud.posts) == 1
    assert project.state["resources"]["handling.restart"]["runs"][0]["ticket"] == cloud.histories[0]["work_order_id"]


def test_why_a_task_is_deferred(project: Project, cloud: Cloud) -> None:
    """No alarm_id; a resolved alarm (with --refresh); a used alarm_id in a new occurrence."""
    project.specs(ALARM + task().replace(f"    alarm_id: {ALM}\n", ""))
    assert project.actions() == {"alarm.web": "report", "handling.restart": "defer"}
    assert project.run("plan", "--detailed-exitcode", "--exclude", "alarm.*").code == 0
    project.specs(ALARM + task())
    cloud.alarm_status = "resolved"
    assert project.actions("--refresh")["handling.restart"] == "defer"
    cloud.alarm_status = "alarming"
    project.apply()
    project.specs("# gone\n")
    project.apply("--allow", "empty", "--allow", "clears=9")
    project.specs(ALARM + task())
    project.run("apply", "--auto-approve")
    assert len(cloud.posts) == 1


def test_several_tasks_of_one_alarm_run_one_after_the_other_by_address(project: Project, cloud: Cloud) -> None:
    """Never two at once; independent of the order in the file."""
    both = task().replace("handlings:\n", "").replace("  restart:", "  zz:").replace("SC2025071006154101b779eb7", "SCZ")
    project.specs(ALARM + "handlings:\n" + both + task().replace("handlings:\n", "").replace("  restart:", "  aa:"))
    project.apply()
    assert [post.body["associated_task_id"] for post in cloud.posts] == ["SC2025071006154101b779eb7", "SCZ"]
    runs = [s for s in cloud.seen if "alarm-mgmt" in s.path]
    assert runs[-1].path.endswith("auto-process")


def test_a_task_waits_for_its_alarm(project: Project, cloud: Cloud) -> None:
    """The alarm's report failed: nothing runs."""
    cloud.poisoned = "a"
    project.specs(ALARM + task())
    project.apply(code=1)
    assert cloud.posts == []
    cloud.poisoned = None
    project.apply()
    assert len(cloud.posts) == 1


def test_triggers_beyond_the_guard_are_refused(project: Project, cloud: Cloud) -> None:
    """Exit 6, nothing sent, the plan is still shown; --allow lifts it."""
    project.config(extra="guards: {max_triggers: 1}")
    two = task() + task().replace("handlings:\n", "").replace("  restart:", "  again:").replace(
        "SC2025071006154101b779eb7", "SCZ"
    )
    project.specs(ALARM + two)
    ran = project.apply(code=6)
    assert cloud.pushes == [] and cloud.posts == [] and "handling.again" in ran.out
    project.apply("--allow", "triggers=2")
    assert len(cloud.posts) == 2


def test_wait_follows_a_task_to_its_end(project: Project, cloud: Cloud) -> None:
    """An unknown word is not the end; a failed task is exit 3."""
    words = ["READY", "SOMETHING", "ABNORMAL"]

    def status(seen: Seen) -> Reply | None:
        if "/job/script/orders/" in seen.path:
            return Reply(200, {"data": {"status": words.pop(0) if len(words) > 1 else words[0]}})
        return None

    cloud.before = status
    project.specs(ALARM + task())
    ran = project.run("apply", "--auto-approve", "--wait")
    assert ran.code == 3, (ran.out, ran.err)
    assert "ABNORMAL" in ran.out + ran.err and len(cloud.posts) == 1


def test_a_secret_goes_into_the_request_and_nowhere_else(project: Project, cloud: Cloud) -> None:
    """Not into plan, state, journal, output; lacking, an apply is exit 10 before anything is sent."""
    secret = "s3cr3t-Zq7-value"
    project.specs(ALARM.replace("message: m}", 'message: m, annotations: {pw: "x ${secret.env.DB_PASSWORD} y"}}')
                  + task().replace("timeout: 300", 'timeout: 300, password: "${secret.env.DB_PASSWORD}"'))  # fmt: skip
    assert project.apply(code=10).out.count(secret) == 0 and cloud.seen == []
    project.plan("--out", "before.json")
    env: dict[str, Any] = {"DB_PASSWORD": secret}
    ran = project.apply("-v", env=env)
    assert cloud.pushes[0].body["events"][0]["annotations"]["pw"] == f"x {secret} y"
    assert cloud.posts[0].body["input_param"]["password"] == secret
    planned = project.run("plan", "--json", "--refresh", "--out", "p.json", env={"DB_PASSWORD": secret + "2"})
    assert secret.encode() not in project.everything() and secret not in ran.out + ran.err + planned.out + planned.err
    [row] = [row for row in planned.json["changes"] if row["address"] == "alarm.web"]
    assert row["action"] == "update" and "(secret)" in json.dumps(row)
    assert "salt" not in planned.out and "handling.restart" not in [
        r["address"] for r in planned.json["changes"] if r["action"] == "trigger"
    ]
    assert project.actions() == {} and project.actions(env=env) == {}
    time.sleep(0)
