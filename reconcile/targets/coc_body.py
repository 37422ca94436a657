"""The body of auto-process (COC HandlerAlarm, Tables 2 to 4). Pure.

The API wants some fields as strings that hold JSON; a spec may hold the structure instead, and it is encoded here.
"""

from __future__ import annotations

import json
from typing import Any

from reconcile.model.resources import Handling

JSON_PARAMS = frozenset({"script_params", "execute_atomic_tasks", "vars"})


def auto_process_body(handling: Handling) -> dict[str, Any]:
    """The request's body: the handling's own fields, explicit nulls included; `input_param` is always there."""
    body: dict[str, Any] = {"input_param": {}, **handling.task()}
    body["input_param"] = {k: _spelled(v) if k in JSON_PARAMS else v for k, v in body["input_param"].items()}
    if body.get("target_instances") is not None:
        body["target_instances"] = [_instance(row) for row in body["target_instances"]]
    return body


def _instance(row: Any) -> Any:
    if not isinstance(row, dict):
        return row
    spelled = dict(row)
    if "target_instances" in spelled:
        spelled["target_instances"] = _spelled(spelled["target_instances"])
    if isinstance(spelled.get("sub_target_instances"), list):
        spelled["sub_target_instances"] = [_instance(sub) for sub in spelled["sub_target_instances"]]
    return spelled


def _spelled(value: Any) -> Any:
    """A list or mapping as compact JSON, keys in the order of the spec; anything else as it is."""
    if isinstance(value, list | dict):
        return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return value
