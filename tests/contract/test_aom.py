"""Contract section 4, AOM: what is on the wire, and what is active afterwards."""

from __future__ import annotations

import time
from itertools import product
from typing import Any

import pytest

from tests.contract.cloud import PROJECT, Cloud, Reply, Seen
from tests.contract.conftest import TOKEN, Project

FULL = """\
alarms:
  web-1:
    name: CPU usage high
    severity: Major
    resource: {provider: ecs, type: vm, id: ecs-123, name: web-1, region: cn-north-4}
    message: "CPU above 90 %%"
    probable_cause: runaway batch job
    fix_suggestion: restart the agent
    url: https://wiki.example/cpu
    timeout: 5d
    metadata: {team: core}
    annotations: {runbook: R-12%s}
%s
events:
  deployed: {severity: Info, resource: {provider: app, type: release, id: v42}, message: v42 is out}
"""


def test_the_current_dialect_reports_what_the_table_says(project: Project, cloud: Cloud) -> None:
    """Method, path, query, headers, and every key of the body, nothing else."""
    project.specs(FULL % (", count: 3", "    attach_rule: {group: a}\n    enterprise_project_id: eps-7"))
    before = time.time() * 1000
    project.apply()
    alarm, event = sorted(cloud.pushes, key=lambda seen: str(seen.body["events"][0]["metadata"]["event_type"]))
    assert (alarm.method, alarm.target) == ("PUT", f"/v2/{PROJECT}/push/events")
    assert alarm.header("enterprise-project-id") == "eps-7" and event.header("enterprise-project-id") == "0"
    assert alarm.header("X-Auth-Token") == TOKEN and str(alarm.header("Content-Type")).startswith("application/json")
    [sent] = alarm.body["events"]
    assert before <= sent.pop("starts_at") <= alarm.at
    assert sent == {
        "timeout": 432_000_000,
        "metadata": {
            "event_name": "CPU usage high",
            "event_severity": "Major",
            "event_type": "alarm",
            "resource_provider": "ecs",
            "resource_type": "vm",
            "resource_id": "ecs-123",
            "resource_name": "web-1",
            "region": "cn-north-4",
            "team": "core",
            "managed_by": "reconcile",
            "reconcile_key": "payments/alarm.web-1",
        },
        "annotations": {
            "message": "CPU above 90 %",
            "alarm_probableCause_zh_cn": "runaway batch job",
            "alarm_fix_suggestion_zh_cn": "restart the agent",
            "url": "https://wiki.example/cpu",
            "runbook": "R-12",
            "count": 3,
        },
        "attach_rule": {"group": "a"},
    }
    [happened] = event.body["events"]
    assert happened["metadata"]["event_type"] == "event" and happened["metadata"]["event_name"] == "deployed"
    assert happened["timeout"] == 1_296_000_000


def test_the_list_is_asked_as_documented(project: Project, cloud: Cloud) -> None:
    """`type`, `limit`, `marker`, all granted projects, the stamp filter, a window and a step that keep the rule of 1,440."""
    project.alarms("a")
    project.apply()
    listed = cloud.lists[-1]
    assert listed.target == f"/v2/{PROJECT}/events?type=active_alert&limit=1000&marker=0"
    assert listed.header("Enterprise-Project-Id") == "all_granted_eps"
    first, second, minutes = listed.body["time_range"].split(".")
    assert (first, second) == ("-1", "-1") and int(minutes) * 60 / (listed.body["step"] / 1000) <= 1440
    assert any(row["key"] in ("managed_by", "reconcile_key") for row in listed.body["metadata_relation"])


@pytest.mark.parametrize(("dialect", "method"), [("legacy", "PUT"), ("cn-2021", "PUT"), ("cn-2021", "POST")])
def test_the_older_dialects_report_and_clear_without_header_and_id(
    project: Project, cloud: Cloud, dialect: str, method: str
) -> None:
    """No enterprise project, three days by default, 200 is a success where it is one, a clear names no id."""
    cloud.dialect, cloud.clear_by = dialect, "metadata"
    project.config(aom=f"dialect: {dialect}" + (", method: POST" if method == "POST" else ""))
    project.alarms("a")
    project.apply()
    [report] = cloud.pushes
    assert report.method == method and report.header("enterprise-project-id") is None
    [sent] = report.body["events"]
    assert sent["timeout"] == 259_200_000 and set(sent) == {"starts_at", "timeout", "metadata", "annotations"}
    assert all(listed.header("Enterprise-Project-Id") is None for listed in cloud.lists)
    project.alarms()
    project.apply("--allow", "empty", "--allow", "clears=9")
    [clear] = cloud.clears
    assert clear.method == method and set(clear.body["events"][0]) == {"metadata", "ends_at"}
    assert clear.body["events"][0]["metadata"] == sent["metadata"] and cloud.records == []


def test_the_current_dialect_refuses_what_only_another_has(project: Project) -> None:
    """`resource_group_id` belongs to cn-2021, `attach_rule` to current, string annotations to legacy: found offline."""
    project.alarms("a", resource_group_id="g")
    assert project.run("validate").code == 10
    project.config(aom="dialect: legacy")
    project.alarms("a", annotations="{n: [1]}")
    assert project.run("validate").code == 10
    project.alarms("a", attach_rule="{a: 1}")
    assert project.run("validate").code == 10
    project.config(aom="dialect: cn-2021")
    project.alarms("a", resource_group_id="g")
    assert project.run("validate").code == 0


def test_the_id_is_read_back_beyond_2_to_the_53_and_replayed_by_the_clear(project: Project, cloud: Cloud) -> None:
    """As numbers on the wire: not a digit is lost; the clear replays the metadata of the report."""
    cloud.numeric_ids = True
    project.alarms("a")
    project.apply()
    [record] = cloud.records
    assert project.state["resources"]["alarm.a"]["remote_id"] == record["id"]
    project.alarms()
    before = time.time() * 1000
    project.apply("--allow", "empty", "--allow", "clears=9")
    [clear] = cloud.clears
    assert clear.target == f"/v2/{PROJECT}/push/events?action=clear" and clear.header("enterprise-project-id") == "0"
    [sent] = clear.body["events"]
    assert sent["id"] == record["id"] and before - 1 <= sent["ends_at"] <= clear.at
    assert sent["metadata"] == record["metadata"] and list(sent["metadata"]) == list(record["metadata"])
    assert cloud.records == [] and project.state["resources"] == {}


@pytest.mark.parametrize("page_info", [True, False])
def test_every_page_is_read(project: Project, cloud: Cloud, page_info: bool) -> None:
    """Small pages with markers, or everything at once without page_info."""
    cloud.page, cloud.page_info = 2, page_info
    project.specs('alarms:\n  d:\n    for_each: ["1","2","3","4","5"]\n    severity: Minor\n    message: full\n'
                  '    resource: {provider: ecs, type: vm, id: "x${each.key}"}\n')  # fmt: skip
    project.apply()
    assert all(r["confirmation"] == "confirmed" for r in project.state["resources"].values())
    assert len(project.state["resources"]) == 5


@pytest.mark.parametrize("how", ["last", "first"])
def test_a_repeated_marker_ends_the_list(project: Project, cloud: Cloud, how: str) -> None:
    """A server that answers with the marker it was asked with is asked no more than twice."""
    project.alarms("a")
    wrap = cloud._list

    def stuck(seen: Seen) -> Reply:
        reply = wrap(seen)
        reply.body["page_info"]["next_marker"] = "0" if how == "first" else "7"
        return reply

    cloud._list = stuck  # type: ignore[method-assign]
    project.apply()
    assert project.state["resources"]["alarm.a"]["confirmation"] == "confirmed" and len(cloud.lists) < 12


def test_a_batch_is_one_action_and_one_enterprise_project(project: Project, cloud: Cloud) -> None:
    """Three of one project and one of another are two requests; `batch_size` bounds each."""
    entries = "".join(
        f"  {n}: {{severity: Major, resource: {{provider: e, type: vm, id: {n}}}, message: m, enterprise_project_id: {p}}}\n"
        for n, p in [("a", '"0"'), ("b", "eps-1"), ("c", '"0"'), ("d", '"0"')]
    )
    project.specs("alarms:\n" + entries)
    project.apply()
    assert sorted(len(push.body["events"]) for push in cloud.pushes) == [1, 3]
    project.config(aom="batch_size: 2")
    project.specs("alarms:\n" + entries.replace("message: m,", "message: n,"))
    cloud.seen.clear()
    project.apply()
    assert sorted(len(push.body["events"]) for push in cloud.pushes) == [1, 1, 2]


@pytest.mark.parametrize("status", [400, 413])
def test_a_refused_batch_is_halved_until_the_bad_event_stands_alone(project: Project, cloud: Cloud, status: int) -> None:
    """The rest goes through: exit 3, and the failed one is planned again."""
    project.alarms(*"abcdefgh")
    if status == 400:
        cloud.poisoned = "c"
        ran = project.apply(code=3)
        assert "AOM.0400" in ran.out + ran.err and "poisoned" in ran.out + ran.err and "tr-77" in ran.out + ran.err
        assert sorted(r["metadata"]["resource_id"] for r in cloud.active()) == list("abdefgh")
        assert project.actions() == {"alarm.c": "report"}
    else:
        cloud.max_batch = 3
        project.apply()
        assert len(cloud.active()) == 8 and project.actions() == {}


def test_nothing_at_all_went_through_is_exit_1(project: Project, cloud: Cloud) -> None:
    """A single refused alarm: failed, not partly."""
    cloud.poisoned = "a"
    project.alarms("a")
    project.apply(code=1)


def test_updates_and_renewals_send_their_own_time_and_begin_no_occurrence(project: Project, cloud: Cloud) -> None:
    """`starts_at` is the sending time; the state keeps the first one."""
    project.alarms("a", timeout="60s", lifecycle="{renew_before: 1s}")
    project.apply()
    first = project.state["resources"]["alarm.a"]
    project.alarms("a", timeout="60s", message="now 95", lifecycle="{renew_before: 1s}")
    assert project.actions() == {"alarm.a": "update"}
    project.apply()
    project.alarms("a", timeout="60s", message="now 95", lifecycle="{renew_before: 59990ms}")
    assert project.plan()["changes"][0]["reason"] in ("lifecycle", "expires soon")
    project.apply()
    renewed = project.run("renew", "--auto-approve")
    assert renewed.code == 0
    sent = [push.body["events"][0]["starts_at"] for push in cloud.pushes]
    assert len(sent) >= 3 and sent == sorted(set(sent))
    assert all(push.at - 3000 <= at <= push.at + 5 for push, at in zip(cloud.pushes, sent, strict=True))
    last = project.state["resources"]["alarm.a"]
    assert (last["starts_at"], last["occurrence"]) == (first["starts_at"], first["occurrence"])
    assert last["expires_at"] == sent[-1] + 60_000 and len(cloud.active()) == 1


def test_a_declared_start_is_sent_first_only_and_only_while_it_is_young(project: Project, cloud: Cloud) -> None:
    """Beyond the renewal margin: a warning, and now."""
    recent, old = int(time.time() - 3600), int(time.time() - 86_400 * 14)

    def stamp(at: int) -> str:
        return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(at))

    project.alarms("a", starts_at=stamp(recent))
    project.alarms("a", starts_at=stamp(recent))
    project.apply()
    assert cloud.pushes[0].body["events"][0]["starts_at"] == recent * 1000
    project.alarms("a", starts_at=stamp(recent), message="other")
    project.apply()
    assert cloud.pushes[-1].body["events"][0]["starts_at"] > recent * 1000
    project.alarms("a", "b", starts_at=stamp(old))
    ran = project.apply()
    fresh = [e for p in cloud.pushes for e in p.body["events"] if e["metadata"]["resource_id"] == "b"]
    assert fresh[0]["starts_at"] > old * 1000 + 86_400_000 and "starts_at" in ran.err


@pytest.mark.parametrize(
    ("clear_by", "repeat", "identity"),
    [
        ("id", "second", "core"),
        ("metadata", "ignore", "core"),
        ("metadata", "second", "metadata"),
        *(
            pytest.param(*every, marks=pytest.mark.full)
            for every in product(("id", "metadata"), ("update", "ignore", "second"), ("core", "metadata"))
        ),
    ],
)
def test_what_is_active_converges(project: Project, cloud: Cloud, identity: str, repeat: str, clear_by: str) -> None:
    """Content, severity and identity change and one goes: exactly one right record each, whatever the server believes."""
    cloud.identity, cloud.repeat, cloud.clear_by = identity, repeat, clear_by
    project.alarms("a", "b", "gone")
    project.apply()
    text = "alarms:\n  a: {severity: Critical, resource: {provider: ecs, type: vm, id: a}, message: changed}\n"
    project.specs(text + "  b: {severity: Major, resource: {provider: ecs, type: vm, id: b2}, message: CPU above 90 %}\n")
    project.apply("--allow", "clears=9")
    rows = [(record["metadata"], record["annotations"]) for record in cloud.active()]
    shown = sorted((about["resource_id"], about["event_severity"], told["message"]) for about, told in rows)
    assert shown == [("a", "Critical", "changed"), ("b2", "Major", "CPU above 90 %")]
    state = project.state["resources"]
    assert {r["remote_id"] for r in state.values()} == {r["id"] for r in cloud.active()}
    assert project.actions("--refresh") == {}


def test_a_server_that_updates_but_keeps_the_first_start_converges(project: Project, cloud: Cloud) -> None:
    """Content arrives, `starts_at` stays: the renewal did not move the expiry, so it is cleared and reported."""
    project.alarms("a")
    project.apply()
    report = cloud._report

    def keeps(event: dict[str, Any], eps: str) -> None:
        known = [r for r in cloud.active() if r["metadata"]["resource_id"] == event["metadata"]["resource_id"]]
        report(event | {"starts_at": known[0]["starts_at"]} if known else event, eps)

    cloud._report = keeps  # type: ignore[method-assign]
    project.alarms("a", message="other")
    project.apply()
    [record] = cloud.active()
    state = project.state["resources"]["alarm.a"]
    assert record["annotations"]["message"] == "other" and state["confirmation"] == "confirmed"
    assert state["remote_id"] == record["id"] and state["expires_at"] == record["starts_at"] + record["timeout"]


def test_a_server_that_moves_the_time_but_not_the_content_converges(project: Project, cloud: Cloud) -> None:
    """A repeat that renews but keeps the old annotations is not the declared content."""
    project.alarms("a")
    project.apply()

    def keeps(event: dict[str, Any], eps: str) -> None:
        known = [r for r in cloud.active() if r["metadata"] == event["metadata"]]
        if known:
            known[0]["starts_at"] = event["starts_at"]
        else:
            cloud._add(event, eps)

    cloud._report = keeps  # type: ignore[method-assign]
    project.alarms("a", message="other")
    project.apply()
    [record] = cloud.active()
    assert record["annotations"]["message"] == "other"


def test_a_record_that_never_shows_is_unconfirmed_and_completed_by_the_next_run(project: Project, cloud: Cloud) -> None:
    """Not an error: exit 0; then the id is there, with no second report."""
    cloud.lag = 2.5
    project.alarms("a")
    ran = project.apply()
    assert "unconfirmed" in ran.out
    assert project.state["resources"]["alarm.a"]["confirmation"] == "unconfirmed"
    cloud.lag = 0
    project.apply()
    assert project.state["resources"]["alarm.a"]["confirmation"] == "confirmed" and len(cloud.pushes) == 1


@pytest.mark.parametrize("repeat", ["ignore", *(pytest.param(how, marks=pytest.mark.full) for how in ("update", "second"))])
def test_a_lagging_list_converges(project: Project, cloud: Cloud, repeat: str) -> None:
    """Three seconds late, with the default patience."""
    cloud.repeat, cloud.lag = repeat, 3
    text = (project.root / "reconcile.yaml").read_text().replace(", confirm_timeout: 1s", "")
    (project.root / "reconcile.yaml").write_text(text)
    project.alarms("a", severity="Minor")
    project.apply()
    assert project.state["resources"]["alarm.a"]["confirmation"] == "confirmed"
    project.alarms("a", severity="Major")
    project.apply()
    time.sleep(0.1)
    [record] = cloud.active()
    assert record["metadata"]["event_severity"] == "Major" and project.state["resources"]["alarm.a"]["remote_id"] == record["id"]


def test_without_the_right_to_list_reports_stay_unconfirmed_and_a_clear_names_the_right(project: Project, cloud: Cloud) -> None:
    """403: plainly sent; the clear fails naming `aom:alarm:list`, until `clear_without_id` says otherwise."""
    cloud.listing = False
    project.alarms("a", "b")
    project.apply()
    assert {r["confirmation"] for r in project.state["resources"].values()} == {"unconfirmed"}
    project.alarms("a", "b", message="other")
    project.apply()
    assert len(cloud.pushes) == 2
    project.alarms("a", message="other")
    ran = project.apply(code=1)
    assert "aom:alarm:list" in ran.out + ran.err and cloud.clears == []
    assert "alarm.b" in project.state["resources"]
    project.config(aom="clear_without_id: true")
    cloud.dialect = "legacy"  # this server takes a clear without an id
    cloud._problem = lambda event, clear: None  # type: ignore[method-assign]
    cloud.before = lambda seen: None
    wrap = cloud._push

    def lenient(seen: Seen) -> Reply:
        cloud.dialect = "current"
        return wrap(seen)

    cloud._push = lenient  # type: ignore[method-assign]
    project.apply()
    [clear] = cloud.clears
    assert set(clear.body["events"][0]) == {"metadata", "ends_at"} and "alarm.b" not in project.state["resources"]


@pytest.mark.parametrize("dialect", ["legacy", "cn-2021"])
def test_the_older_dialects_clear_without_the_right_to_list(project: Project, cloud: Cloud, dialect: str) -> None:
    """They need no id."""
    cloud.dialect, cloud.listing = dialect, False
    project.config(aom=f"dialect: {dialect}")
    project.alarms("a", "b")
    project.apply()
    project.alarms("a")
    project.apply()
    assert len(cloud.active()) == 1 and list(project.state["resources"]) == ["alarm.a"]
    project.alarms("a", resource="{provider: ecs, type: vm, id: z}")
    project.apply()
    assert [r["metadata"]["resource_id"] for r in cloud.active()] == ["z"]
    order = ["clear" if s.query else "report" for s in cloud.seen if s.path.endswith("push/events")]
    assert order[-2:] == ["clear", "report"]  # without the list: clear first


def test_a_replacement_reports_the_new_before_it_clears_the_old(project: Project, cloud: Cloud) -> None:
    """Never a moment without an alarm."""
    project.alarms("a")
    project.apply()
    project.alarms("a", resource="{provider: ecs, type: vm, id: z}")
    assert project.actions() == {"alarm.a": "replace"}
    project.apply()
    order = ["clear" if s.query else "report" for s in cloud.seen if s.path.endswith("push/events")]
    assert order == ["report", "report", "clear"] and len(cloud.active()) == 1


@pytest.mark.parametrize("repeat", ["update", "second", "ignore"])
def test_another_stacks_alarm_is_neither_overwritten_nor_cleared(project: Project, cloud: Cloud, repeat: str) -> None:
    """Seen before the report: exit 6 and nothing sent."""
    cloud.repeat = repeat
    planted = cloud.plant(event_name="a", resource_id="a", managed_by="reconcile", reconcile_key="other/alarm.a")
    kept = dict(planted)
    project.alarms("a")
    ran = project.apply(code=6)
    assert cloud.pushes == [] and cloud.clears == [] and "other" in ran.out + ran.err
    assert cloud.records == [kept]


def test_another_stacks_alarm_seen_by_the_read_back_is_exit_6(project: Project, cloud: Cloud) -> None:
    """With a state the list is read only after the report: the foreign record is told and left alone."""
    cloud.identity = "metadata"
    project.alarms("first")
    project.apply()
    planted = dict(cloud.plant(event_name="a", resource_id="a", managed_by="reconcile", reconcile_key="other/alarm.a"))
    project.alarms("first", "a")
    ran = project.run("apply", "--auto-approve")
    assert planted in cloud.records
    assert ran.code == 6, (ran.out, ran.err)


def test_unstamped_alarms_are_left_alone_unless_adopted(project: Project, cloud: Cloud) -> None:
    """Without --adopt a second record is reported beside it; with it, it becomes ours, stamped, and alone."""
    cloud.identity = "metadata"
    kept = dict(cloud.plant(event_name="a", resource_id="a"))
    project.alarms("a")
    project.apply()
    assert len(cloud.records) == 2 and kept in cloud.records and cloud.clears == []
    second = dict(cloud.plant(event_name="b", resource_id="b"))
    project.alarms("a", "b")
    assert project.actions("--adopt")["alarm.b"] == "adopt"
    project.apply("--adopt")
    rows = [r for r in cloud.records if r["metadata"]["resource_id"] == "b"]
    assert len(rows) == 1 and rows[0]["metadata"]["reconcile_key"] == "payments/alarm.b" and second not in cloud.records


def test_a_lost_state_adopts_what_bears_our_stamp(project: Project, cloud: Cloud) -> None:
    """No second report, and the next plan is empty."""
    project.alarms("a", "b")
    project.apply()
    for path in (project.root / "state").iterdir():
        path.unlink()
    ran = project.apply()
    assert len(cloud.pushes) == 1 and "adopt" in ran.out
    assert {r["id"] for r in cloud.records} == {r["remote_id"] for r in project.state["resources"].values()}
    assert project.actions() == {}


def test_the_list_reaches_back_to_the_oldest_record(project: Project, cloud: Cloud) -> None:
    """A window that covers a start in the past."""
    at = int(time.time()) - 86_400 * 6
    stamp = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(at))
    project.alarms("a", starts_at=stamp, timeout="14d")
    project.apply()
    minutes = int(cloud.lists[-1].body["time_range"].rpartition(".")[2])
    assert minutes >= 6 * 1440 and minutes * 60_000 / cloud.lists[-1].body["step"] <= 1440


def test_one_listing_serves_all_alarms_of_a_run(project: Project, cloud: Cloud) -> None:
    """Bulk, not one per alarm."""
    project.specs("alarms:\n  d:\n    for_each: [" + ",".join(f'"{n}"' for n in range(40)) + "]\n    severity: Minor\n"
                  '    message: m\n    resource: {provider: ecs, type: vm, id: "x${each.key}"}\n')  # fmt: skip
    project.apply()
    assert len(cloud.pushes) == 1 and len(cloud.lists) <= 3


def test_two_alarms_of_one_name_in_two_enterprise_projects_are_two(project: Project, cloud: Cloud) -> None:
    """The enterprise project is part of the identity, also where nothing is stamped."""
    for stamp in ("true", "false"):
        project.config(aom=f"stamp: {stamp}")
        text = "alarms:\n" + "".join(
            f"  {n}: {{name: same, severity: Major, resource: {{provider: e, type: vm, id: x}}, message: m, "
            f"enterprise_project_id: {p}}}\n"
            for n, p in [("a", "eps-1"), ("b", "eps-2")]
        )
        project.specs(text)
        project.apply()
        assert sorted(r["enterprise_project_id"] for r in cloud.active()) == ["eps-1", "eps-2"]
        assert all(r["confirmation"] == "confirmed" for r in project.state["resources"].values())
        project.specs(text.replace("enterprise_project_id: eps-2", "enterprise_project_id: eps-3"))
        project.apply("--allow", "clears=9")
        assert sorted(r["enterprise_project_id"] for r in cloud.active()) == ["eps-1", "eps-3"]
        project.specs("# none\n")
        project.apply("--allow", "empty", "--allow", "clears=9")
        assert cloud.active() == []
