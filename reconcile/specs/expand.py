"""From what a file says to single resources: defaults merged in, `for_each` unfolded, texts filled.

Knows no field but `for_each`.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from reconcile.model.address import Address, Kind, address_of
from reconcile.specs import codes
from reconcile.specs.interpolate import Filling, Scope
from reconcile.specs.source import Spot
from reconcile.specs.variables import say_not_text

MAX_INSTANCES = 100_000
MAX_UNFOLDED = 64 * 2**20  # characters of one resource, times its instances


@dataclass(frozen=True, slots=True)
class Raw:
    """One resource as it stands in a file. `templates` says whether any text of the file may hold a `${`."""

    kind: Kind
    name: str
    body: dict[str, Any]
    line: int
    spot: Spot
    templates: bool


@dataclass(frozen=True, slots=True)
class Instance:
    """One resource to be: its own address, its filled body, its secrets."""

    address: Address
    key: str | None
    body: dict[str, Any]
    secrets: dict[str, str]
    raw: Raw
    spot: Spot


def merged(below: dict[str, Any], above: dict[str, Any]) -> dict[str, Any]:
    """Mappings merge key by key; else the value above wins. Neither is changed."""
    out = dict(below)
    for key, value in above.items():
        lower = out.get(key)
        out[key] = merged(lower, value) if isinstance(lower, dict) and isinstance(value, dict) else value
    return out


def instances(raw: Raw, scope: Scope) -> Iterator[Instance]:
    """The resource, or one per key of its `for_each`."""
    if "for_each" not in raw.body:
        yield _filled(raw, raw.body, None, scope)
        return
    body = {key: value for key, value in raw.body.items() if key != "for_each"}
    pairs = _pairs(raw, scope)
    if len(pairs) * len(repr(body)) > MAX_UNFOLDED:
        raw.spot.problem(("for_each",), codes.FOR_EACH, f"{len(pairs):,} instances of this resource are too much text", key=True)
        return
    for key, value in pairs:
        yield _filled(raw, body, key, replace(scope, each=(key, value)))


def _filled(raw: Raw, body: dict[str, Any], key: str | None, scope: Scope) -> Instance:
    address = address_of(raw.kind, raw.name, key)
    if not raw.templates:
        return Instance(address, key, dict(body), {}, raw, raw.spot)
    filling = Filling(scope, raw.spot)
    filled = filling.fill(body)
    spot = replace(raw.spot, quiet=frozenset(filling.failed)) if filling.failed else raw.spot
    return Instance(address, key, filled, filling.secrets, raw, spot)


def _pairs(raw: Raw, scope: Scope) -> list[tuple[str, Any]]:
    """The keys of a `for_each` with their values; for a list the value is the key."""
    source = Filling(scope, raw.spot, secrets_allowed=False).fill(raw.body["for_each"], ("for_each",))
    if not isinstance(source, list | dict):
        raw.spot.problem(("for_each",), codes.FOR_EACH, "`for_each` is a list of texts or a mapping")
        return []
    if len(source) > MAX_INSTANCES:
        what = f"`for_each` has {len(source):,} keys, and {MAX_INSTANCES:,} are allowed"
        raw.spot.problem(("for_each",), codes.FOR_EACH, what, key=True)
        return []
    entries = [((key,), key, value) for key, value in source.items()] if isinstance(source, dict) else _listed(source)
    out: dict[str, Any] = {}
    seen: dict[str, str] = {}
    for step, key, value in entries:
        problem = _key_problem(key, seen)
        if problem is None:
            seen[unicodedata.normalize("NFC", key)] = key
            out[key] = value
        elif isinstance(key, str):
            raw.spot.problem(("for_each", *step), codes.FOR_EACH, problem, key=True)
        else:
            say_not_text(raw.spot, ("for_each", *step), key)
    return list(out.items())


def _listed(source: list[Any]) -> list[tuple[tuple[str | int, ...], Any, Any]]:
    return [((index,), key, key) for index, key in enumerate(source)]


def _key_problem(key: Any, seen: dict[str, str]) -> str | None:
    if not isinstance(key, str):
        return "not text"
    if not key or not key.isprintable() or len(key) > 512:
        return "a key of `for_each` is 1 to 512 printable characters"
    twin = seen.get(unicodedata.normalize("NFC", key))
    return None if twin is None else f'the key "{key}" stands twice in `for_each`'
