"""What is wrong in specs and config, in each format."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from reconcile.errors import InputInvalid, Problem
from reconcile.views.errors_text import render_error
from reconcile.views.problems import MOST_SOURCE, excerpt, render_problems
from reconcile.views.style import PLAIN, Style
from tests.views.samples import HOSTILE

Golden = Callable[[str, str], None]

PROBLEMS = [
    Problem(
        "specs/db.yaml",
        14,
        15,
        "S012",
        "`Critcal` is none of Critical, Major",
        "did you mean `Critical`?",
        "    severity: Critcal",
        22,
    ),
    Problem("specs/db.yaml", 20, 5, "S002", "`alarm.x` is declared twice; first at specs/a.yaml:3"),
    Problem(
        "specs/net.yaml",
        8,
        3,
        "S101",
        "the timeout is shorter than the margin",
        severity="warning",
        line_text="\ttimeout: 20m",
        end_column=10,
    ),
    Problem("specs/x,y:z%.yaml", 1, 1, "S003", f"a key\nover 100% of lines {HOSTILE}", HOSTILE, HOSTILE),
]


@pytest.mark.parametrize("form", ["text", "github", "json", "sarif"])
def test_problems_in_each_format(golden: Golden, form: str) -> None:
    """Byte for byte."""
    golden(f"problems-{form}.txt", render_problems(PROBLEMS, files=4, form=form, style=PLAIN))


def test_the_caret_stands_below_what_is_meant() -> None:
    """Also behind wide characters, escapes and tabs."""
    assert excerpt("    severity: Critcal", 15, 22) == ("    severity: Critcal", "              ^^^^^^^")
    assert excerpt("磁盘: x", 5, 6) == ("磁盘: x", "      ^")
    assert excerpt("\tname: y", 2, 6) == ("\\tname: y", "  ^^^^")
    assert excerpt("abc", 4, None) == ("abc", "   ^")
    assert excerpt("", 9, 12) == ("", "^")


def test_a_long_line_is_cut_around_its_place() -> None:
    """A line of a megabyte shows the part that matters."""
    line = "x" * 500_000 + "HERE" + "y" * 500_000
    source, caret = excerpt(line, 500_001, 500_005)
    assert "HERE" in source and len(source) < MOST_SOURCE + 10
    assert source[caret.index("^") :].startswith("HERE") and caret.count("^") == 4


def test_no_control_reaches_a_terminal_from_a_problem() -> None:
    """In text and in workflow commands."""
    for form in ("text", "github"):
        text = render_problems(PROBLEMS, files=0, form=form, style=PLAIN)
        assert [c for c in text if not c.isprintable() and c != "\n"] == []


def test_a_workflow_command_cannot_be_forged() -> None:
    """Each problem is one line; what separates properties is escaped."""
    lines = render_problems(PROBLEMS, files=0, form="github", style=PLAIN).splitlines()
    commands = [line for line in lines if line.startswith("::")]
    assert len(commands) == len(PROBLEMS)
    assert commands[2].startswith("::error file=specs/x%2Cy%3Az%25.yaml,line=1,col=1,endColumn=2,title=S003::a key%0Aover 100%25")
    assert commands[-1].startswith("::warning ")


def test_sarif_has_what_code_hosts_read() -> None:
    """Version, rule, level, place."""
    log = json.loads(render_problems(PROBLEMS, files=0, form="sarif", style=PLAIN))
    result = log["runs"][0]["results"][0]
    assert log["version"] == "2.1.0" and result["ruleId"] == "S012" and result["level"] == "error"
    assert result["locations"][0]["physicalLocation"]["region"] == {"startLine": 14, "startColumn": 15, "endColumn": 22}


def test_invalid_input_is_shown_problem_by_problem() -> None:
    """As an error of any command."""
    text = render_error(InputInvalid(PROBLEMS, files=3), style=Style(True))
    assert "3 errors, 1 warning in 3 files. Nothing was contacted." in text
    assert text.index("db.yaml") < text.index("net.yaml")
