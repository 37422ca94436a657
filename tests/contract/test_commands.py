"""Contract sections 2, 5, 7 to 10: commands, exit codes, state, saved plans, guards, streams, and what the specs refuse."""

from __future__ import annotations

import fcntl
import json
import os
import re
import stat
import subprocess
import sys
import time
from pathlib import Path
from typing import Any
from urllib.request import ProxyHandler, build_opener

import pytest

from tests.contract.cloud import Cloud
from tests.contract.conftest import Project

DISKS = """\
alarms:
  d: {for_each: [x, y], severity: Minor, message: m, resource: {provider: e, type: v, id: "${each.key}"}}
"""
LIFT = ("--allow", "empty", "--allow", "clears=99")


def test_the_state_file_is_as_promised(project: Project) -> None:
    """0600, readable, its keys; a no-op changes neither bytes nor serial; one backup generation."""
    project.alarms("a")
    project.apply()
    first = project.state_file.read_bytes()
    assert stat.S_IMODE(project.state_file.stat().st_mode) == 0o600
    keys = {"format_version", "tool_version", "stack", "lineage", "serial", "resources", "pending", "last_run"}
    assert set(project.state) == keys and project.state["format_version"] == 1 and project.state["stack"] == "payments"
    assert b"\n  " in first
    project.apply()
    project.run("plan", "--refresh")
    project.run("drift")
    assert project.state_file.read_bytes() == first
    project.alarms("a", message="b")
    project.apply()
    assert project.state["serial"] == 2 and first in [
        p.read_bytes() for p in project.state_file.parent.iterdir() if p != project.state_file
    ]


@pytest.mark.parametrize("text", ["", "{", "[]", '{"format_version": 99}', '{"format_version": 1}', "\0\0\0"])
def test_a_broken_or_newer_state_is_refused_and_never_overwritten(project: Project, cloud: Cloud, text: str) -> None:
    """Exit 1 by plan and apply; the bytes stay."""
    project.alarms("a")
    project.state_file.parent.mkdir()
    project.state_file.write_text(text)
    assert project.run("plan").code == 1
    project.apply(code=1)
    assert project.state_file.read_text() == text and cloud.seen == []


def test_a_held_lock_is_exit_4_and_says_who(project: Project, cloud: Cloud) -> None:
    """The kernel frees it with its holder; a plan takes none."""
    project.alarms("a")
    project.apply()
    project.alarms("a", message="b")
    lock = next(p for p in project.state_file.parent.iterdir() if p.name.endswith(".lock"))
    with lock.open("r+") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        began = time.monotonic()
        ran = project.apply(code=4)
        assert time.monotonic() - began < 5 and "lock" in ran.err.lower()
        assert project.run("plan").code == 0
        assert project.run("apply", "--auto-approve", "--lock-timeout", "1s").code == 4
    project.apply()


def test_a_change_of_the_stack_is_refused_and_a_new_state_needs_one(project: Project, cloud: Cloud) -> None:
    """It marks what it owns."""
    text = (project.root / "reconcile.yaml").read_text()
    project.alarms("a")
    (project.root / "reconcile.yaml").write_text(text.replace("stack: payments\n", ""))
    ran = project.run("apply", "--auto-approve")
    assert ran.code not in (0, 2) and "stack" in ran.err and cloud.pushes == []
    (project.root / "reconcile.yaml").write_text(text)
    project.apply()
    project.config(stack="other")
    ran = project.run("apply", "--auto-approve")
    assert ran.code not in (0, 2) and "payments" in ran.err


def test_a_saved_plan_is_applied_once_and_refused_when_stale(project: Project, cloud: Cloud) -> None:
    """Altered, of another lineage, moved specs: 5. Applied again: nothing, 0."""
    project.alarms("a")
    document = project.plan("--out", "p.json")
    assert json.loads((project.root / "p.json").read_text())["plan_id"] == document["plan_id"]
    altered = json.loads((project.root / "p.json").read_text())
    altered["changes"][0]["after"]["message"] = "forged"
    (project.root / "forged.json").write_text(json.dumps(altered))
    assert project.run("apply", "forged.json").code == 5
    (project.root / "newer.json").write_text(json.dumps(document | {"format_version": "2.0"}))
    assert project.run("apply", "newer.json").code == 5
    project.alarms("a", message="moved")
    assert project.run("apply", "p.json").code == 5 and cloud.pushes == []
    project.alarms("a")
    assert project.run("apply", "p.json").code == 0 and len(cloud.pushes) == 1
    assert project.run("apply", "p.json").code == 0 and len(cloud.pushes) == 1
    project.alarms("a", "b")
    project.run("plan", "--out", "two.json")
    cloud.poisoned = "b"
    project.alarms("a", "b", "c")
    project.run("plan", "--out", "three.json")
    assert project.run("apply", "three.json").code == 3
    cloud.poisoned = None
    assert project.run("apply", "three.json").code == 0
    assert sorted(project.state["resources"]) == ["alarm.a", "alarm.b", "alarm.c"]
    for path in project.state_file.parent.iterdir():
        path.unlink()
    assert project.run("apply", "three.json").code == 5


def test_without_a_terminal_an_apply_wants_a_plan_or_a_yes(project: Project) -> None:
    """64, like every wrong command line; click's 2 never leaks."""
    project.alarms("a")
    for argv in (("apply",), ("destroy",), ("plan", "--nope"), ("nope",), ("apply", "--lock-timeout", "x"),
                 ("plan", "--allow", "x=1"),
                 ("plan", "--as-of", "tomorrow"), ("apply", "none.json", "--refresh"), ("state", "rm")):  # fmt: skip
        ran = project.run(*argv)
        assert ran.code == 64, (argv, ran)
    assert project.run("apply", "none.json").code in (1, 5, 64)


def test_detailed_exit_codes(project: Project, cloud: Cloud) -> None:
    """2 only where asked for; renewals and deferrals alone are 0; drift says 2 by itself."""
    project.alarms("a", timeout="1h")
    assert (project.run("plan").code, project.run("plan", "--detailed-exitcode").code) == (0, 2)
    project.apply()
    assert project.run("plan", "--detailed-exitcode").code == 0
    later = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 3000))
    document = project.plan("--detailed-exitcode", "--as-of", later)
    assert [row["action"] for row in document["changes"]] == ["renew"] and document["summary"]["renew"] == 1
    expired = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 4000))
    assert project.actions("--as-of", expired) == {"alarm.a": "report"}
    assert project.run("drift").code == 0
    cloud.records.clear()
    assert project.run("drift").code == 2 and project.run("drift", "--ignore", "alarm.*").code == 0


def test_drift_names_what_it_finds(project: Project, cloud: Cloud) -> None:
    """missing, changed, twin, orphan; nothing is written, nothing sent but lists."""
    project.alarms("gone", "other", "twin")
    project.apply()
    rows = {r["metadata"]["resource_id"]: r for r in cloud.records}
    cloud.records.remove(rows["gone"])
    rows["other"]["annotations"]["message"] = "edited by hand"
    cloud.records.append(rows["twin"] | {"id": "9999999999999999991"})
    cloud.plant(event_name="o", resource_id="o", managed_by="reconcile", reconcile_key="payments/alarm.o")
    cloud.plant(event_name="f", resource_id="f", managed_by="reconcile", reconcile_key="foreign/alarm.f")
    before = project.state_file.read_bytes()
    cloud.seen.clear()
    found = project.run("drift", "--json")
    assert found.code == 2
    kinds = {(row["address"], row["kind"]) for row in found.json["drift"]}
    assert {("alarm.gone", "missing"), ("alarm.other", "changed"), ("alarm.twin", "twin")} <= kinds
    assert any(kind == "orphan" for _, kind in kinds) and not any("alarm.f" in str(row) for row in found.json["drift"])
    assert project.state_file.read_bytes() == before and cloud.clears == [] and cloud.pushes == []
    project.apply("--refresh", "--allow", "clears=9")
    assert project.run("drift").code == 0


def test_on_external_clear_is_obeyed(project: Project, cloud: Cloud) -> None:
    """report, accept until its content changes, fail with 6."""
    for policy, action, code in (("report", {"alarm.a": "report"}, 0), ("fail", {"alarm.a": "report"}, 6)):
        project.alarms("a", lifecycle=f"{{on_external_clear: {policy}}}")
        project.apply("--refresh", code=0)
        cloud.records.clear()
        assert project.actions("--refresh", code=code) == action
        if code == 0:
            project.apply("--refresh")
    project.alarms("a", lifecycle="{on_external_clear: accept}")
    project.apply()
    pushes = len(cloud.pushes)
    project.apply("--refresh")
    project.apply("--refresh")
    project.apply()
    assert len(cloud.pushes) == pushes and project.actions("--refresh") == {}
    project.alarms("a", message="new", lifecycle="{on_external_clear: accept}")
    project.apply()
    assert len(cloud.pushes) == pushes + 1 and len(cloud.active()) == 1


def test_guards_refuse_and_allow_lifts_them(project: Project, cloud: Cloud) -> None:
    """Per cent from ten alarms up, a replace counts, empty specs are refused; the plan is shown, nothing sent."""
    names = [f"n{i}" for i in range(12)]
    project.alarms(*names)
    project.apply()
    cloud.seen.clear()
    project.alarms(*names[4:])
    ran = project.apply(code=6)
    assert "alarm.n0" in ran.out and cloud.pushes == cloud.clears == []
    assert project.run("plan", "--detailed-exitcode").code == 6
    project.apply("--allow", "clears=4")
    project.alarms()
    project.apply("--allow", "clears=99", code=6)
    project.apply(*LIFT)
    assert cloud.active() == [] and project.state["resources"] == {}


def test_protect_is_remembered_without_its_yaml(project: Project, cloud: Cloud) -> None:
    """A clear, a replace and a destroy are refused with 6; `state unprotect`, or `protect: false` written out, lifts it."""
    project.alarms("a", "b", lifecycle="{protect: true}")
    project.apply()
    project.alarms("b", lifecycle="{protect: true}")
    assert project.run("apply", "--auto-approve").code == 6
    assert project.run("destroy", "--auto-approve").code == 6
    project.alarms(
        "a", "b", resource="{provider: x, type: y, id: ${each.key}}".replace("${each.key}", "z"), lifecycle="{protect: true}"
    )
    project.specs("alarms:\n  a: {severity: Major, message: m, resource: {provider: n, type: n, id: n}}\n"
                  "  b: {severity: Major, message: CPU above 90 %, resource: {provider: ecs, type: vm, id: b}}\n")  # fmt: skip
    assert project.run("apply", "--auto-approve").code == 6 and cloud.clears == []
    project.alarms("a", "b", lifecycle="{protect: false}")
    project.apply()
    project.alarms("a")
    project.apply()
    assert len(cloud.active()) == 1


def test_moves_send_nothing_and_forget_leaves_the_alarm(project: Project, cloud: Cloud) -> None:
    """Declared moves, guessed moves, all instances at once, and a move with new content as one update."""
    project.specs(DISKS)
    project.apply()
    project.specs(DISKS.replace("  d: {", "  e: {name: d, ") + "moved: [{from: alarm.d, to: alarm.e}]\n")
    assert project.actions() == {'alarm.e["x"]': "move", 'alarm.e["y"]': "move"}
    project.apply()
    assert len(cloud.pushes) == 1 and project.actions() == {}
    project.specs("alarms:\n  f: {severity: Major, message: m, name: d, resource: {provider: e, type: v, id: x}}\n"
                  'forget: [\'alarm.e["y"]\']\n')  # fmt: skip
    document = project.plan()
    rows = {row["address"]: (row["action"], row["reason"]) for row in document["changes"]}
    assert rows["alarm.f"] == ("update", "moved") and rows['alarm.e["y"]'][0] == "forget" and len(rows) == 2
    project.apply()
    assert len(cloud.active()) == 2 and cloud.clears == [] and list(project.state["resources"]) == ["alarm.f"]
    assert {r["metadata"]["reconcile_key"] for r in cloud.active()} == {'payments/alarm.d["x"]', 'payments/alarm.d["y"]'}
    project.specs(
        "alarms:\n  f: {severity: Major, message: m, resource: {provider: e, type: v, id: x}}\n"
        "moved: [{from: alarm.f, to: alarm.g}]\n"
    )
    assert project.run("validate").code == 10
    project.specs("moved: [{from: alarm.a, to: alarm.b}, {from: alarm.b, to: alarm.a}]\n")
    assert project.run("validate").code == 10


def test_swapped_identities_converge(project: Project, cloud: Cloud) -> None:
    """Two addresses trade their resources."""
    project.specs("alarms:\n  a: {severity: Major, message: m, name: n, resource: {provider: e, type: v, id: one}}\n"
                  "  b: {severity: Major, message: m, name: n, resource: {provider: e, type: v, id: two}}\n")  # fmt: skip
    project.apply()
    project.specs("alarms:\n  a: {severity: Major, message: m, name: n, resource: {provider: e, type: v, id: two}}\n"
                  "  b: {severity: Major, message: m, name: n, resource: {provider: e, type: v, id: one}}\n")  # fmt: skip
    project.apply()
    assert sorted(r["metadata"]["resource_id"] for r in cloud.active()) == ["one", "two"]
    live = {r["id"]: r["metadata"]["resource_id"] for r in cloud.active()}
    state = project.state["resources"]
    assert (live[state["alarm.a"]["remote_id"]], live[state["alarm.b"]["remote_id"]]) == ("two", "one")
    assert project.actions("--refresh") == {}


def test_variables_come_in_the_order_of_terraform(project: Project, cloud: Cloud) -> None:
    """--var over --var-file over RECONCILE_VAR_ over the config; `$${` is literal; credentials are refused."""
    project.config(extra="variables: {v: config}")
    project.alarms("a", message='"${var.v} $${var.v} ${env.PLAIN}"')
    (project.root / "vars.yaml").write_text("v: file\n")
    env = {"PLAIN": "p"}

    def message(*argv: str, **more: str) -> Any:
        return project.plan(*argv, env=env | more)["changes"][0]["after"]["message"]

    assert message() == "config ${var.v} p"
    assert message(RECONCILE_VAR_v="env") == "env ${var.v} p"
    assert message("--var-file", "vars.yaml", RECONCILE_VAR_v="env") == "file ${var.v} p"
    assert message("--var-file", "vars.yaml", "--var", "v=given") == "given ${var.v} p"
    for name in ("MY_TOKEN", "A_SECRET_B", "DB_PASSWORD", "API_KEY", "HUAWEICLOUD_SDK_AK"):
        project.alarms("a", message='"${env.' + name + '}"')
        assert project.run("validate", env={name: "x"}).code == 10, name


def test_defaults_merge_and_instances_repeat(project: Project) -> None:
    """Mappings key by key, else the resource's value wins; per file and kind; a handling follows its own instance."""
    project.specs("""\
defaults:
  alarms: {severity: Minor, metadata: {team: core, tier: "1"}, resource: {provider: e, type: v}}
alarms:
  one: {message: m, metadata: {tier: "2"}, resource: {id: a}}
  many:
    {for_each: {x: {n: "7"}, y: {n: "8"}}, message: "${each.key} ${each.value.n}", resource: {id: "i-${each.key}"}}
""")
    project.alarms("other", name="zz")
    project.specs("alarms: {}\n", "b.yml")
    rows = {row["address"]: row["after"] for row in project.plan()["changes"]}
    assert rows == {} or "alarm.other" in rows
    project.specs("""\
defaults:
  alarms: {severity: Minor, metadata: {team: core, tier: "1"}, resource: {provider: e, type: v}}
alarms:
  one: {message: m, metadata: {tier: "2"}, resource: {id: a}}
  many:
    {for_each: {x: {n: "7"}, y: {n: "8"}}, message: "${each.key} ${each.value.n}", resource: {id: "i-${each.key}"}}
""", "deep/er/c.yml")  # fmt: skip
    rows = {row["address"]: row["after"] for row in project.plan()["changes"]}
    assert rows["alarm.one"]["metadata"] == {"team": "core", "tier": "2"} and rows["alarm.one"]["severity"] == "Minor"
    assert rows['alarm.many["x"]']["message"] == "x 7" and rows['alarm.many["y"]']["name"] == "many"


DANGLING = (
    "handlings: {h: {alarm: nope, alarm_id: A, task_type: SCRIPT, associated_task_id: s, associated_task_type: COMMUNAL, "
    "associated_task_name: n}}\n"
)
REFUSED = {
    "duplicate key": "alarms:\n  a: {severity: Major}\n  a: {severity: Major}\n",
    "unknown top-level key": "alarm: {}\n",
    "unknown key": "alarms: {a: {severity: Major, sevrity: x, message: m, resource: {provider: e, type: v, id: i}}}\n",
    "merge key": "x: &x {a: b}\nalarms: {a: {<<: *x}}\n",
    "number for text": "alarms: {a: {severity: Major, message: 7, resource: {provider: e, type: v, id: i}}}\n",
    "bool for text": "alarms: {a: {severity: Major, message: true, resource: {provider: e, type: v, id: i}}}\n",
    "tag": "alarms: {a: {severity: Major, message: !!python/name:os.system x}}\n",
    "nesting": "alarms: {a: {severity: Major, annotations: {a: " + "[" * 5000 + "]" * 5000 + "}}}\n",
    "aliases": "alarms:\n  a:\n    annotations:\n      l0: &l0 [x,x,x,x,x,x,x,x,x,x]\n"
    + "".join(f"      l{n}: &l{n} [{', '.join([f'*l{n - 1}'] * 10)}]\n" for n in range(1, 9)),
    "bad severity": "alarms: {a: {severity: Magor, message: m, resource: {provider: e, type: v, id: i}}}\n",
    "stamp key": "alarms: {a: {severity: Major, message: m, metadata: {managed_by: me}, "
    "resource: {provider: e, type: v, id: i}}}\n",
    "table key": "alarms: {a: {severity: Major, message: m, metadata: {event_name: me}, "
    "resource: {provider: e, type: v, id: i}}}\n",
    "too long a timeout": "alarms: {a: {severity: Major, message: m, timeout: 16d, resource: {provider: e, type: v, id: i}}}\n",
    "same identity": "alarms:\n  a: {name: n, severity: Major, message: m, resource: {provider: e, type: v, id: i}}\n"
    "  b: {name: n, severity: Minor, message: m, resource: {provider: e, type: v, id: i}}\n",
    "event timeout": "events: {a: {severity: Info, message: m, timeout: 1d, resource: {provider: e, type: v, id: i}}}\n",
    "bad name": "alarms: {-a: {severity: Major, message: m, resource: {provider: e, type: v, id: i}}}\n",
}


def test_what_the_specs_refuse_is_shown_with_its_place(project: Project) -> None:
    """All files at once, each problem with file:line:column and a code; exit 10, offline."""
    project.specs(DANGLING)
    assert "`nope` is not declared" in (dangling := project.run("validate")).out + dangling.err and dangling.code == 10
    for number, (name, text) in enumerate(REFUSED.items()):
        project.specs(text, f"{number:02}-{name.replace(' ', '-')}.yaml")
    (project.root / "specs" / "latin.yaml").write_bytes(b"alarms: {a: {message: caf\xe9}}\n")
    (project.root / "specs" / "out.yaml").symlink_to("/etc/passwd")
    os.mkfifo(project.root / "specs" / "pipe.yaml")
    ran = project.run("validate")
    assert ran.code == 10
    shown = ran.out + ran.err
    for number, name in enumerate(REFUSED):
        file = f"{number:02}-{name.replace(' ', '-')}.yaml"
        assert re.search(rf"specs/{re.escape(file)}:\d+:\d+: error\[\w+\]: ", shown), (name, shown[-3000:])
    assert "Major" in shown and all(file in shown for file in ("latin.yaml", "out.yaml", "pipe.yaml"))
    documents = [json.loads(project.run("validate", "--format", name).out) for name in ("json", "sarif")]
    assert documents[1]["version"] == "2.1.0" and "::error" in project.run("validate", "--format", "github").out


def test_yaml_is_1_2_core(project: Project) -> None:
    """`no`, `on`, dates and times are strings, and go through as such."""
    project.specs("alarms: {a: {severity: Major, message: no, url: on, probable_cause: 12:30:45, fix_suggestion: 2026-01-01,"
                  " annotations: {octal: 0777, hex: 0x1F}, resource: {provider: e, type: v, id: y}}}\n")  # fmt: skip
    after = project.plan()["changes"][0]["after"]
    shown = (after["message"], after["url"], after["probable_cause"], after["fix_suggestion"], after["resource"]["id"])
    assert shown == ("no", "on", "12:30:45", "2026-01-01", "y") and after["annotations"] == {"octal": 777, "hex": 31}


def test_the_plan_document_has_its_keys_and_its_bytes(project: Project) -> None:
    """Byte-identical under other hash seeds; no `none` rows; the source's line."""
    project.alarms("a", "b")
    project.apply()
    project.alarms("a", "b", severity="Minor")
    as_of = ("--as-of", time.strftime("%Y-%m-%dT%H:%M:%SZ"))
    one = project.run("plan", "--json", *as_of, env={"PYTHONHASHSEED": "1"}).out
    assert one == project.run("plan", "--json", *as_of, env={"PYTHONHASHSEED": "2"}).out
    document = json.loads(one)
    keys = {
        "format_version",
        "tool_version",
        "plan_id",
        "as_of",
        "stack",
        "state",
        "spec_digest",
        "complete",
        "summary",
        "changes",
        "drift",
        "pending",
    }
    assert keys <= set(document) and document["format_version"] == "1.0" and document["plan_id"].startswith("sha256:")
    assert document["state"] == {"lineage": project.state["lineage"], "serial": 1} and document["spec_digest"].startswith(
        "sha256:"
    )
    verbs = ["report", "update", "replace", "renew", "clear", "trigger", "adopt", "move", "forget", "defer", "none"]
    assert list(document["summary"]) == verbs
    row = document["changes"][0]
    assert {"address", "kind", "target", "action", "reason", "before", "after", "diff", "source"} <= set(row)
    assert row["diff"] == [{"path": "severity", "before": "Major", "after": "Minor"}]
    assert row["source"] == {"file": "specs/a.yaml", "line": 2}
    assert project.plan("--target", "alarm.a")["complete"] is False


def test_apply_json_is_lines_and_stdout_is_the_answer(project: Project, cloud: Cloud) -> None:
    """The last line is the summary; an empty run too; a refused one too."""
    project.alarms("a")
    for code in (0, 0):
        lines = project.apply("--json", code=code).lines
        assert lines[-1]["type"] == "summary" and lines[-1]["exit_code"] == code and "counts" in lines[-1]
    cloud.poisoned = "a"
    project.alarms("a", message="x")
    assert project.apply("--json", code=1).lines[-1]["exit_code"] == 1


def test_nothing_from_specs_or_servers_reaches_a_terminal_alive(project: Project, cloud: Cloud) -> None:
    """Escape sequences, bidi controls and new lines are shown, not sent; no colour without a terminal."""
    project.alarms("a", message='"\\e[31mred\\e]0;title\\a \\u202e rev \\u200b"')
    planned = project.run("plan", "--full")
    applied = project.run("apply", "--auto-approve")
    shown = planned.out + planned.err + applied.out + applied.err
    assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u200b]", shown)


def test_state_commands_look_and_edit(project: Project, cloud: Cloud) -> None:
    """list, show, pull, mv, rm."""
    project.alarms("a", "b")
    project.apply()
    assert project.run("state", "list").out.split() == ["alarm.a", "alarm.b"]
    assert "alarm.a" in project.run("state", "show", "alarm.a").out
    assert json.loads(project.run("state", "pull").out) == project.state
    assert project.run("state", "mv", "alarm.a", "alarm.z").code == 0
    assert project.run("state", "rm", "alarm.b").code == 0
    assert list(project.state["resources"]) == ["alarm.z"] and cloud.clears == [] and len(cloud.active()) == 2
    assert project.run("state", "show", "alarm.nope").code != 0


def test_options_have_variables_but_not_the_dangerous_ones(project: Project, cloud: Cloud) -> None:
    """RECONCILE_TARGET works; RECONCILE_AUTO_APPROVE does not."""
    project.alarms("a", "b")
    assert list(project.actions(env={"RECONCILE_TARGET": "alarm.a"})) == ["alarm.a"]
    assert project.run("apply", env={"RECONCILE_AUTO_APPROVE": "1"}).code == 64
    assert json.loads(project.run("plan", env={"RECONCILE_JSON": "1"}).out)["changes"]
    assert project.run("-C", ".", "plan").out and project.run("plan", "-C", ".").code == 0


def test_globs_know_no_brackets_and_on_chooses_a_target(project: Project) -> None:
    """`*` and `?` are special, `[` is not."""
    project.specs(DISKS + "  c: {target: coc-events, severity: Minor, message: m, resource: {provider: e, type: v, id: i}}\n")
    assert list(project.actions("--target", 'alarm.d["x"]')) == ['alarm.d["x"]']
    assert list(project.actions("--exclude", "alarm.d*")) == ["alarm.c"]
    assert list(project.actions("--on", "coc-events")) == ["alarm.c"]


def test_lifecycle_alone_sends_nothing_and_ignored_changes_are_none(project: Project, cloud: Cloud) -> None:
    """An update with reason `lifecycle`; `ignore_changes` keeps what is there."""
    project.alarms("a")
    project.apply()
    project.alarms("a", lifecycle="{ignore_changes: [message]}")
    row = project.plan()["changes"][0]
    assert (row["action"], row["reason"]) == ("update", "lifecycle")
    project.apply()
    project.alarms("a", message="other", lifecycle="{ignore_changes: [message]}")
    assert project.actions() == {} and len(cloud.pushes) == 1


def test_events_are_reported_once_per_content_and_forgotten(project: Project, cloud: Cloud) -> None:
    """No clear exists."""
    text = "events: {d: {severity: Info, message: %s, resource: {provider: a, type: r, id: v1}}}\n"
    for message, pushes in (("m", 1), ("m", 1), ("n", 2)):
        project.specs(text % message)
        project.apply()
        assert len(cloud.pushes) == pushes
    project.specs("# none\n")
    assert project.actions() == {"event.d": "forget"}
    project.apply()
    assert cloud.clears == [] and project.state["resources"] == {}


def test_the_emulators_first_line_is_its_url(tmp_path: Path) -> None:
    """`{"url": …}`, loopback, a free port; SIGTERM ends it."""
    argv = [sys.executable, "-m", "reconcile", "emulator", "--json"]
    with subprocess.Popen(argv, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        line = json.loads(server.stdout.readline())
        assert re.fullmatch(r"http://127\.0\.0\.1:\d+", line["url"])
        with pytest.raises(Exception, match=r"HTTP Error 4"):
            build_opener(ProxyHandler({})).open(line["url"] + "/v1/alarm-mgmt/alarm/x", timeout=5)
        server.terminate()
        assert server.wait(10) in (0, 143)


def test_no_config_is_all_defaults_embedded(tmp_path: Path, project: Project) -> None:
    """A fresh folder with specs works without an account, twice."""
    fresh = Project(tmp_path / "fresh", project.cloud, project.nest)
    fresh.specs("alarms: {a: {severity: Major, message: m, resource: {provider: e, type: v, id: i}}}\n")
    assert fresh.run("apply", "--auto-approve", token=None).code == 0
    assert fresh.run("plan", "--detailed-exitcode", token=None).code == 0 and project.cloud.seen == []
    assert fresh.state["resources"]["alarm.a"]["confirmation"] == "confirmed"
