"""A folder and a cloud for each test, and the tool as a process in it."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.contract.cloud import KEY, PROJECT, Cloud, running
from tests.crash.nest import Nest, started

TOKEN = "tok-0123456789-do-not-leak"
OURS = ("RECONCILE_", "HW_", "HUAWEICLOUD_", "COC_", "OS_", "NO_COLOR", "PYTHONHASHSEED")


@dataclass(frozen=True)
class Ran:
    """How a command ended."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """The one document on stdout."""
        return json.loads(self.out)

    @property
    def lines(self) -> list[Any]:
        """The JSON lines on stdout."""
        return [json.loads(line) for line in self.out.splitlines()]


@dataclass
class Project:
    """A folder with specs and a config whose targets are one cloud."""

    root: Path
    cloud: Cloud
    nest: Nest

    def config(self, aom: str = "", extra: str = "", stack: str = "payments", coc: str = "") -> None:
        """Write the config. `aom` and `coc` are more keys of these targets, `extra` more top-level lines."""
        url = self.cloud.url
        text = f"""version: 1
stack: {stack}
default_target: aom
targets:
  aom: {{type: aom, endpoint: "{url}", project_id: {PROJECT}, confirm_timeout: 1s{", " + aom if aom else ""}}}
  coc-events: {{type: coc-events, endpoint: "{url}", integration_key: "${{env.COC_INTEGRATION_KEY}}", application_id: app-1,
               namespace: prod, source: gitops}}
  coc: {{type: coc, endpoint: "{url}"{", " + coc if coc else ""}}}
{extra}
"""
        (self.root / "reconcile.yaml").write_text(text, encoding="utf-8")

    def specs(self, text: str, name: str = "a.yaml") -> None:
        """Write one spec file."""
        path = self.root / "specs" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")

    def alarms(self, *names: str, more: str = "", **fields: str) -> None:
        """Write plain alarms, one per name; `fields` override lines of every one."""
        entries = []
        for name in names:
            known = {
                "severity": "Major",
                "resource": f"{{provider: ecs, type: vm, id: {name}}}",
                "message": "CPU above 90 %",
            } | fields
            entries.append(f"  {name}: {{" + ", ".join(f"{key}: {value}" for key, value in known.items()) + "}\n")
        self.specs("alarms:\n" + "".join(entries) + more if names else "# nothing\n" + more)

    def run(self, *argv: str, env: Mapping[str, str] | None = None, token: str | None = TOKEN) -> Ran:
        """Run a command line to its end; stdin is no terminal."""
        environ = self.environ(env, token=token)
        run = started if any(name.startswith("PYTHON") for name in env or {}) else self.nest.tell
        ran = Ran(*run(argv, cwd=self.root, environ=environ))
        assert "Traceback" not in ran.err, ran.err
        return ran

    def environ(self, env: Mapping[str, str] | None = None, *, token: str | None = TOKEN) -> dict[str, str]:
        """This environment without anything the tool reads, a token, and `env`."""
        known = {name: value for name, value in os.environ.items() if not name.startswith(OURS)}
        login = {} if token is None else {"HW_AUTH_TOKEN": token}
        return known | {"HOME": str(self.root), "COC_INTEGRATION_KEY": KEY} | login | dict(env or {})

    def apply(self, *argv: str, code: int = 0, env: Mapping[str, str] | None = None) -> Ran:
        """Apply without asking; it must end with this code."""
        ran = self.run("apply", "--auto-approve", *argv, env=env)
        assert ran.code == code, (ran.code, ran.out, ran.err)
        return ran

    def plan(self, *argv: str, code: int = 0, env: Mapping[str, str] | None = None) -> Any:
        """The plan document."""
        ran = self.run("plan", "--json", *argv, env=env)
        assert ran.code == code, (ran.code, ran.out, ran.err)
        return ran.json

    def actions(self, *argv: str, code: int = 0, env: Mapping[str, str] | None = None) -> dict[str, str]:
        """Address -> verb of a plan."""
        return {row["address"]: row["action"] for row in self.plan(*argv, code=code, env=env)["changes"]}

    @property
    def state_file(self) -> Path:
        """Where the state is."""
        return self.root / "state" / "default.json"

    @property
    def state(self) -> Any:
        """The state, parsed."""
        return json.loads(self.state_file.read_text(encoding="utf-8"))

    def everything(self) -> bytes:
        """Every byte of every file the tool wrote: no secret may be in it."""
        files = [p for p in self.root.rglob("*") if p.is_file() and p.parent.name != "specs" and p.name != "reconcile.yaml"]
        return b"".join(path.read_bytes() for path in files)


@pytest.fixture
def cloud() -> Iterator[Cloud]:
    """A cloud that behaves as the current document says."""
    with running(Cloud()) as served:
        yield served


@pytest.fixture
def project(tmp_path: Path, cloud: Cloud, nest: Nest) -> Project:
    """A folder with a config for that cloud and no spec."""
    (tmp_path / "specs").mkdir()
    made = Project(tmp_path, cloud, nest)
    made.config()
    return made
