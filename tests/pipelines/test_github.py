"""The GitHub workflows, each step run as the script it is."""

from __future__ import annotations

import re
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.emulator_fixture import control
from tests.pipelines.forge import BIN, PIPELINES, Forge, Outcome, base_environment, load, script
from tests.pipelines.shop import SECRETS, active, add_disk, open_shop, requests, triggered

WORKFLOWS = ("plan", "comment", "apply", "nightly")
pytestmark = pytest.mark.skipif(shutil.which("jq") is None, reason="the stand-in for gh answers --jq with jq")


def planned(forge: Forge, head: str, **settings: Any) -> Outcome:
    """A pull request's plan."""
    return forge.run("plan", {"github.ref": "refs/pull/7/merge"}, commit=head, branch="change", **settings)


def commented(forge: Forge, plan: Outcome, head: str) -> Outcome:
    """What follows a plan."""
    event = {"id": str(plan.run), "html_url": "https://forge.example/run", "head_sha": head, "event": "pull_request"}
    return forge.run("comment", {f"github.event.workflow_run.{key}": value for key, value in event.items()} | GITHUB)


GITHUB = {"github.repository": "your-org/shop"}


def with_secrets() -> dict[str, str]:
    """The contexts of a job that the environment trusts."""
    return {f"secrets.{name}": value for name, value in SECRETS.items()}


def applied(
    forge: Forge, commit: str, *, dies: bool = False, env: Mapping[str, str] | None = None, chosen: Outcome | None = None
) -> Outcome:
    """The run that a merge, or a dispatch, starts."""
    inputs = {} if chosen is None else {"inputs.run": str(chosen.run)}
    return forge.run("apply", with_secrets() | inputs, commit=commit, dies=dies, env=env)


def merged(forge: Forge, head: str, commit: str, **settings: Any) -> Outcome:
    """Plan a pull request, merge it, apply."""
    assert planned(forge, head).passed
    forge.add_pull(7, head, merged_as=commit)
    return applied(forge, commit, **settings)


def test_a_plan_has_no_secret_and_asks_nobody(forge: Forge, emulator: str) -> None:
    """A pull request is planned from the snapshot; neither the cloud nor the state is asked."""
    plan = planned(forge, "a1")
    assert plan.passed, plan.text
    assert plan.outputs["changes"] == "true"
    assert plan.outputs["triggers"] == "1"
    assert requests(emulator) == 0


def test_one_comment_is_edited_in_place(forge: Forge) -> None:
    """Two pushes, one comment: it shows the second plan."""
    forge.add_pull(7, "a1")
    commented(forge, planned(forge, "a1"), "a1")
    add_disk(forge.repository)
    forge.add_pull(7, "a2")
    outcome = commented(forge, planned(forge, "a2"), "a2")
    assert outcome.passed, outcome.text
    (comment,) = forge.kept("comments")
    assert comment["edits"] == 1
    assert comment["issue"] == 7
    assert "alarm.disk-filling" in comment["body"]


def test_a_plan_that_failed_says_so_in_the_same_comment(forge: Forge) -> None:
    """A broken spec turns the check red, and the comment tells where to read why."""
    forge.add_pull(7, "a1")
    commented(forge, planned(forge, "a1"), "a1")
    (forge.repository / "specs" / "web.yaml").write_text("alarms: {x: {severity: Wrong}}\n", "utf-8")
    plan = planned(forge, "a1")
    assert plan.codes == {"Install": 0, "Validate": 10}
    assert "::error file=specs/web.yaml" in plan.text
    commented(forge, plan, "a1")
    (comment,) = forge.kept("comments")
    assert "The plan failed" in comment["body"]


def test_a_comment_needs_an_open_pull_request(forge: Forge) -> None:
    """A plan of a commit that nobody asks to merge is not commented on."""
    assert commented(forge, planned(forge, "a1"), "a1").passed
    assert forge.kept("comments") == []


def test_a_merge_applies_the_reviewed_plan(forge: Forge, emulator: str) -> None:
    """What was read is done, and the next pull request plans from the state it left."""
    outcome = merged(forge, "a1", "m1")
    assert outcome.passed, outcome.text
    assert active(emulator) == ["web-1-cpu-high", "web-2-unreachable"]
    assert triggered(emulator) == 1
    add_disk(forge.repository)
    before = requests(emulator)
    plan = planned(forge, "a2")
    assert "Plan: 1 to report." in plan.text
    assert requests(emulator) == before


def test_a_stale_plan_is_refused_and_made_anew(forge: Forge, emulator: str) -> None:
    """Between review and merge the specs moved: nothing is sent until somebody has read the new plan."""
    planned(forge, "a1")
    forge.add_pull(7, "a1", merged_as="m1")
    add_disk(forge.repository)
    outcome = applied(forge, "m1")
    assert outcome.codes["Apply"] == 5
    assert active(emulator) == []
    assert f"gh workflow run apply.yml -f run={outcome.run}" in outcome.text
    chosen = applied(forge, "m1", chosen=outcome)
    assert chosen.passed, chosen.text
    assert len(active(emulator)) == 3


def test_a_plan_made_by_a_fork_is_not_applied_by_itself(forge: Forge, emulator: str) -> None:
    """A fork says how its own plan is made, so it is made again and read again."""
    planned(forge, "f1", repository=2)
    forge.add_pull(8, "f1", merged_as="m1", owner="somebody/shop")
    assert applied(forge, "m1").codes["Apply"] == 5
    assert active(emulator) == []


def test_only_a_snapshot_of_the_default_branch_counts(forge: Forge) -> None:
    """An artifact of the same name from elsewhere is not taken for the state. A merge that changes nothing is green."""
    assert merged(forge, "a1", "m1").passed
    assert applied(forge, "m2").passed
    forged = forge.folder / "artifacts" / "99" / "reconcile-state"
    forged.mkdir(parents=True)
    (forged / "state.json").write_text("{}", "utf-8")
    row = {"id": 99, "workflow": "apply.yml", "commit": "", "status": "success"}
    forge.keep(
        "runs", [*forge.kept("runs"), row | {"branch": "main", "repository": 2}, row | {"branch": "change", "repository": 1}]
    )
    assert "No changes" in planned(forge, "a2").text


def test_a_snapshot_that_a_pull_request_brings_along_does_not_count(forge: Forge) -> None:
    """A file of that name in the checkout could make a plan look harmless."""
    assert merged(forge, "a1", "m1").passed
    brought = forge.repository / "snapshot" / "state.json"
    brought.parent.mkdir()
    for _ in range(2):
        brought.write_text("{}", "utf-8")
        plan = planned(forge, "a2")
        assert plan.passed and ("No changes" in plan.text or "as if nothing had been reported" in plan.text), plan.text
        forge.keep("runs", [])


def test_the_night_is_green_without_drift_and_red_with_it(forge: Forge, emulator: str) -> None:
    """Renewing and looking; what was cleared by somebody else is drift, exit code 2."""
    merged(forge, "a1", "m1")
    quiet = forge.run("nightly", with_secrets())
    assert quiet.passed, quiet.text
    control(emulator, "reset", {})
    loud = forge.run("nightly", with_secrets())
    assert (loud.codes["Renew"], loud.codes["Drift"]) == (0, 2)
    assert "alarm.web-2-unreachable" in loud.text


def test_the_night_renews_what_expires_soon(forge: Forge, emulator: str) -> None:
    """A renewal moves the expiry at the server."""
    spec = forge.repository / "specs" / "web.yaml"
    short = "timeout: 5m\n    lifecycle: {renew_before: 299999ms}\n    message: no answer"
    spec.write_text(spec.read_text("utf-8").replace("message: no answer", short), "utf-8")
    merged(forge, "a1", "m1")
    before = {row["metadata"]["event_name"]: row["expires_at"] for row in control(emulator, "alarms?state=active")}
    night = forge.run("nightly", with_secrets())
    assert "1 renewed" in night.text, night.text
    after = {row["metadata"]["event_name"]: row["expires_at"] for row in control(emulator, "alarms?state=active")}
    assert after["web-2-unreachable"] > before["web-2-unreachable"]
    assert after["web-1-cpu-high"] == before["web-1-cpu-high"]


def test_an_artifact_carries_a_local_state_from_run_to_run(small_forge: Forge, emulator: str) -> None:
    """With STATE_FILE set, runners are thrown away and the state is not."""
    here = {"STATE_FILE": "state/default.json"}
    assert merged(small_forge, "a1", "m1", env=here).passed
    add_disk(small_forge.repository)
    outcome = merged(small_forge, "a2", "m2", env=here)
    assert outcome.passed, outcome.text
    assert "1 reported" in outcome.text
    assert len(active(emulator)) == 3


def test_a_runner_that_dies_before_the_upload_doubles_nothing(small_forge: Forge, emulator: str) -> None:
    """The artifact is of the run before: the new plan finds alarms by their stamp, and tasks by their history."""
    here = {"STATE_FILE": "state/default.json"}
    assert merged(small_forge, "a1", "m1", env=here, dies=True).passed
    again = applied(small_forge, "m1", env=here)
    assert again.codes["Apply"] == 5
    chosen = applied(small_forge, "m1", env=here, chosen=again)
    assert "2 adopted" in chosen.text, chosen.text
    assert active(emulator) == ["web-1-cpu-high", "web-2-unreachable"]
    assert triggered(emulator) == 1


def test_the_composite_action_passes_outputs_and_exit_codes_on(tmp_path: Path, emulator: str) -> None:
    """The step's outputs are the plan's, and a failing command fails the step with its own code."""
    open_shop(tmp_path, emulator=emulator, state="state/default.json")
    steps = load("github/action.yml")["runs"]["steps"]
    output = tmp_path / "output"
    env = base_environment(tmp_path / "home") | {"GITHUB_OUTPUT": str(output), "GITHUB_STEP_SUMMARY": str(tmp_path / "summary")}
    codes = {}
    for command, words in (("plan", "--out plan.json --github"), ("plan", "--detailed-exitcode"), ("plan", "--nonsense")):
        for step in steps:
            done = script(step["run"], tmp_path, env | {"COMMAND": command, "ARGS": words, "PACKAGE": ""})
        codes[words] = done.returncode
    assert list(codes.values()) == [0, 2, 64]
    told = output.read_text("utf-8")
    assert "changes=true\n" in told
    assert told.endswith("exit_code=64\n")


@pytest.mark.parametrize("name", WORKFLOWS)
def test_foreign_actions_are_pinned_by_commit(name: str) -> None:
    """A tag can be moved; a commit cannot."""
    text = (PIPELINES / "github" / f"{name}.yml").read_text("utf-8")
    for used in re.findall(r"uses: (\S+)(.*)", text):
        assert re.fullmatch(r"actions/[a-z-]+@[0-9a-f]{40}", used[0])
        assert re.fullmatch(r" # v\d+\.\d+\.\d+", used[1])


def test_the_workflows_agree_on_how_the_snapshot_is_found() -> None:
    """One text in three places."""
    texts = {
        step["run"]
        for name in ("plan", "apply", "nightly")
        for job in load(f"github/{name}.yml")["jobs"].values()
        for step in job["steps"]
        if step.get("name", "").startswith("Bring the latest snapshot")
    }
    assert len(texts) == 1


def test_who_may_write_is_kept_apart() -> None:
    """The pull request's job may only read; what writes the state is one at a time and never cut off."""
    assert set(load("github/plan.yml")["permissions"].values()) == {"read"}
    assert "secrets." not in (PIPELINES / "github" / "plan.yml").read_text("utf-8")
    groups = [load(f"github/{name}.yml")["concurrency"] for name in ("apply", "nightly")]
    assert groups == [{"group": "reconcile-state", "cancel-in-progress": False}] * 2


def test_the_tool_is_there() -> None:
    """The steps find the tool that is tested, not another one."""
    assert (BIN / "reconcile").exists()
