"""What the three AOM documents allow, as data (contract section 4). Checked in the specs, used on the wire."""

from __future__ import annotations

from dataclasses import dataclass

DAY = 86_400_000
LOOK_BACK = 15 * DAY  # ms: the longest an alarm of the current dialect lives, and as far as lists are known to reach
COC_TEXT_MAX = 255  # characters of every text field of a custom event (coc-custom-event-integration)
AOM_VALUE_MAX = 2_048  # characters of a metadata value (aom-push-events-current)
CORE_METADATA = ("event_name", "event_severity", "event_type", "resource_provider", "resource_type", "resource_id")
OPTIONAL_METADATA = ("resource_name", "region")
STAMP_METADATA = ("managed_by", "reconcile_key")
OWN_ANNOTATIONS = ("message", "alarm_probableCause_zh_cn", "alarm_fix_suggestion_zh_cn", "url")


@dataclass(frozen=True, slots=True)
class Dialect:
    """One AOM document. Times in ms; None means the document states no bound."""

    name: str
    default_timeout: int
    max_timeout: int | None
    metadata_value_max: int | None
    metadata_keys_max: int | None
    annotations_text_only: bool
    annotations_keys_max: int | None
    attach_rule: bool
    resource_group_id: bool
    enterprise_project_header: bool
    clear_needs_id: bool
    post_allowed: bool


DIALECTS: dict[str, Dialect] = {
    d.name: d
    for d in (
        Dialect("current", 15 * DAY, 15 * DAY, AOM_VALUE_MAX, None, False, None, True, False, True, True, False),
        Dialect("legacy", 3 * DAY, None, None, 30, True, None, False, False, False, False, False),
        Dialect("cn-2021", 3 * DAY, None, None, 30, False, 30, False, True, False, False, True),
    )
}
