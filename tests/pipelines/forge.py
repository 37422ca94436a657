"""A forge on this machine: it reads the shipped templates and runs their steps as shell scripts, each job in a fresh checkout."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[2]
PIPELINES = ROOT / "docs" / "pipelines"
BIN = Path(sys.executable).parent
EXPRESSION = re.compile(r"\$\{\{\s*(.*?)\s*\}\}")


def script(text: str, folder: Path, env: Mapping[str, str], *, shell: str = "bash") -> subprocess.CompletedProcess[str]:
    """Run a step's text as its runner would, with this environment and no other."""
    flags = ["-e", "-o", "pipefail"] if shell == "bash" else ["-xe"]
    return subprocess.run(
        [shell, *flags, "-c", text], cwd=folder, env=dict(env), capture_output=True, text=True, check=False, timeout=120
    )


def base_environment(home: Path, *, first: Path | None = None) -> dict[str, str]:
    """What every runner has: a path that holds the tool, and a home."""
    home.mkdir(exist_ok=True)
    places = [str(place) for place in (first, BIN) if place] + ["/usr/bin", "/bin", "/usr/local/bin"]
    return {"PATH": os.pathsep.join(places), "HOME": str(home), "LANG": "C.UTF-8"}


def load(path: str) -> Any:
    """A template; YAML 1.1 reads the key `on` as true."""
    value = yaml.safe_load((PIPELINES / path).read_text("utf-8"))
    return {("on" if key is True else key): entry for key, entry in value.items()}


@dataclass
class Outcome:
    """How a workflow ended: per step its exit code and text, and what it wrote for others."""

    codes: dict[str, int] = field(default_factory=dict)
    text: str = ""
    outputs: dict[str, str] = field(default_factory=dict)
    run: int = 0

    @property
    def passed(self) -> bool:
        """Whether every step that ran ended with 0."""
        return not any(self.codes.values())


class Forge:
    """Repositories, runs, artifacts and comments in a folder. A runner's disk is gone when its job ends."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "forge"
        self.repository = folder / "repository"
        self.repository.mkdir(parents=True)
        self.folder.mkdir()
        self.work = folder / "work"
        for table in ("comments", "pulls", "runs"):
            self.keep(table, [])
        binaries = folder / "bin"
        binaries.mkdir()
        gh = binaries / "gh"
        gh.write_text(f'#!/bin/sh\nexec "{sys.executable}" "{Path(__file__).with_name("gh_stand_in.py")}" "$@"\n', "utf-8")
        gh.chmod(0o755)
        self.env = base_environment(folder / "home", first=binaries) | {"FORGE": str(self.folder)}

    def kept(self, table: str) -> Any:
        """One table of the forge."""
        return json.loads((self.folder / f"{table}.json").read_text("utf-8"))

    def keep(self, table: str, rows: Any) -> None:
        """Write one table of the forge."""
        (self.folder / f"{table}.json").write_text(json.dumps(rows), "utf-8")

    def add_pull(self, number: int, head: str, *, merged_as: str | None = None, owner: str = "your-org/shop") -> None:
        """Open, or merge, a pull request."""
        rows = [row for row in self.kept("pulls") if row["number"] != number]
        merged = None if merged_as is None else "2026-11-20T08:00:00Z"
        branch = {"sha": head, "repo": {"full_name": owner}}
        self.keep("pulls", [*rows, {"number": number, "head": branch, "merge_sha": merged_as, "merged_at": merged}])

    def run(
        self,
        name: str,
        contexts: Mapping[str, str],
        *,
        env: Mapping[str, str] | None = None,
        branch: str = "main",
        repository: int = 1,
        commit: str = "",
        dies: bool = False,
    ) -> Outcome:
        """Run a workflow's only job. A runner that `dies` uploads nothing."""
        workflow = load(f"github/{name}.yml")
        (job,) = workflow["jobs"].values()
        runs = self.kept("runs")
        outcome = Outcome(run=len(runs) + 1)
        known = {"github.token": "job-token", "github.event.repository.default_branch": "main", "inputs.run": ""} | dict(contexts)
        self._fresh_checkout()
        files = {key: self.work.parent / key.lower() for key in ("GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY", "GITHUB_PATH")}
        for file in files.values():
            file.write_text("", "utf-8")
        forge = {"GITHUB_REPOSITORY": "your-org/shop", "GITHUB_SHA": commit, "GITHUB_RUN_ID": str(outcome.run), "CI": "true"}
        given = self._filled(workflow.get("env", {}), known) | self._filled(job.get("env", {}), known) | dict(env or {})
        environment = self.env | forge | {key: str(path) for key, path in files.items()} | given
        row = {"id": outcome.run, "workflow": f"{name}.yml", "commit": commit, "branch": branch, "repository": repository}
        self.keep("runs", [*runs, row | {"status": "in_progress"}])
        for step in job["steps"]:
            if outcome.passed or step.get("if") in ("always()", "${{ !cancelled() }}"):
                self._step(step, environment, known, outcome, upload=not dies)
        outcome.outputs = dict(line.split("=", 1) for line in files["GITHUB_OUTPUT"].read_text("utf-8").splitlines())
        outcome.text += files["GITHUB_STEP_SUMMARY"].read_text("utf-8")
        self.keep("runs", [*runs, row | {"status": "success" if outcome.passed else "failure"}])
        return outcome

    def _fresh_checkout(self) -> None:
        shutil.rmtree(self.work, ignore_errors=True)
        self.work.mkdir()

    def _filled(self, env: Mapping[str, Any], known: Mapping[str, str]) -> dict[str, str]:
        return {key: EXPRESSION.sub(lambda found: self._value(found[1], known), str(value)) for key, value in env.items()}

    def _value(self, expression: str, known: Mapping[str, str]) -> str:
        return known.get(expression, "") if expression.startswith("secrets.") else known[expression]

    def _step(
        self, step: Mapping[str, Any], env: Mapping[str, str], known: Mapping[str, str], outcome: Outcome, *, upload: bool
    ) -> None:
        match step.get("uses", "").partition("@")[0]:
            case "":
                assert not EXPRESSION.search(step["run"]), (
                    "a script takes what others wrote from variables, never as its own text"
                )
                done = script(step["run"], self.work, dict(env) | self._filled(step.get("env", {}), known))
                outcome.codes[step["name"]] = done.returncode
                outcome.text += f"## {step['name']}\n{done.stdout}{done.stderr}"
            case "actions/checkout":
                shutil.copytree(self.repository, self.work, dirs_exist_ok=True)
            case "actions/upload-artifact":
                file = self.work / step["with"]["path"]
                if file.exists() and upload:
                    folder = self.folder / "artifacts" / str(outcome.run) / step["with"]["name"]
                    folder.mkdir(parents=True, exist_ok=True)
                    shutil.copy(file, folder)
            case other:
                raise AssertionError(f"the forge knows no {other}")
