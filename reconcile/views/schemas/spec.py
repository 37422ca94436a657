"""The schema of a spec file: the nouns, and what YAML adds: durations as text, `for_each`, `defaults`, `moved`, `forget`."""

from __future__ import annotations

from typing import Any

from reconcile.model.resources import Alarm, Event, Handling, Lifecycle, Resource
from reconcile.views.schemas.shapes import ADDRESS, DIALECT, DURATION, INSTANT, NAME, Schema, shape_of

RESOURCE = {
    "provider": "Resource provider, such as ECS. Part of the alarm's identity.",
    "type": "Resource type, such as vm. Part of the alarm's identity.",
    "id": "Id of the resource. Part of the alarm's identity.",
    "name": "Name of the resource, for people.",
    "region": "Region of the resource, such as cn-north-4.",
}
LIFECYCLE = {
    "protect": "Refuse a clear or replace. Remembered in the state, so that deleting the YAML does not lift it.",
    "ignore_changes": "Paths whose changes alone send nothing, such as `message` or `annotations.runbook`.",
    "renew_before": "How long before its timeout the alarm is renewed. Default: half the timeout, at most 5d.",
    "on_external_clear": "What to do when somebody else cleared it: report it again, accept that, or fail with exit code 6.",
}
COMMON = {
    "target": "The configured target. Default: the config's default_target.",
    "name": "Name of the alarm. Default: its key here.",
    "severity": "How bad it is.",
    "resource": "What the alarm is about.",
    "message": "What is wrong, for people.",
    "probable_cause": "Why it probably happened.",
    "fix_suggestion": "What to do about it.",
    "url": "Where more is told.",
    "timeout": "When the alarm expires unless renewed. Default: the most that the dialect allows by default.",
    "starts_at": "When it began; used for the first report only.",
    "enterprise_project_id": "AOM's enterprise project; text, so quote it. Default: 0.",
    "namespace": "COC custom events only. A target may give the default.",
    "application_id": "COC custom events only. A target may give the default.",
    "source": "COC custom events only. A target may give the default.",
    "metadata": "Further AOM metadata, text to text. Values need quotes where YAML reads a number or a boolean.",
    "annotations": "Further AOM annotations.",
    "attach_rule": "AOM attach rule (current dialect).",
    "resource_group_id": "AOM resource group (dialect cn-2021).",
    "additional": "COC custom events: `additional`.",
    "lifecycle": "How the tool treats the alarm; never sent.",
}
HANDLING = {
    "target": "The configured target of type coc.",
    "alarm": "NAME of the alarm after whose report the task runs, at most once per occurrence.",
    "alarm_id": "The COC alarm's id. No API finds it, so it is input; until it is there, the task is deferred.",
    "rerun": "When the task runs again: per occurrence of its alarm, or also when the task's text changes.",
    "on_unknown": "When an answer was lost: hold until a person resolves it, or run again after the settle time.",
    "task_type": "Contingency plan, script or runbook.",
    "associated_task_id": "Id of the task.",
    "associated_task_type": "The user's own task, or a shared one.",
    "associated_task_name": "Name of the task.",
    "associated_task_enterprise_project_id": "Enterprise project of the task; text, so quote it.",
    "runbook_instance_mode": "Whether all steps of a runbook run on the same instances.",
    "region_id": "Region in which it runs.",
    "input_param": "Parameters of the task, in the API's own words.",
    "target_instances": "Instances per step, in the API's own words.",
    "sub_task_info": "Sub task of a contingency plan.",
}
_FOR_EACH: Schema = {
    "description": "One instance per entry; ${each.key} and ${each.value} stand for it.",
    "anyOf": [{"type": "array", "items": {"type": "string"}}, {"type": "object"}, {"type": "string", "pattern": r"\$\{"}],
}
_NEEDED = {"alarm": ["severity", "resource", "message"], "event": ["severity", "resource", "message"]}
_NEEDED["handling"] = ["task_type", "associated_task_id", "associated_task_type", "associated_task_name"]


def spec_schema() -> Schema:
    """What the loader takes. Keys that `defaults` may give are required only in files without `defaults`."""
    return {
        "$schema": DIALECT,
        "$id": "urn:reconcile:schema:spec:1",
        "title": "Alarms, events and handlings of reconcile",
        "type": ["object", "null"],
        "additionalProperties": False,
        "properties": {
            "alarms": _section("alarm", "Alarms that must be active, by name."),
            "events": _section("event", "One-off events, by name: reported once per content, never cleared."),
            "handlings": _section("handling", "Tasks bound to alarms, by name."),
            "defaults": {
                "type": ["object", "null"],
                "description": "Values for all resources of this file; mappings merge, else the resource's own value wins.",
                "additionalProperties": False,
                "properties": {f"{kind}s": {"$ref": f"#/$defs/{kind}"} for kind in ("alarm", "event", "handling")},
            },
            "moved": {"type": ["array", "null"], "description": "Renamed addresses: nothing is sent.", "items": _MOVE},
            "forget": {
                "type": ["array", "null"],
                "description": "Addresses that leave the state; the live alarm is left alone.",
                "items": ADDRESS,
            },
        },
        "if": {"not": {"required": ["defaults"]}},
        "then": {"properties": {f"{kind}s": _required(kind) for kind in _NEEDED}},
        "$defs": _definitions(),
    }


_MOVE: Schema = {
    "type": "object",
    "required": ["from", "to"],
    "additionalProperties": False,
    "properties": {"from": ADDRESS, "to": ADDRESS},
}


def _section(kind: str, description: str) -> Schema:
    return {
        "type": ["object", "null"],
        "description": description,
        "propertyNames": {"pattern": NAME},
        "additionalProperties": {"$ref": f"#/$defs/{kind}"},
    }


def _required(kind: str) -> Schema:
    needed: Schema = {"required": _NEEDED[kind]}
    if kind != "handling":
        needed["properties"] = {"resource": {"required": ["provider", "type", "id"]}}
    return {"additionalProperties": needed}


def _definitions() -> Schema:
    times = {"timeout": DURATION, "starts_at": INSTANT}
    found: dict[str, Any] = {
        "alarm": shape_of(Alarm, COMMON, instead=times),
        "event": shape_of(Event, COMMON, instead=times),
        "handling": shape_of(Handling, HANDLING),
        "Resource": shape_of(Resource, RESOURCE),
        "Lifecycle": shape_of(Lifecycle, LIFECYCLE, instead={"renew_before": DURATION}),
    }
    for kind in ("alarm", "event", "handling"):
        found[kind]["properties"]["for_each"] = _FOR_EACH
    for kind in ("alarm", "event"):
        found[kind]["properties"]["resource"] = {"$ref": "#/$defs/Resource"}
    return found
