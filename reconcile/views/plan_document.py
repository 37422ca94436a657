"""The plan as the document of contract section 10: written, and read back with suspicion. Knows no file."""

from __future__ import annotations

import json
from typing import Any

from reconcile import __version__
from reconcile.errors import PlanRefused
from reconcile.model.base import digest
from reconcile.model.instants import instant
from reconcile.model.plan import Plan
from reconcile.model.rows import change_row, drift_row, intent_row, sorted_data, violation_row

FORMAT_VERSION = "1.0"
_AGAIN = "plan again: `reconcile plan --out FILE`"
_SHAPE: dict[str, type | tuple[type, ...]] = {
    "format_version": str,
    "tool_version": str,
    "plan_id": str,
    "as_of": str,
    "stack": str,
    "state": dict,
    "spec_digest": str,
    "complete": bool,
    "summary": dict,
    "changes": list,
    "drift": list,
    "pending": list,
}
_CHANGE_SHAPE: dict[str, type | tuple[type, ...]] = {
    "address": str,
    "kind": str,
    "target": str,
    "action": str,
    "reason": str,
    "before": (dict, type(None)),
    "after": (dict, type(None)),
    "diff": list,
    "source": (dict, type(None)),
}


def plan_document(plan: Plan) -> dict[str, Any]:
    """The whole plan as plain data; the same plan gives the same document. Safe to publish: it holds templates, never secrets."""
    body = {
        "as_of": instant(plan.as_of),
        "stack": plan.stack,
        "state": {"lineage": plan.lineage, "serial": plan.serial},
        "spec_digest": plan.spec_digest,
        "complete": plan.complete,
        "left_out": plan.left_out,
        "destroy": plan.destroy,
        "options": sorted_data(plan.options),
        "summary": plan.summary(),
        "changes": [change_row(change) for change in plan.changes],
        "drift": [drift_row(drift) for drift in plan.drift],
        "pending": [intent_row(intent) for intent in plan.pending],
        "violations": [violation_row(violation) for violation in plan.violations],
        "notes": list(plan.notes),
    }
    head = {"format_version": FORMAT_VERSION, "tool_version": __version__}
    return head | {"plan_id": digest(head | body)} | body


def encode(document: dict[str, Any]) -> str:
    """The document as text: ASCII, so that no control or bidi character is in it, indented, with a final newline."""
    return json.dumps(document, indent=2, allow_nan=False) + "\n"


def read_document(raw: bytes) -> dict[str, Any]:
    """Read a saved plan. Raises PlanRefused for anything but an unaltered plan of this major version."""
    try:
        document = json.loads(raw.decode("utf-8"), object_pairs_hook=_unique, parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:
        raise PlanRefused(f"the plan file is not readable: {error}", hint=_AGAIN) from error
    _check_version(document)
    _check_shape(document, _SHAPE, "the plan")
    for number, row in enumerate(document["changes"]):
        _check_shape(row, _CHANGE_SHAPE, f"change {number + 1}")
    _check_options(document.get("options", {}))
    _check_id(document)
    return document  # type: ignore[no-any-return]


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        keys = [key for key, _ in pairs]
        twice = next(key for key in keys if keys.count(key) > 1)
        raise ValueError(f"the key {json.dumps(twice)} stands there twice")
    return found


def _refuse_constant(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")


def _check_version(document: Any) -> None:
    version = document.get("format_version") if isinstance(document, dict) else None
    if not isinstance(version, str):
        raise PlanRefused("the file is not a plan: it has no `format_version`", hint="write one with `reconcile plan --out FILE`")
    if version.partition(".")[0] != FORMAT_VERSION.partition(".")[0]:
        raise PlanRefused(
            f"the plan has format {version}, this tool reads {FORMAT_VERSION}",
            hint="plan again with this version, or apply with the version that planned",
        )


def _check_shape(row: Any, shape: dict[str, type | tuple[type, ...]], name: str) -> None:
    wrong = [key for key, kind in shape.items() if not isinstance(row, dict) or key not in row or not isinstance(row[key], kind)]
    if wrong:
        raise PlanRefused(f"{name} lacks a proper `{wrong[0]}`", hint=_AGAIN)


def _check_options(options: Any) -> None:
    """Lists of text, flags, and budgets: what plans are shaped by."""
    values = options.values() if isinstance(options, dict) else [None]
    if not all(value is True or _is_texts(value) or _is_budgets(value) for value in values):
        raise PlanRefused("the plan lacks proper `options`", hint=_AGAIN)


def _is_texts(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(item, str) for item in value)


def _is_budgets(value: Any) -> bool:
    return isinstance(value, dict) and all(item is None or type(item) is int for item in value.values())


def _check_id(document: dict[str, Any]) -> None:
    found = digest({key: value for key, value in document.items() if key != "plan_id"})
    if found != document["plan_id"]:
        raise PlanRefused("the plan was altered after it was made: its `plan_id` does not fit", hint=_AGAIN)
