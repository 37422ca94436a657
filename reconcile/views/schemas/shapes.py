"""Shapes that the schemas share, and how a noun becomes one. Knows no key of specs or config."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel

Schema = dict[str, Any]
DIALECT = "https://json-schema.org/draft/2020-12/schema"
REFERENCE = {"type": "string", "pattern": r"\$\{"}
NAME = r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,127}$"
ADDRESS: Schema = {"type": "string", "pattern": r'^(alarm|event|handling)\.[A-Za-z0-9][A-Za-z0-9_.-]{0,127}(\[".*"\])?$'}
DURATION: Schema = {
    "anyOf": [{"type": "string", "pattern": r"^[0-9]{1,15}(ms|s|m|h|d)?$"}, {"type": "integer", "minimum": 1}, REFERENCE],
    "examples": ["30s", "5m", "12h", "5d"],
}
INSTANT: Schema = {
    "anyOf": [
        {"type": "string", "pattern": r"^\d{4}-\d{2}-\d{2}[Tt ]\d{2}:\d{2}:\d{2}(\.\d{1,9})?([Zz]|[+-]\d{2}:\d{2})$"},
        {"type": "integer"},
        REFERENCE,
    ],
    "examples": ["2026-11-20T08:00:00Z"],
}


def shape_of(noun: type[BaseModel], words: Mapping[str, str], *, instead: Mapping[str, Schema] | None = None) -> Schema:
    """The properties of a noun with their descriptions; `instead` replaces what YAML spells otherwise. Nothing is required."""
    raw = noun.model_json_schema(ref_template="#/$defs/{model}")
    instead = instead or {}
    properties = {}
    for key, part in raw["properties"].items():
        described = {"description": words[key]} if key in words else {}
        properties[key] = described | (instead[key] if key in instead else opened(part))
    return {
        "type": "object",
        "description": (noun.__doc__ or "").strip(),
        "additionalProperties": False,
        "properties": properties,
    }


def opened(part: Schema) -> Schema:
    """A property as people may write it: choices may also come from a variable."""
    kept = {key: value for key, value in part.items() if key != "title" and not (key == "default" and value in (None, [], {}))}
    if "enum" in kept:
        choices = {"enum": kept.pop("enum")}
        kept.pop("type", None)
        return {"anyOf": [choices, REFERENCE], **kept}
    if "anyOf" in kept:
        kept["anyOf"] = [choice if "enum" not in choice else {"enum": choice["enum"]} for choice in kept["anyOf"]]
        if any("enum" in choice for choice in kept["anyOf"]):
            kept["anyOf"].append(REFERENCE)
    if kept.get("type") in ("boolean", "integer", "number"):
        return {"anyOf": [{key: kept.pop(key) for key in [*kept] if key not in ("default", "description")}, REFERENCE], **kept}
    return kept
