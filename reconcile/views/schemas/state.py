"""The schema of the state file, format 1. Readers ignore keys they do not know."""

from __future__ import annotations

from pydantic import TypeAdapter

from reconcile.model.snapshot import Intent, LastRun, Recorded
from reconcile.views.schemas.shapes import ADDRESS, DIALECT, Schema


def state_schema() -> Schema:
    """What the file holds; it is written by the tool alone."""
    parts: list[tuple[str, TypeAdapter[object]]] = [
        ("recorded", TypeAdapter(Recorded)),
        ("intent", TypeAdapter(Intent)),
        ("last_run", TypeAdapter(LastRun)),
    ]
    defs: Schema = {}
    for name, noun in parts:
        schema = noun.json_schema(ref_template="#/$defs/{model}")
        defs |= schema.pop("$defs", {})
        defs[name] = schema
    return {
        "$schema": DIALECT,
        "$id": "urn:reconcile:schema:state:1",
        "title": "State of reconcile",
        "description": "What was last recorded. It holds no secret, only salted digests of them.",
        "type": "object",
        "required": ["format_version", "tool_version", "stack", "lineage", "serial", "resources", "pending"],
        "properties": {
            "format_version": {"const": 1, "description": "A reader refuses another one."},
            "tool_version": {"type": ["string", "null"], "description": "The version that wrote it."},
            "stack": {"type": ["string", "null"], "description": "The stack that owns the alarms."},
            "lineage": {"type": "string", "minLength": 1, "description": "The state's own name for life."},
            "serial": {"type": "integer", "minimum": 0, "description": "Grows with every write."},
            "resources": {
                "type": "object",
                "description": "What was reported, by address.",
                "propertyNames": ADDRESS,
                "additionalProperties": {"$ref": "#/$defs/recorded"},
            },
            "pending": {"type": "array", "description": "Operations without an answer.", "items": {"$ref": "#/$defs/intent"}},
            "last_run": {"anyOf": [{"type": "null"}, {"$ref": "#/$defs/last_run"}], "description": "What wrote it."},
        },
        "$defs": defs,
    }
