"""One value of a resource as inert text, and nested content as dotted paths. Knows no plan."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from reconcile.model.instants import instant
from reconcile.views.inert import inert
from reconcile.views.units import duration

SECRET = "(secret)"
_BARE = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.:/@+-#%")
_DURATIONS = frozenset({"timeout", "lifecycle.renew_before"})
_INSTANTS = frozenset({"starts_at"})


def value_text(path: str, value: Any) -> str:
    """The value at this path of a resource: durations and instants in words, plain words bare, the rest as JSON."""
    if isinstance(value, int) and not isinstance(value, bool):
        if path in _DURATIONS:
            return duration(value)
        if path in _INSTANTS:
            return instant(value)
    if isinstance(value, str) and (value == SECRET or (value and _BARE.issuperset(value))):
        return value
    return inert(json.dumps(value, ensure_ascii=False, sort_keys=True))


def flat(content: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Mappings as `a.b` paths in their own order; lists and empty mappings stay whole."""
    for key, value in content.items():
        path = f"{prefix}{key}"
        if isinstance(value, Mapping) and value:
            yield from flat(value, path + ".")
        else:
            yield path, value


def plain(text: str) -> str:
    """A text for a sentence: inert, in quotes only where it is empty."""
    return inert(text) if text else '""'
