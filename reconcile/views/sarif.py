"""Problems as SARIF 2.1.0, which code hosts show beside the lines. Pure; knows no file."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any
from urllib.parse import quote

from reconcile import __version__
from reconcile.errors import Problem

_SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"


def render_sarif(problems: Sequence[Problem]) -> str:
    """One run with one result per problem."""
    codes = sorted({problem.code for problem in problems})
    driver = {"name": "reconcile", "version": __version__, "rules": [{"id": code} for code in codes]}
    run = {
        "tool": {"driver": driver},
        "columnKind": "unicodeCodePoints",
        "results": [_result(problem, codes.index(problem.code)) for problem in problems],
    }
    return json.dumps({"$schema": _SCHEMA, "version": "2.1.0", "runs": [run]}, indent=2) + "\n"


def _result(problem: Problem, rule: int) -> dict[str, Any]:
    region = {"startLine": max(problem.line, 1), "startColumn": max(problem.column, 1)}
    if problem.end_column is not None and problem.end_column > problem.column:
        region["endColumn"] = problem.end_column
    told = problem.what if problem.hint is None else f"{problem.what} ({problem.hint})"
    location = {"artifactLocation": {"uri": quote(problem.file, safe="/._-~", errors="backslashreplace")}, "region": region}
    return {
        "ruleId": problem.code,
        "ruleIndex": rule,
        "level": "error" if problem.severity == "error" else "warning",
        "message": {"text": told},
        "locations": [{"physicalLocation": location}],
    }
