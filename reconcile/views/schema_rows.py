"""The rows of the plan document, described for its JSON Schema. Plain data; knows no noun."""

from __future__ import annotations

from typing import Any

from reconcile.model.address import KINDS
from reconcile.model.change import ACTIONS


def text(description: str, **more: Any) -> dict[str, Any]:
    """A string."""
    return {"type": "string", "description": description} | more


def count(description: str) -> dict[str, Any]:
    """A whole number from zero."""
    return {"type": "integer", "minimum": 0, "description": description}


def listing(name: str, description: str) -> dict[str, Any]:
    """A list of the rows defined under this name."""
    return {"type": "array", "items": {"$ref": f"#/$defs/{name}"}, "description": description}


def _maybe(description: str) -> dict[str, Any]:
    return {"type": ["string", "null"], "description": description}


_ADDRESS = text('alarm.NAME, event.NAME, handling.NAME, with for_each NAME["key"].', pattern=r"^(alarm|event|handling)\.")
_TIME: dict[str, Any] = {"format": "date-time"}

DIFFERENCE: dict[str, Any] = {
    "type": "object",
    "description": "One changed path; null where it was or will be absent. A changed secret is `(secret)` on both sides.",
    "required": ["path", "before", "after"],
    "properties": {"path": text("Dotted path within the content."), "before": {}, "after": {}},
}

CHANGE: dict[str, Any] = {
    "type": "object",
    "description": "What happens to one address.",
    "required": ["address", "kind", "target", "action", "reason", "before", "after", "diff", "source"],
    "properties": {
        "address": _ADDRESS,
        "kind": {"enum": list(KINDS)},
        "target": text("The name of a target in the config."),
        "action": {"enum": [action for action in ACTIONS if action != "none"]},
        "reason": text("Why: one stable word or short phrase."),
        "before": {"type": ["object", "null"], "description": "The content as last recorded."},
        "after": {"type": ["object", "null"], "description": "The content as declared. Durations and instants in milliseconds."},
        "diff": listing("difference", "The paths that differ."),
        "source": {
            "type": ["object", "null"],
            "description": "Where it is declared.",
            "required": ["file", "line"],
            "properties": {"file": text("As the user would write it."), "line": {"type": "integer", "minimum": 1}},
        },
        "basis": text("Digest of what the row relies on in the state; a saved plan is stale when it differs."),
        "note": text("A sentence for people; for `defer` it says what to do."),
        "moved_from": text("The former address."),
        "secret_paths": {
            "type": "array",
            "items": {"type": "string"},
            "description": "Paths whose text is filled from a secret.",
        },
        "sends": {"type": "boolean", "description": "False where only the state changes."},
        "since": text("When the alarm that ends was first reported.", **_TIME),
        "clear_first": {"type": "boolean", "description": "The old one is cleared before the new one is reported."},
        "expires_at": text("When the timeout of what is renewed runs out.", **_TIME),
        "depends_on": text("The alarm whose own change must succeed first."),
        "last_run": {
            "type": "object",
            "description": "The last start of this task.",
            "required": ["at", "outcome", "ticket"],
            "properties": {
                "at": text("When it was started.", **_TIME),
                "outcome": {"enum": ["started", "unknown"]},
                "ticket": _maybe("The work order."),
            },
        },
    },
}

DRIFT: dict[str, Any] = {
    "type": "object",
    "description": "One way in which live differs from the state.",
    "required": ["address", "kind", "target", "note", "diff"],
    "properties": {
        "address": _maybe("Null where no address is known."),
        "kind": text("missing, changed, twin, expired, unconfirmed or orphan; later versions may add words."),
        "target": text("Where it was seen."),
        "note": text("A sentence for people."),
        "diff": listing("difference", "For `changed`: what differs."),
        "remote_id": _maybe("The server's id of the record."),
        "extra": {"type": "object", "description": "What else was seen."},
    },
}

INTENT: dict[str, Any] = {
    "type": "object",
    "description": "An operation that was sent, or may have been, and has no answer.",
    "required": ["id", "op", "address", "target", "at", "phase", "why"],
    "properties": {
        "id": text("Its name in the state."),
        "op": {"enum": ["report", "update", "renew", "clear", "trigger"]},
        "address": _ADDRESS,
        "target": text("Where it was sent."),
        "at": text("When it was opened.", **_TIME),
        "phase": {"enum": ["opened", "unknown"]},
        "why": _maybe("Why nothing is known."),
    },
}

VIOLATION: dict[str, Any] = {
    "type": "object",
    "description": "Something a guard, a protection or foreign ownership forbids.",
    "required": ["kind", "address", "message", "hint"],
    "properties": {
        "kind": text("clears, triggers, empty, protect, foreign or external; later versions may add words."),
        "address": _maybe("Null where it is about the plan as a whole."),
        "message": text("What is refused."),
        "hint": text("What to do."),
    },
}
