"""What is wrong in specs and config, for people and for machines. Pure: problems -> str."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict

from reconcile.errors import Problem
from reconcile.views.inert import cells, inert
from reconcile.views.sarif import render_sarif
from reconcile.views.style import Style
from reconcile.views.units import counted

FORMATS = ("text", "github", "json", "sarif")
MOST_SOURCE, BEFORE = 160, 60


def render_problems(problems: Sequence[Problem], *, files: int, form: str, style: Style) -> str:
    """All problems in one of the formats, with a final newline."""
    match form:
        case "github":
            return (_github(problems) + render_text(problems, files=files, style=style)).replace("##[", "##\\u005b")
        case "json":
            return json.dumps({"valid": not _errors(problems), "problems": [asdict(p) for p in problems]}, indent=2) + "\n"
        case "sarif":
            return render_sarif(problems)
        case _:
            return render_text(problems, files=files, style=style)


def _errors(problems: Sequence[Problem]) -> int:
    return sum(1 for problem in problems if problem.severity == "error")


def render_text(problems: Sequence[Problem], *, files: int, style: Style) -> str:
    """Each problem with its source line, a caret below the place and the closest match; the counts last."""
    errors = _errors(problems)
    counts = [counted(count, word) for count, word in ((errors, "error"), (len(problems) - errors, "warning")) if count]
    where = f" in {counted(files, 'file')}" if files else ""
    summary = f"{', '.join(counts)}{where}. Nothing was contacted."
    return "\n".join([*(_block(problem, style) for problem in problems), style.bold(summary)]) + "\n"


def _block(problem: Problem, style: Style) -> str:
    paint = style.danger if problem.severity == "error" else style.change
    place = f"{inert(problem.file)}:{problem.line}:{problem.column}"
    lines = [f"{style.bold(place)}: {paint(f'{problem.severity}[{problem.code}]')}: {inert(problem.what)}"]
    hint = inert(problem.hint) if problem.hint else ""
    if problem.line_text is not None:
        source, caret = excerpt(problem.line_text.rstrip("\r\n"), problem.column, problem.end_column)
        lines += [f"{problem.line:>5} | {source}", f"      | {paint(caret)} {hint}".rstrip()]
    elif hint:
        lines.append(f"        {hint}")
    return "\n".join(lines) + "\n"


def excerpt(line: str, column: int, end_column: int | None) -> tuple[str, str]:
    """A source line, inert and cut around the place where it is long, and carets below the columns meant."""
    start = min(max(column - 1, 0), len(line))
    end = min(max(end_column - 1 if end_column else start + 1, start + 1), max(len(line), start + 1))
    left = max(0, start - BEFORE) if len(line) > MOST_SOURCE else 0
    shown = line[left : left + MOST_SOURCE]
    lead, trail = "..." if left else "", "..." if left + MOST_SOURCE < len(line) else ""
    blank = " " * cells(lead + inert(line[left:start]))
    carets = "^" * max(1, cells(inert(line[start : min(end, left + MOST_SOURCE)])))
    return lead + inert(shown) + trail, blank + carets


def _github(problems: Sequence[Problem]) -> str:
    """Workflow commands, the most severe first: a job shows only its first ten."""
    ordered = sorted(problems, key=lambda problem: problem.severity != "error")
    return "".join(_command(problem) + "\n" for problem in ordered)


def _command(problem: Problem) -> str:
    properties = {
        "file": problem.file,
        "line": str(problem.line),
        "col": str(problem.column),
        "endColumn": str(problem.end_column or problem.column + 1),
        "title": problem.code,
    }
    told = problem.what if problem.hint is None else f"{problem.what} ({problem.hint})"
    head = ",".join(f"{key}={_property(value)}" for key, value in properties.items())
    return f"::{'error' if problem.severity == 'error' else 'warning'} {head}::{_message(told)}"


def _message(text: str) -> str:
    escaped = text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")
    return inert(escaped)


def _property(text: str) -> str:
    return _message(text).replace(":", "%3A").replace(",", "%2C")
