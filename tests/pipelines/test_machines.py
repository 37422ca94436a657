"""Jenkins, systemd, Kubernetes, the container and pre-commit: what each would start is started here."""

from __future__ import annotations

import configparser
import re
import shlex
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.emulator_fixture import control
from tests.pipelines.forge import BIN, PIPELINES, ROOT, base_environment, load, script
from tests.pipelines.shop import SECRETS, active, open_shop, triggered

TEMPLATES = (
    "github/plan.yml",
    "github/comment.yml",
    "github/apply.yml",
    "github/nightly.yml",
    "github/action.yml",
    "gitlab/.gitlab-ci.yml",
    "jenkins/Jenkinsfile",
    "systemd/reconcile.service",
    "kubernetes/cronjob.yaml",
    "container/Containerfile",
)
ELSEWHERE = '{backend: postgres, conn_str: "${env.NOT_SET_HERE}"}'
KEYS = {"HUAWEICLOUD_SDK_USR": SECRETS["HUAWEICLOUD_SDK_AK"], "HUAWEICLOUD_SDK_PSW": SECRETS["HUAWEICLOUD_SDK_SK"]}


@pytest.fixture
def shop(tmp_path: Path, emulator: str) -> Path:
    """A checkout that stays, as an agent's workspace or a machine's folder does."""
    open_shop(tmp_path / "shop", emulator=emulator, state="state/default.json")
    return tmp_path / "shop"


ORDER = ("Validate", "Plan", "Apply", "Nightly")


def stages() -> dict[str, list[str]]:
    """The shell steps of the Jenkinsfile, by stage."""
    text = (PIPELINES / "jenkins" / "Jenkinsfile").read_text("utf-8")
    found = {}
    for part in text.split("stage('")[1:]:
        found[part.partition("'")[0]] = [
            long or short for long, short in re.findall(r"\bsh '''(.*?)'''|\bsh '([^'\n]+)'", part, re.DOTALL)
        ]
    return found


def systemd() -> configparser.RawConfigParser:
    """The service; a key that stands several times keeps all its lines."""

    class Several(dict[str, Any]):
        def __setitem__(self, key: str, value: Any) -> None:
            if isinstance(value, list) and key in self:
                self[key].extend(value)
            else:
                super().__setitem__(key, value)

    parser = configparser.RawConfigParser(strict=False, dict_type=Several, comment_prefixes=("#",), delimiters=("=",))
    parser.optionxform = str  # type: ignore[assignment,method-assign]
    parser.read(PIPELINES / "systemd" / "reconcile.service", "utf-8")
    return parser


def cron_jobs() -> dict[str, Any]:
    """The pods of the CronJobs, by name."""
    documents = yaml.safe_load_all((PIPELINES / "kubernetes" / "cronjob.yaml").read_text("utf-8"))
    return {document["metadata"]["name"]: document["spec"] for document in documents}


@pytest.mark.parametrize("name", TEMPLATES)
def test_every_template_says_where_its_state_lives(name: str) -> None:
    """Runners are thrown away; the state must not be."""
    assert re.search(r"^(#|//) State: ", (PIPELINES / name).read_text("utf-8"), re.MULTILINE)


def test_jenkins_plans_applies_and_renews(shop: Path, emulator: str) -> None:
    """The shell steps of each stage, in their order, in one workspace."""
    env = base_environment(shop.parent / "home") | {"HUAWEICLOUD_SDK_PROJECT_ID": SECRETS["HUAWEICLOUD_SDK_PROJECT_ID"]}
    steps = stages()
    assert {name for name, scripts in steps.items() if scripts} == {*ORDER, "Plan a change request"}
    for stage in ORDER:
        for text in steps[stage]:
            done = script(text, shop, env | (KEYS if stage in ("Apply", "Nightly") else {}), shell="sh")
            assert done.returncode == 0, done.stdout + done.stderr
    assert (len(active(emulator)), triggered(emulator)) == (2, 1)
    assert "<html" in (shop / "plan.html").read_text("utf-8")
    control(emulator, "reset", {})
    assert script(steps["Nightly"][0], shop, env | KEYS, shell="sh").returncode == 2


def test_jenkins_gives_a_change_request_no_credential_and_plans_it_against_a_copy(shop: Path, emulator: str) -> None:
    """The stages that a fork reaches name none; its own `state.json` does not count; what the main branch archived does."""
    text = (PIPELINES / "jenkins" / "Jenkinsfile").read_text("utf-8")
    before, _, behind = text.partition("pipeline {")[2].partition("stage('Plan')")
    assert "credentials(" not in before
    assert all(re.search(r"when \{.*(branch 'main'|not \{ changeRequest\(\) \})", part) for part in behind.split("stage('"))
    env = base_environment(shop.parent / "home")
    project = {"HUAWEICLOUD_SDK_PROJECT_ID": SECRETS["HUAWEICLOUD_SDK_PROJECT_ID"]}
    for stage in ("Plan", "Apply"):
        assert script(stages()[stage][0], shop, env | project | KEYS, shell="sh").returncode == 0
    kept, config = (shop / "state.json").read_bytes(), shop / "reconcile.yaml"
    (shop / "state.json").write_text("{}", "utf-8")
    config.write_text(config.read_text("utf-8").replace("state/default.json", ELSEWHERE), "utf-8")
    clean, plan = stages()["Plan a change request"]
    for copy, told in ((kept, "No changes."), (None, "Plan: 2 to report; 1 task to trigger.")):
        assert script(clean, shop, env, shell="sh").returncode == 0 and not (shop / "state.json").exists()
        if copy is not None:
            (shop / "state.json").write_bytes(copy)
        done = script(plan, shop, env, shell="sh")
        assert done.returncode == 0 and told in done.stdout, done.stdout + done.stderr


def started(words: list[str], folder: Path, **env: str) -> subprocess.CompletedProcess[str]:
    """What a machine starts, without a shell."""
    environment = base_environment(folder.parent / "home") | SECRETS | env
    return subprocess.run(
        [str(BIN / "reconcile"), *words], cwd=folder, env=environment, capture_output=True, text=True, check=False
    )


def test_systemd_starts_what_works(shop: Path, tmp_path: Path) -> None:
    """Both commands of the service run, with its cache folder; the unit itself is well-formed."""
    assert started(["apply", "--auto-approve"], shop).returncode == 0
    service = systemd()["Service"]
    lines = service["ExecStart"].splitlines()
    assert [shlex.split(line)[1] for line in lines] == ["renew", "drift"]
    for line in lines:
        program, *words = shlex.split(line)
        assert program == "/usr/local/bin/reconcile"
        done = started(words, shop, RECONCILE_CACHE_DIR=str(tmp_path / "cache"))
        assert done.returncode == 0, done.stderr
    assert service["ProtectSystem"] == "strict"
    if shutil.which("systemd-analyze"):
        unit = tmp_path / "units"
        shutil.copytree(PIPELINES / "systemd", unit)
        file = unit / "reconcile.service"
        file.write_text(file.read_text("utf-8").replace("/usr/local/bin/reconcile", str(BIN / "reconcile")), "utf-8")
        checked = subprocess.run(["systemd-analyze", "verify", *unit.iterdir()], capture_output=True, text=True, check=False)
        assert checked.returncode == 0, checked.stderr


def test_kubernetes_starts_what_works_and_needs_no_root(shop: Path) -> None:
    """The arguments run; the pods are unprivileged, their root is read-only, and only renewals are tried again."""
    assert started(["apply", "--auto-approve"], shop).returncode == 0
    jobs = cron_jobs()
    assert set(jobs) == {"reconcile-renew", "reconcile-drift"}
    for spec in jobs.values():
        assert spec["concurrencyPolicy"] == "Forbid"
        pod = spec["jobTemplate"]["spec"]["template"]["spec"]
        (container,) = pod["containers"]
        assert pod["securityContext"]["runAsNonRoot"] is True
        assert container["securityContext"]["readOnlyRootFilesystem"] is True
        assert container["securityContext"]["capabilities"] == {"drop": ["ALL"]}
        done = started(container["args"], shop)
        assert done.returncode == 0, done.stderr
    assert jobs["reconcile-drift"]["jobTemplate"]["spec"]["backoffLimit"] == 0


def test_the_container_is_not_root_and_starts_the_tool() -> None:
    """The last USER is a number other than 0, and what is copied into the build exists."""
    lines = (PIPELINES / "container" / "Containerfile").read_text("utf-8").splitlines()
    steps = [line.split(maxsplit=1) for line in lines if line and not line.startswith(("#", " "))]
    assert [value for step, value in steps if step == "USER"][-1] == "65532:65532"
    assert [value for step, value in steps if step == "ENTRYPOINT"] == ['["reconcile"]']
    for step, value in steps:
        if step == "COPY" and not value.startswith("--from"):
            assert all((ROOT / source).exists() for source in value.split()[:-1])


def test_pre_commit_finds_what_is_wrong_offline(shop: Path) -> None:
    """The hook looks at all specs, whichever was edited, and fails with the place."""
    (hook,) = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text("utf-8"))
    words = shlex.split(hook["entry"])
    assert words[0] == "reconcile"
    assert hook["pass_filenames"] is False
    assert started(words[1:], shop).returncode == 0
    (shop / "specs" / "web.yaml").write_text("alarms: {x: {severity: Wrong}}\n", "utf-8")
    done = started(words[1:], shop)
    assert (done.returncode, done.stdout.startswith("specs/web.yaml:1:")) == (10, True)
    for path, wanted in {"specs/a/b.yaml": True, "specs/c.yml": True, "reconcile.yaml": True, "docs/x.yaml": False}.items():
        assert bool(re.match(hook["files"], path)) is wanted


def test_the_action_lies_in_the_repository_it_installs() -> None:
    """Its default package is the folder three levels up: the tool of the same commit."""
    install = load("github/action.yml")["runs"]["steps"][0]["run"]
    assert "$GITHUB_ACTION_PATH/../../.." in install
    assert (PIPELINES / "github" / "../../.." / "pyproject.toml").resolve() == ROOT / "pyproject.toml"
