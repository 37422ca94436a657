"""Writes specs and configs to a folder and reads them back, for the tests of this floor."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from textwrap import dedent
from typing import Any

from reconcile.errors import InputInvalid, Problem
from reconcile.model.config import Config
from reconcile.model.desired import Desired
from reconcile.specs.load import load_config, load_specs

BODY = {"severity": "Major", "resource": {"provider": "ecs", "type": "vm", "id": "ecs-1"}, "message": "CPU is high"}
TASK = {
    "alarm_id": "ALM2025071417361705s6mUUrF",
    "task_type": "SCRIPT",
    "associated_task_id": "SC1",
    "associated_task_type": "CUSTOMIZATION",
    "associated_task_name": "restart",
}
TARGETS = """
targets:
  aom: {type: aom}
  legacy: {type: aom, dialect: legacy}
  old: {type: aom, dialect: cn-2021}
  bare: {type: coc-events}
  coc-events: {type: coc-events, application_id: app-1, namespace: prod, source: gitops}
  coc: {type: coc}
"""


def alarm(**changes: Any) -> dict[str, Any]:
    """A small alarm with changes; None takes a key away."""
    merged = {**BODY, **changes}
    return {key: value for key, value in merged.items() if value is not None}


def task(**changes: Any) -> dict[str, Any]:
    """A small handling with changes; None takes a key away."""
    merged = {**TASK, **changes}
    return {key: value for key, value in merged.items() if value is not None}


def put(folder: Path, files: Mapping[str, str | bytes | dict[str, Any]]) -> None:
    """Write files below `specs/` (or, with a leading slash, below the folder); a mapping is written as JSON, which is YAML."""
    (folder / "specs").mkdir(exist_ok=True)
    for name, content in files.items():
        path = folder / name[1:] if name.startswith("/") else folder / "specs" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(content, bytes):
            path.write_bytes(content)
        else:
            text = dedent(content) if isinstance(content, str) else json.dumps(content, indent=1)
            path.write_text(text, encoding="utf-8")


def config(folder: Path, text: str = "", *, environ: Mapping[str, str] | None = None, **given: Any) -> Config:
    """The config of a folder, after writing it when a text is given."""
    if text:
        put(folder, {"/reconcile.yaml": text})
    return load_config(folder, given.pop("file", None), environ=environ or {}, **given)


def load(
    folder: Path,
    specs: str | bytes | dict[str, Any] | None = None,
    *,
    targets: str = TARGETS,
    environ: Mapping[str, str] | None = None,
    **given: Any,
) -> Desired:
    """The desired state of a folder whose `specs/a.yaml` holds these specs."""
    if specs is not None:
        put(folder, {"a.yaml": specs})
    if not (folder / "reconcile.yaml").exists():
        put(folder, {"/reconcile.yaml": targets})
    return load_specs(config(folder, environ=environ, **given), folder, environ=environ or {})


def problems(folder: Path, specs: str | bytes | dict[str, Any] | None = None, **given: Any) -> list[Problem]:
    """The problems of a load that must fail."""
    try:
        load(folder, specs, **given)
    except InputInvalid as error:
        return error.problems
    raise AssertionError("these specs were accepted")


def config_problems(folder: Path, text: str, **given: Any) -> list[Problem]:
    """The problems of a config that must be refused."""
    try:
        config(folder, text, **given)
    except InputInvalid as error:
        return error.problems
    raise AssertionError("this config was accepted")


def only(found: list[Problem]) -> Problem:
    """The one problem there is."""
    assert len(found) == 1, [shown(problem) for problem in found]
    return found[0]


def shown(problem: Problem) -> str:
    """A problem as text, with the caret under its place."""
    head = f"{problem.file}:{problem.line}:{problem.column}: error[{problem.code}]: {problem.what}"
    out = [head]
    if problem.line_text is not None:
        end = problem.end_column or problem.column + 1
        out += ["  | " + problem.line_text, "  | " + " " * (problem.column - 1) + "^" * (end - problem.column)]
    return "\n".join(out + ([f"  hint: {problem.hint}"] if problem.hint else []))


def marked(problem: Problem) -> str:
    """The text that the caret underlines."""
    assert problem.line_text is not None
    return problem.line_text[problem.column - 1 : (problem.end_column or 0) - 1]
