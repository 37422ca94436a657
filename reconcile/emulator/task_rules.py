"""What an auto-process request may say (COC, Handling Alarms, Tables 2 to 4). Pure.

Two statements of the document contradict its own examples and are not enforced: that input_param holds only strings, and that it
has at most 1,000 characters. `target_instances` within an instance is missing from Table 3 and taken from the examples.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from reconcile.emulator.exchange import Refusal

Check = Callable[[Any], bool]
TASKS = ("PLAN", "SCRIPT", "RUNBOOK")
OWNERS = ("CUSTOMIZATION", "COMMUNAL")
SUB_INSTANCES_MAX = 10_000


def _text(most: int | None = None, least: int = 0) -> Check:
    return lambda value: type(value) is str and least <= len(value) <= (most or len(value))


def _one_of(*words: str) -> Check:
    return lambda value: type(value) is str and value in words


def _scalars(value: Any) -> bool:
    return isinstance(value, dict) and all(isinstance(v, str | int | float) for v in value.values())


def _json_text(value: Any) -> bool:
    """A string that holds a JSON object."""
    try:
        return type(value) is str and isinstance(json.loads(value), dict)
    except ValueError:
        return False


def _step(value: Any) -> bool:
    return type(value) is int and value >= 0


def _list(value: Any) -> bool:
    return isinstance(value, list)


def _mapping(value: Any) -> bool:
    return isinstance(value, dict)


BODY: Mapping[str, tuple[bool, Check]] = {  # name: (mandatory, check of what is not null)
    "task_type": (True, _one_of(*TASKS)),
    "associated_task_id": (True, _text(least=1)),
    "associated_task_type": (True, _one_of(*OWNERS)),
    "associated_task_name": (True, _text(least=1)),
    "input_param": (True, _scalars),
    "associated_task_enterprise_project_id": (False, _text()),
    "runbook_instance_mode": (False, _one_of("SAME", "DIFF", "MIXED")),
    "target_instances": (False, _list),
    "region_id": (False, _text()),
    "sub_task_info": (False, _mapping),
}
INSTANCE: Mapping[str, tuple[bool, Check]] = {
    "target_selection": (True, _one_of("ALL", "MANUAL", "NONE")),
    "order_no": (True, _step),
    "batch_strategy": (False, _one_of("AUTO_BATCH", "MANUAL_BATCH", "NONE")),
    "target_instances": (False, _json_text),
    "sub_target_instances": (False, _list),
}
SUB_TASK: Mapping[str, tuple[bool, Check]] = {
    "sub_task_type": (False, _one_of(*TASKS)),
    "sub_associated_task_id": (False, _text(100)),
    "sub_associated_task_name": (False, _text(255)),
    "sub_associated_task_type": (False, _one_of(*OWNERS)),
}


def check_task(body: dict[str, Any]) -> None:
    """Refuse, with 400, the first thing the document forbids."""
    _check(body, BODY, "")
    _check(body.get("sub_task_info") or {}, SUB_TASK, "sub_task_info.")
    _check_instances(body.get("target_instances") or [], "target_instances", depth=0)


def _check_instances(instances: list[Any], where: str, *, depth: int) -> None:
    if len(instances) > SUB_INSTANCES_MAX or depth > 16:
        raise Refusal(400, f"Invalid parameter: {where} holds too many")
    for index, instance in enumerate(instances):
        place = f"{where}[{index}]."
        if not isinstance(instance, dict):
            raise Refusal(400, f"Invalid parameter: {place[:-1]}")
        _check(instance, INSTANCE, place)
        _check_instances(instance.get("sub_target_instances") or [], place + "sub_target_instances", depth=depth + 1)


def _check(body: Mapping[str, Any], table: Mapping[str, tuple[bool, Check]], place: str) -> None:
    for name in body:
        if name not in table:
            raise Refusal(400, f"Invalid parameter: {place}{name} is unknown")
    for name, (mandatory, allows) in table.items():
        value = body.get(name)
        if value is None:
            if mandatory:
                raise Refusal(400, f"Invalid parameter: {place}{name} must not be null")
        elif not allows(value):
            raise Refusal(400, f"Invalid parameter: {place}{name} is invalid")
