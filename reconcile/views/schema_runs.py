"""The JSON Schemas of what a run says: a line of `apply --json`, the document of `drift --json`, the record that is posted."""

from __future__ import annotations

from typing import Any

from reconcile.views.run_record import DONE, OUTCOMES, RESULTS
from reconcile.views.schema import plan_schema
from reconcile.views.schema_rows import count, text

_DIALECT = "https://json-schema.org/draft/2020-12/schema"
_VERSION = text("Major and minor version. A reader refuses another major one.", pattern=r"^1\.[0-9]+$")
_TOOL = text("The version that wrote it.")
_EXIT_CODE = {"type": "integer", "minimum": 0, "maximum": 255, "description": "As the process ends; all codes are stable."}
_COUNTS = {
    "type": "object",
    "description": "How many steps ended how.",
    "properties": {name: count(f"Steps with the outcome {name}.") for name in OUTCOMES},
}
_OUTCOME = {"enum": list(OUTCOMES), "description": "How it ended; `unconfirmed` was sent and is not seen yet."}


def _maybe(kind: str, description: str, **more: Any) -> dict[str, Any]:
    return {"type": [kind, "null"], "description": description} | more


def _object(description: str, properties: dict[str, Any], *, optional: tuple[str, ...] = ()) -> dict[str, Any]:
    required = [name for name in properties if name not in optional]
    return {"type": "object", "description": description, "required": required, "properties": properties}


def _line(kind: str, description: str, properties: dict[str, Any], *, optional: tuple[str, ...] = ()) -> dict[str, Any]:
    return _object(description, {"type": {"const": kind}, **properties}, optional=optional)


_STEP = {
    "address": text("The resource."),
    "action": text("What was done to it."),
    "outcome": _OUTCOME,
    "detail": text("What the server said, or why not."),
    "hint": _maybe("string", "What to do."),
}


def apply_schema() -> dict[str, Any]:
    """One line of `apply --json`: the version first, the summary last, also after a failure."""
    rows = plan_schema()["$defs"]
    change = {"allOf": [{"$ref": "#/$defs/change"}, {"properties": {"type": {"const": "change"}}, "required": ["type"]}]}
    answer = {name: _maybe("integer" if name == "status" else "string", "As the server gave it.") for name in _ANSWER}
    error = {
        "message": text("What is wrong."),
        "where": _maybe("string", "Where."),
        "hint": _maybe("string", "What to do."),
        "exit_code": _EXIT_CODE,
        "answer": _object("What the server said.", answer),
        "problems": {"type": "array", "items": {"type": "object"}, "description": "Of invalid input: each with its place."},
    }
    summary = {"exit_code": _EXIT_CODE, "counts": _COUNTS, "serial": count("The state's serial after the run.")}
    return {
        "$schema": _DIALECT,
        "$id": "urn:reconcile:schema:apply:1",
        "title": "A line of reconcile apply --json",
        "description": "Lines of other types, and keys that are not named here, are to be ignored.",
        "oneOf": [
            _line("version", "The first line.", {"format_version": _VERSION, "tool_version": _TOOL}),
            change,
            _line("progress", "A step that ended.", _STEP),
            _line("note", "A sentence for people.", {"message": text("The sentence.")}),
            _line("error", "What ended the run.", error, optional=("answer", "problems")),
            _line("summary", "The last line.", summary, optional=("serial",)),
        ],
        "$defs": {name: rows[name] for name in rows if name not in ("drift", "pending", "violation")},
    }


_ANSWER = ("status", "code", "words", "trace_id")


def drift_schema() -> dict[str, Any]:
    """The document of `drift --json`."""
    plan = plan_schema()
    task = {
        "address": text("The handling."),
        "ticket": text("The work order of its last run."),
        "status": _maybe("string", "COC's word for it; null where it says nothing."),
        "ended": {"type": "boolean", "description": "Whether it is over."},
        "succeeded": {"type": "boolean", "description": "Whether it went well."},
    }
    properties = {
        "format_version": _VERSION,
        "tool_version": _TOOL,
        "as_of": text("When it was looked.", format="date-time"),
        "stack": _maybe("string", "The stack; null where there is no state yet."),
        "state": plan["properties"]["state"] | {"description": "What the state was."},
        "summary": {"type": "object", "description": "How many of each kind.", "additionalProperties": count("So many.")},
        "drift": {"type": "array", "items": {"$ref": "#/$defs/drift"}, "description": "A row per difference."},
        "tasks": {"type": "array", "items": _object("How a task stands.", task), "description": "The last run of each handling."},
    }
    return {
        "$schema": _DIALECT,
        "$id": "urn:reconcile:schema:drift:1",
        "title": "Drift as reconcile sees it",
        **_object("Live against the state. Keys that are not named here are to be ignored.", properties),
        "$defs": {name: plan["$defs"][name] for name in ("drift", "difference")},
    }


def run_schema() -> dict[str, Any]:
    """The record of a run, as `--notify` posts it."""
    whole = {"type": ["object", "null"], "additionalProperties": count("So many.")}
    step = _object("A step that was not done.", {**_STEP, "outcome": {"enum": [o for o in OUTCOMES if o not in DONE]}})
    seen = {
        "address": _maybe("string", "The resource."),
        "kind": text("Which."),
        "target": text("Where."),
        "note": text("In words."),
    }
    drift = _object("A difference.", seen)
    properties = {
        "id": text("Digest of the record: the same record may arrive twice.", pattern=r"^sha256:[0-9a-f]{64}$"),
        "type": {"const": "run"},
        "format_version": _VERSION,
        "tool_version": _TOOL,
        "text": text("One line for people, as chat systems show it."),
        "command": {"enum": ["apply", "destroy", "renew", "drift"], "description": "What was run."},
        "stack": _maybe("string", "The stack; null where that is not known."),
        "who": text("user@host."),
        "started_at": text("When it began.", format="date-time"),
        "ended_at": text("When it ended.", format="date-time"),
        "exit_code": _EXIT_CODE,
        "result": {"enum": sorted(set(RESULTS.values())), "description": "The exit code in words."},
        "plan_id": _maybe("string", "Of the saved plan that was applied; null otherwise."),
        "serial": _maybe("integer", "The state's serial after the run; null where nothing was begun."),
        "planned": whole | {"description": "How many resources got which action in the plan; null without a plan."},
        "counts": {
            "oneOf": [{"type": "null"}, _COUNTS],
            "description": "How many steps ended how; null where nothing was begun.",
        },
        "applied": whole | {"description": "How many of each action were done."},
        "failures": {"type": "array", "items": step, "description": "The first hundred steps that were not done."},
        "drift_count": _maybe("integer", "How many differences; null where nobody looked."),
        "drift": {"type": ["array", "null"], "items": drift, "description": "The first hundred of them."},
        "error": {
            "oneOf": [
                {"type": "null"},
                _object("An error.", {"message": text("What is wrong."), "hint": _maybe("string", "What to do.")}),
            ],
            "description": "What ended the run before its end.",
        },
    }
    return {
        "$schema": _DIALECT,
        "$id": "urn:reconcile:schema:run:1",
        "title": "The record of a run of reconcile",
        **_object("What a run did. It holds no content of specs and no secret. Unknown keys are to be ignored.", properties),
    }
