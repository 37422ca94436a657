"""The JSON Schema (2020-12) of the plan document, as published. Contents are described by the nouns themselves."""

from __future__ import annotations

import json
from typing import Any

from reconcile.model.change import ACTIONS
from reconcile.views.schema_rows import CHANGE, DIFFERENCE, DRIFT, INTENT, VIOLATION, count, listing, text

_REQUIRED = [
    "format_version",
    "tool_version",
    "plan_id",
    "as_of",
    "stack",
    "state",
    "spec_digest",
    "complete",
    "summary",
    "changes",
    "drift",
    "pending",
]


def plan_schema() -> dict[str, Any]:
    """What a reader may rely on within major version 1. Keys that are not named here are to be ignored."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": "urn:reconcile:schema:plan:1",
        "title": "A plan of reconcile",
        "description": "What an apply does and what that was decided against. It holds templates, never secrets.",
        "type": "object",
        "required": _REQUIRED,
        "properties": _properties(),
        "$defs": {
            "difference": DIFFERENCE,
            "change": CHANGE | {"allOf": [_contents(kind) for kind in ("alarm", "event", "handling")]},
            "drift": DRIFT,
            "pending": INTENT,
            "violation": VIOLATION,
            **_nouns(),
        },
    }


def render_plan_schema() -> str:
    """The schema as text with a final newline."""
    return json.dumps(plan_schema(), indent=2) + "\n"


def _properties() -> dict[str, Any]:
    digest = r"^sha256:[0-9a-f]{64}$"
    return {
        "format_version": text("Major and minor version. A reader refuses another major one.", pattern=r"^1\.[0-9]+$"),
        "tool_version": text("The version that planned."),
        "plan_id": text("SHA-256 over the canonical form of everything else.", pattern=digest),
        "as_of": text("The instant for which it was planned; renewals depend on it.", format="date-time"),
        "stack": text("The stack that owns the alarms."),
        "state": {
            "type": "object",
            "description": "What the state was when it was planned.",
            "required": ["lineage", "serial"],
            "properties": {
                "lineage": {
                    "type": ["string", "null"],
                    "description": "The state's own name for life; null: there was none yet.",
                },
                "serial": count("Grows with every write of the state."),
            },
        },
        "spec_digest": text("Digest of the specs and of what else decided the plan."),
        "complete": {"type": "boolean", "description": "Whether every resource was looked at."},
        "left_out": count("How many resources --target, --exclude or --on left out."),
        "destroy": {"type": "boolean", "description": "Whether everything in the state is to go."},
        "options": {"type": "object", "description": "The options that shaped it, so that an apply can plan again."},
        "summary": {
            "type": "object",
            "description": "How many resources get which action; `none` needs nothing.",
            "required": list(ACTIONS),
            "properties": {action: count(f"Resources with the action {action}.") for action in ACTIONS},
        },
        "changes": listing("change", "One row per address, in the order of an apply; no `none` rows."),
        "drift": listing("drift", "Where live differs from the state; filled by --refresh."),
        "pending": listing("pending", "Operations of an earlier run that have no answer yet."),
        "violations": listing("violation", "Why the plan is refused; empty means it may be applied."),
        "notes": {"type": "array", "items": {"type": "string"}, "description": "Sentences for people; they decide nothing."},
    }


def _contents(kind: str) -> dict[str, Any]:
    """In rows of this kind, `before` and `after` are contents of this kind."""
    content = {"oneOf": [{"type": "null"}, {"$ref": f"#/$defs/{kind}"}]}
    return {
        "if": {"properties": {"kind": {"const": kind}}, "required": ["kind"]},
        "then": {"properties": {"before": content, "after": content}},
    }


def _nouns() -> dict[str, Any]:
    """The declared content of each kind, as the nouns have it. Defaults are left out of contents, so nothing is required."""
    from reconcile.model.resources import Alarm, Event, Handling

    found: dict[str, Any] = {}
    for kind, noun in (("alarm", Alarm), ("event", Event), ("handling", Handling)):
        schema = noun.model_json_schema(ref_template="#/$defs/{model}")
        parts = schema.pop("$defs", {}) | {kind: schema}
        found |= {name: _opened(part) for name, part in parts.items()}
    return found


def _opened(schema: dict[str, Any]) -> dict[str, Any]:
    left = {key: value for key, value in schema.items() if key not in ("required", "additionalProperties", "title")}
    return left | {"properties": {name: _plain(part) for name, part in schema.get("properties", {}).items()}}


def _plain(part: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in part.items() if key not in ("title", "default")}
