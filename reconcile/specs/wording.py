"""How values are named in sentences. Knows no rules."""

from __future__ import annotations

from typing import Any


def plain(value: object) -> str:
    """A value as YAML writes it, shortened for a sentence."""
    if value is None:
        return "null"
    text = str(value).lower() if isinstance(value, bool) else str(value)
    return text if len(text) <= 60 else text[:57] + "…"


def shape(value: Any) -> str:
    """What a value is that is no scalar: `a mapping`, `a list`, `empty`."""
    if isinstance(value, dict):
        return "a mapping"
    return "a list" if isinstance(value, list) else "empty"
