"""The `checks:` of the config -> Check: named expressions, each tried once so that a bad one is told with its place."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError

from reconcile.expressions import ExpressionWrong, LibraryMissing, compiled
from reconcile.model.address import NAME
from reconcile.model.config import Check
from reconcile.specs import codes
from reconcile.specs.closest import did_you_mean
from reconcile.specs.source import Spot
from reconcile.specs.translate import tell

KEYS = ("over", "when", "require", "message")


def checks_of(value: Any, spot: Spot, lines: Mapping[tuple[str, str], int]) -> tuple[Check, ...]:
    """All checks in the order in which they stand there; what is wrong with them is reported."""
    if value is None:
        return ()
    if not isinstance(value, dict):
        spot.problem(("checks",), codes.TYPE, "`checks` is a mapping of names to checks")
        return ()
    found = []
    for name, body in value.items():
        inside = Spot(spot.report, spot.file, spot.document, ("checks", name), quiet=spot.quiet)
        found.append(_check(name, body, inside, lines.get(("checks", name), 1)))
    return tuple(check for check in found if check is not None)


def _check(name: str, body: Any, spot: Spot, line: int) -> Check | None:
    if not NAME.fullmatch(name):
        spot.problem((), codes.NAME, f"`{name[:80]}` is no name for a check", "letters, digits, `_`, `.` and `-`", key=True)
        return None
    if not isinstance(body, dict):
        spot.problem((), codes.TYPE, "a check is a mapping with `require`, and perhaps `when`", key=body is None)
        return None
    for key in body.keys() - set(KEYS):
        hint = did_you_mean(key, KEYS, otherwise=f"the keys are {', '.join(KEYS)}")
        spot.problem((key,), codes.UNKNOWN_KEY, f"there is no key `{key[:80]}` here", hint, key=True)
    try:
        check = Check.model_validate({key: body[key] for key in KEYS if body.get(key) is not None} | {"name": name, "line": line})
    except ValidationError as error:
        tell(error, Check, spot)
        return None
    readable = [_is_readable(key, text, check, spot) for key in ("when", "require") if (text := getattr(check, key)) is not None]
    return check if all(readable) else None


def _is_readable(key: str, text: str, check: Check, spot: Spot) -> bool:
    try:
        compiled(text, check.names)
    except ExpressionWrong as wrong:
        hint = None if wrong.name is None else did_you_mean(wrong.name, wrong.known)
        if hint is None and wrong.name == "change":
            hint = "`change` is there with `over: changes`, which is the default"
        spot.problem((key,), codes.EXPRESSION, wrong.what, hint, within=wrong.name or wrong.rest or None)
        return False
    except LibraryMissing as missing:
        spot.problem((key,), codes.EXPRESSION, str(missing), "pip install '.[checks]' in a checkout of this tool")
        return False
    return True
