"""What the three AOM documents allow in a push, rule by rule (AOM PushEvents, Table 5 and its older editions). Pure.

`any` keeps to what all three demand. Where a document is silent the reading is the strict one: unknown fields are refused.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from reconcile.emulator.exchange import Call, Refusal, read_object

DAY = 86_400_000
PARSE = "parse eventParam failed"
METADATA = "metadata is invalid"
MANDATORY = ("event_name", "event_severity", "event_type", "resource_provider", "resource_type", "resource_id")
SEVERITIES = ("Critical", "Major", "Minor", "Info")
_SHARED = frozenset({"starts_at", "ends_at", "timeout", "metadata", "annotations"})


@dataclass(frozen=True, slots=True)
class Rules:
    """One document's bounds; None where it states none."""

    fields: frozenset[str]
    default_timeout: int
    max_timeout: int | None = None
    value_max: int | None = None
    keys_max: int | None = None
    annotation_keys_max: int | None = None
    text_annotations: bool = False
    starts_at_required: bool = False
    id_on_clear: bool = False
    post: bool = False
    success: int = 204


RULES: Mapping[str, Rules] = {
    "any": Rules(_SHARED | {"attach_rule", "id", "resource_group_id"}, 3 * DAY, post=True),
    "current": Rules(
        _SHARED | {"attach_rule", "id"}, 15 * DAY, 15 * DAY, value_max=2048, starts_at_required=True, id_on_clear=True
    ),
    "legacy": Rules(_SHARED, 3 * DAY, keys_max=30, text_annotations=True),
    "cn-2021": Rules(_SHARED | {"resource_group_id"}, 3 * DAY, keys_max=30, annotation_keys_max=30, post=True, success=200),
}


@dataclass(frozen=True, slots=True)
class Pushed:
    """One event of a push that broke no rule. `id` is None where it was not given."""

    starts_at: int | None
    ends_at: int
    timeout: int
    metadata: dict[str, str]
    annotations: dict[str, Any]
    attach_rule: dict[str, Any]
    id: str | None

    @property
    def is_alarm(self) -> bool:
        """Alarms live until they are cleared or run out; events just happened."""
        return self.metadata["event_type"] == "alarm"


def read_push(call: Call, rules: Rules, *, clearing: bool) -> list[Pushed]:
    """The events of a push. The first broken rule refuses all of them."""
    body = read_object(call, PARSE)
    events = body.get("events")
    if set(body) != {"events"} or not isinstance(events, list) or not events:
        raise Refusal(400, PARSE)
    return [_event(event, rules, clearing=clearing) for event in events]


def _event(event: Any, rules: Rules, *, clearing: bool) -> Pushed:
    if not isinstance(event, dict) or not event.keys() <= rules.fields:
        raise Refusal(400, PARSE)
    metadata = _metadata(event.get("metadata"), rules)
    pushed = Pushed(
        starts_at=_instant(event, "starts_at"),
        ends_at=_instant(event, "ends_at") or 0,
        timeout=_timeout(event, rules),
        metadata=metadata,
        annotations=_annotations(event.get("annotations"), rules),
        attach_rule=_object(event.get("attach_rule")),
        id=_text(event, "id"),
    )
    _text(event, "resource_group_id")
    _check_times(pushed, rules, clearing=clearing)
    return pushed


def _check_times(pushed: Pushed, rules: Rules, *, clearing: bool) -> None:
    """A report says when it began, a clear when it ended and, in the current document, whom it means."""
    if not clearing:
        if rules.starts_at_required and pushed.starts_at is None:
            raise Refusal(400, "starts_at is required when an event or alarm is reported")
        return
    if not pushed.is_alarm:
        raise Refusal(400, "an event cannot be cleared")
    if pushed.ends_at == 0:
        raise Refusal(400, "ends_at is required when action is clear")
    if rules.id_on_clear and not pushed.id:
        raise Refusal(400, "id is required when action is clear")


def _instant(event: dict[str, Any], name: str) -> int | None:
    value = event.get(name)
    if value is None:
        return None
    if type(value) is not int or not 0 <= value < 2**53 or (value == 0 and name == "starts_at"):
        raise Refusal(400, PARSE)
    return value


def _timeout(event: dict[str, Any], rules: Rules) -> int:
    value = event.get("timeout")
    if value is None:
        return rules.default_timeout
    if type(value) is not int or not 0 < value < 2**53:
        raise Refusal(400, PARSE if type(value) is not int else "timeout is invalid")
    if rules.max_timeout is not None and value > rules.max_timeout:
        raise Refusal(400, "timeout is invalid: the maximum is 15 days")
    return value


def _metadata(metadata: Any, rules: Rules) -> dict[str, str]:
    if not isinstance(metadata, dict):
        raise Refusal(400, METADATA)
    for value in metadata.values():
        if type(value) is not str or (rules.value_max is not None and not 1 <= len(value) <= rules.value_max):
            raise Refusal(400, METADATA)
    if any(not metadata.get(name) for name in MANDATORY) or "" in metadata:
        raise Refusal(400, METADATA)
    if metadata["event_severity"] not in SEVERITIES:
        raise Refusal(400, "event_severity is invalid!")
    if metadata["event_type"] not in ("alarm", "event"):
        raise Refusal(400, METADATA)
    if rules.keys_max is not None and len(metadata) > rules.keys_max:
        raise Refusal(400, METADATA)
    return metadata


def _annotations(value: Any, rules: Rules) -> dict[str, Any]:
    annotations = _object(value)
    if rules.text_annotations and any(type(text) is not str for text in annotations.values()):
        raise Refusal(400, PARSE)
    if rules.annotation_keys_max is not None and len(annotations) > rules.annotation_keys_max:
        raise Refusal(400, "annotations is invalid")
    return annotations


def _object(value: Any) -> dict[str, Any]:
    """An object that can be left blank."""
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise Refusal(400, PARSE)
    return value


def _text(event: dict[str, Any], name: str) -> str | None:
    value = event.get(name)
    if value is not None and type(value) is not str:
        raise Refusal(400, PARSE)
    return value
