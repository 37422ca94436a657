"""What a plain scalar means in YAML 1.2's core schema: `no`, `on` and `12:30:45` are text, `0777` is 777. Knows no parser."""

from __future__ import annotations

import math
import re
from typing import Any

FIRSTS = frozenset("0123456789+-.nNtTfF~")  # what does not begin so is text
_WORDS: dict[str, Any] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL")),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}
_INT = re.compile(r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_NOT_FINITE = re.compile(r"[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)")
_LOW, _HIGH = -(2**63), 2**63 - 1
CORE = "tag:yaml.org,2002:"


class NumberRefused(ValueError):
    """A number that JSON or 64 bits cannot hold."""


def resolve(text: str) -> Any:
    """The value of a plain scalar. Raises NumberRefused."""
    if text in _WORDS:
        return _WORDS[text]
    if text[0] not in FIRSTS:
        return text
    if _INT.fullmatch(text):
        return _integer(text)
    if _FLOAT.fullmatch(text):
        return _finite(text)
    if _NOT_FINITE.fullmatch(text):
        raise NumberRefused(f"`{text}` has no place in JSON")
    return text


def _integer(text: str) -> int:
    digits = text.lstrip("+-").lower()
    base = {"0x": 16, "0o": 8}.get(digits[:2], 10)
    significant = (digits[2:] if base != 10 else digits).lstrip("0") or "0"
    if len(significant) <= 24:
        value = int(significant, base) * (-1 if text[0] == "-" else 1)
        if _LOW <= value <= _HIGH:
            return value
    raise NumberRefused("a whole number must fit in 64 bits")


def _finite(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise NumberRefused("the number is too large")
    return value


def resolve_tagged(text: str, tag: str) -> Any:
    """The value of a scalar with a tag of the core schema. Raises ValueError when it does not fit."""
    if tag in ("!", CORE + "str"):
        return text
    value = resolve(text)
    wanted = {"null": type(None), "bool": bool, "int": int, "float": float}.get(tag.removeprefix(CORE))
    if wanted is float and type(value) is int:
        return float(value)
    if wanted is None or type(value) is not wanted:
        raise ValueError(f"`{tag.replace(CORE, '!!')}` does not fit this value")
    return value
