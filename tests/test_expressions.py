"""Expressions of checks: what they see, what they refuse before they run, and that nothing they hold can do harm."""

from __future__ import annotations

import string

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reconcile.expressions import FUNCTIONS, LONGEST, EvaluationFailed, ExpressionWrong, compiled

ROW = {"action": "clear", "before": {"severity": "Critical", "message": "a" * 40}, "after": None, "diff": [{"path": "severity"}]}
VALUES = {"change": ROW, "plan": {"summary": {"clear": 3}, "as_of": "2026-11-20T08:00:00Z"}}
NAMES = ("change", "plan")


def value_of(text: str) -> bool:
    """What it says of the row above."""
    return compiled(text, NAMES)(VALUES)


@pytest.mark.parametrize(
    "text",
    [
        'change.action == "clear" && change.after == null',
        'change.before.severity in ["Critical", "Major"]',
        'change.diff.exists(d, d.path.startsWith("sev"))',
        "has(change.before.severity) && !has(change.before.timeout)",
        "plan.summary.clear <= 3 && size(change.diff) == 1",
        'timestamp(plan.as_of).getHours() < 9 && change.before.message.matches("^a+$")',
        'change.action == "report" || change.before.nothing == 1 || true',
    ],
)
def test_an_expression_sees_the_row_and_the_plan(text: str) -> None:
    """Keys, lists, times, texts."""
    assert value_of(text) is True


@pytest.mark.parametrize(
    ("text", "what", "rest"),
    [
        ("change.action ==", "ends too early", ""),
        ("", "ends too early", ""),
        ('change.action = "x"', "cannot be read", '= "x"'),
        ("chagne.action", "there is no `chagne` here; the expression sees change and plan", ""),
        ("lenght(change.diff) == 0", "there is no function `lenght`", ""),
        ("open('/etc/passwd')", "there is no function `open`", ""),
        ("__import__('os')", "there is no function `__import__`", ""),
        ("true || " * 200 + "true", f"longer than {LONGEST} characters", ""),
        ("plan.a.all(x, x.all(y, y.all(z, z)))", "walks lists more than 2 times", ""),
        ("(" * 400 + "1" + ")" * 400, "cannot be read", ""),
    ],
)
def test_what_can_never_be_evaluated_is_refused_before_it_runs(text: str, what: str, rest: str) -> None:
    """In words, with the place."""
    with pytest.raises(ExpressionWrong, match=what.replace("(", r"\(")) as caught:
        compiled(text, NAMES)
    assert not rest or caught.value.rest == rest


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("change.nothing", "there is no `nothing`; `has(…)` tells whether a key is there"),
        ("change.after.severity == 'x'", "a key of `null` was asked for"),
        ("change.action", "it gives str, not true or false"),
        ("1 / 0 == 1", "division by zero"),
        ("9223372036854775807 + 1 > 0", "overflow"),
        ("'a'.matches('(')", "not a valid regex"),
        ("'a'.matches('((a{1000}){1000}){1000}')", "not a valid regex"),
        ("timestamp('x') == timestamp('y')", "timestamp"),
    ],
)
def test_what_does_not_fit_its_values_says_why(text: str, why: str) -> None:
    """It neither holds nor passes over the row."""
    with pytest.raises(EvaluationFailed) as caught:
        value_of(text)
    assert why in str(caught.value) and "\n" not in str(caught.value)


def test_a_regular_expression_that_backtracks_elsewhere_is_linear_here() -> None:
    """Forty letters against nested repetition: a backtracking engine would not return."""
    assert value_of(r'change.before.message.matches("^(a+)+$")')
    assert not value_of(r'(change.before.message + "!").matches("^(a|a)*$")')


def test_every_function_that_is_let_through_exists() -> None:
    """Called wrongly each of them says so; none is unknown."""
    import cel

    for name in FUNCTIONS:
        found = set()
        for call in (f"{name}('1')", f"{name}(1)", f"'1'.{name}('1')", f"timestamp('2026-01-01T00:00:00Z').{name}()"):
            try:
                found.add(str(cel.evaluate(call)))
            except Exception as error:
                found.add(str(error))
        assert any("Undefined" not in said for said in found), name


@given(st.text(st.sampled_from([*string.printable, "…", "\0"]), max_size=60))
@settings(max_examples=200, deadline=None)
def test_any_text_is_an_expression_or_a_refusal(text: str) -> None:
    """Nothing else comes out, whatever goes in."""
    try:
        assert value_of(text) in (True, False)
    except (ExpressionWrong, EvaluationFailed) as error:
        assert str(error)
