"""A file's documents -> the resources, moves and forgets that stand in them.

Knows the top-level keys and nothing below a resource.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from reconcile.model.address import NAME, Kind
from reconcile.model.resources import Alarm, Event, Handling
from reconcile.specs import codes
from reconcile.specs.build import Document
from reconcile.specs.closest import did_you_mean
from reconcile.specs.expand import Raw, merged
from reconcile.specs.source import Report, SourceFile, Spot

SECTIONS: dict[str, Kind] = {"alarms": "alarm", "events": "event", "handlings": "handling"}
TOP_LEVEL = (*SECTIONS, "defaults", "moved", "forget")
KEYS: dict[Kind, tuple[str, ...]] = {
    "alarm": (*Alarm.model_fields, "for_each"),
    "event": (*Event.model_fields, "for_each"),
    "handling": (*Handling.model_fields, "for_each"),
}


@dataclass(slots=True)
class Found:
    """What the files hold: resources, and the entries of `moved` and `forget` with their spots."""

    raws: list[Raw] = field(default_factory=list)
    moved: list[tuple[Any, Spot]] = field(default_factory=list)
    forget: list[tuple[Any, Spot]] = field(default_factory=list)


def gather(file: SourceFile, documents: list[Document], report: Report, found: Found) -> None:
    """Add what one file declares. `defaults` hold for the whole file, whatever the document."""
    templates = b"${" in file.content or b"\\" in file.content  # in double quotes an escape may spell it
    roots = [(document, Spot(report, file, number)) for number, document in enumerate(documents)]
    good = [(document, spot) for document, spot in roots if _is_root(document.value, spot)]
    defaults = _defaults(good)
    for document, spot in good:
        for section, kind in SECTIONS.items():
            for name, body in _entries(document.value.get(section), spot, section):
                below = ("defaults", section) if section in defaults else None
                resource = Spot(report, file, spot.document, (section, name), below)
                if _is_resource(name, body, resource):
                    body = merged(defaults[section], body) if section in defaults else body
                    found.raws.append(Raw(kind, name, body, document.lines.get((section, name), 1), resource, templates))
        found.moved.extend(_list(document.value.get("moved"), spot, "moved"))
        found.forget.extend(_list(document.value.get("forget"), spot, "forget"))


def _is_root(value: Any, spot: Spot) -> bool:
    if value is None:
        return False
    if not isinstance(value, dict):
        spot.problem((), codes.TYPE, f"a document is a mapping with {', '.join(TOP_LEVEL)}")
        return False
    for key in value:
        if key not in TOP_LEVEL:
            hint = did_you_mean(key, TOP_LEVEL, otherwise=f"the top-level keys are {', '.join(TOP_LEVEL)}")
            spot.problem((key,), codes.UNKNOWN_KEY, f"`{key[:80]}` is no top-level key", hint, key=True)
    return True


def _entries(value: Any, spot: Spot, section: str) -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict):
        yield from value.items()
    elif value is not None:
        spot.problem((section,), codes.TYPE, f"`{section}` is a mapping of names to resources")


def _is_resource(name: str, body: Any, spot: Spot) -> bool:
    if not NAME.fullmatch(name):
        hint = "letters, digits, `_`, `.` and `-`, at most 128, the first a letter or digit"
        spot.problem((), codes.NAME, f"`{name[:80]}` is not a name for a resource", hint, key=True)
        return False
    if not isinstance(body, dict):
        what = "is empty" if body is None else "is no mapping"
        spot.problem((), codes.TYPE, f"`{name}` {what}; a resource is a mapping", key=body is None)
        return False
    return True


def _defaults(roots: list[tuple[Document, Spot]]) -> dict[str, dict[str, Any]]:
    out: dict[str, dict[str, Any]] = {}
    for document, spot in roots:
        value = document.value.get("defaults")
        if value is not None and not isinstance(value, dict):
            spot.problem(("defaults",), codes.TYPE, f"`defaults` is a mapping with {', '.join(SECTIONS)}")
            continue
        for section, body in (value or {}).items():
            if section not in SECTIONS:
                hint = did_you_mean(section, SECTIONS, otherwise=f"it holds {', '.join(SECTIONS)}")
                spot.problem(("defaults", section), codes.UNKNOWN_KEY, f"`defaults` has no `{section[:80]}`", hint, key=True)
            elif isinstance(body, dict):
                out[section] = merged(out.get(section, {}), _known(body, section, spot))
            elif body is not None:
                spot.problem(("defaults", section), codes.TYPE, f"the defaults of `{section}` are a mapping")
    return out


def _known(body: dict[str, Any], section: str, spot: Spot) -> dict[str, Any]:
    keys = KEYS[SECTIONS[section]]
    for key in body.keys() - set(keys):
        hint = did_you_mean(key, keys)
        spot.problem(("defaults", section, key), codes.UNKNOWN_KEY, f"{section} have no `{key[:80]}`", hint, key=True)
    return {key: value for key, value in body.items() if key in keys}


def _list(value: Any, spot: Spot, section: str) -> Iterator[tuple[Any, Spot]]:
    if isinstance(value, list):
        for index, entry in enumerate(value):
            yield entry, Spot(spot.report, spot.file, spot.document, (section, index))
    elif value is not None:
        spot.problem((section,), codes.TYPE, f"`{section}` is a list")
