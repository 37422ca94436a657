"""Expressions of `checks:`, in CEL: compiled once, evaluated over plain data. The only module that knows the library.

CEL has no loops, no state and no way out. What it does have is bounded here: the length of an expression, and how often it
may walk a list. The library bounds nesting and the size of a regular expression, and matches in linear time.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any

LONGEST = 1000
MOST_WALKS = 2  # lists within lists: the work grows with the square of a plan at most
MACROS = ("all", "exists", "exists_one", "filter", "map")
FUNCTIONS = (
    *("size", "contains", "startsWith", "endsWith", "matches", "type", "dyn"),
    *("string", "bytes", "int", "uint", "double", "timestamp", "duration"),
    *("getFullYear", "getMonth", "getDate", "getDayOfMonth", "getDayOfWeek", "getDayOfYear"),
    *("getHours", "getMinutes", "getSeconds", "getMilliseconds"),
)
_TYPES = frozenset(
    {"bool", "bytes", "double", "duration", "int", "list", "map", "null_type", "string", "timestamp", "type", "uint"}
)
_WORD = re.compile(r"[A-Za-z_]\w*")  # operators are called `_+_`, `!_`, `@in`
_MACRO = re.compile(rf"\b(?:{'|'.join(MACROS)})\b")
_BOUND = re.compile(rf"\b(?:{'|'.join(MACROS)})\s*\(\s*([A-Za-z_]\w*)\s*,")
_PLACE = re.compile(r"ERROR: <input>:(\d+):(\d+): ([^\n]*)")


class ExpressionWrong(ValueError):
    """An expression that can never be evaluated. `name` is the unknown word, `rest` what stands from the error on."""

    def __init__(self, what: str, *, name: str | None = None, known: tuple[str, ...] = (), rest: str = "") -> None:
        super().__init__(what)
        self.what, self.name, self.known, self.rest = what, name, known, rest


class LibraryMissing(Exception):
    """The extra that evaluates expressions is not installed."""


class EvaluationFailed(Exception):
    """An expression that these values do not fit, in words."""


Expression = Callable[[Mapping[str, Any]], bool]


@lru_cache(maxsize=1024)
def compiled(text: str, names: tuple[str, ...]) -> Expression:
    """A predicate over values of these names. Raises ExpressionWrong or LibraryMissing; the predicate, EvaluationFailed."""
    if len(text) > LONGEST:
        raise ExpressionWrong(f"the expression is longer than {LONGEST} characters")
    if len(_MACRO.findall(text)) > MOST_WALKS:
        raise ExpressionWrong(f"the expression walks lists more than {MOST_WALKS} times ({', '.join(MACROS)})")
    program = _parsed(text)
    _refuse_unknown(text, program, names)

    def evaluate(values: Mapping[str, Any]) -> bool:
        try:
            found = program.execute(dict(values))
        except Exception as error:
            raise EvaluationFailed(_words(error)) from None
        if not isinstance(found, bool):
            raise EvaluationFailed(f"it gives {type(found).__name__}, not true or false")
        return found

    return evaluate


def _parsed(text: str) -> Any:
    try:
        import cel
    except ImportError as error:
        raise LibraryMissing("`checks` need the extra checks") from error
    try:
        return cel.compile(text)
    except ValueError as error:
        match = _PLACE.search(str(error))
        if match is None:
            raise ExpressionWrong("the expression cannot be read") from None
        line = text.splitlines()[int(match[1]) - 1] if text.strip() else ""
        rest = line[int(match[2]) - 1 :].rstrip()
        what = re.sub(r"^Syntax error: |,? expecting \{.*", "", match[3])
        raise ExpressionWrong(
            "the expression " + ("ends too early" if "<EOF>" in what else f"cannot be read: {what}"), rest=rest
        ) from None


def _refuse_unknown(text: str, program: Any, names: tuple[str, ...]) -> None:
    used = program.references()
    known = {*names, *_TYPES, *_BOUND.findall(text)}
    for name in used["variables"]:
        if name not in known:
            raise ExpressionWrong(f"there is no `{name}` here; the expression sees {' and '.join(names)}", name=name, known=names)
    for name in used["functions"]:
        if name not in FUNCTIONS and _WORD.fullmatch(name):
            raise ExpressionWrong(f"there is no function `{name}`", name=name, known=(*FUNCTIONS, *MACROS))


def _words(error: Exception) -> str:
    """What the library says, without its advice."""
    match error:
        case KeyError():
            return f"there is no `{error.args[0]}`; `has(…)` tells whether a key is there"
        case TypeError():
            return "an operation does not fit its values, or a key of `null` was asked for"
        case _:
            return str(error).partition(". Check ")[0].splitlines()[0].rstrip(".")
