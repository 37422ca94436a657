"""What the targets showed, set against what is recorded and declared. Pure.

A live record is read back into the words of the specs, so that drift and adoption speak of `severity` and `message`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from reconcile.model.address import Address, parse_address
from reconcile.model.change import Difference
from reconcile.model.dialects import CORE_METADATA, OPTIONAL_METADATA, STAMP_METADATA
from reconcile.model.live import LiveAlarm
from reconcile.model.snapshot import RecordedAlarm
from reconcile.planner.diff import differences

FIELDS = {
    "message": "message",
    "alarm_probableCause_zh_cn": "probable_cause",
    "alarm_fix_suggestion_zh_cn": "fix_suggestion",
    "url": "url",
}
KNOWN_METADATA = frozenset((*CORE_METADATA, *OPTIONAL_METADATA, *STAMP_METADATA))
CoreKey = tuple[str, ...]


def core_of(metadata: Mapping[str, str], project: str | None) -> CoreKey:
    """The identity of an AOM record, without its target."""
    keys = ("event_name", "resource_provider", "resource_type", "resource_id")
    return (project or "0", *(metadata.get(key, "") for key in keys))


def core_of_content(content: Mapping[str, Any]) -> CoreKey:
    """The same of a declared or recorded content."""
    resource = content["resource"]
    project = content.get("enterprise_project_id") or "0"
    return (project, content["name"], resource["provider"], resource["type"], resource["id"])


class Index:
    """The live records of one target, ready to be asked by identity."""

    def __init__(self, alarms: Iterable[LiveAlarm]) -> None:
        self._by_core: dict[CoreKey, list[LiveAlarm]] = {}
        for alarm in alarms:
            self._by_core.setdefault(core_of(alarm.metadata, alarm.enterprise_project_id), []).append(alarm)

    def of(self, content: Mapping[str, Any]) -> list[LiveAlarm]:
        """The records of this identity, the newest first."""
        found = self._by_core.get(core_of_content(content), [])
        return sorted(found, key=lambda live: (-live.starts_at, -(live.arrives_at or 0), live.id))

    def all(self) -> Iterable[LiveAlarm]:
        """Every record."""
        for group in self._by_core.values():
            yield from group


def is_ours(live: LiveAlarm, record: RecordedAlarm) -> bool:
    """Whether it bears the stamp of this record; where that has none, whether it has none either."""
    return live.metadata.get("reconcile_key") == record.metadata.get("reconcile_key")


def stack_key(live: LiveAlarm, stack: str) -> str | None:
    """The stamp's key without its stack, if it is of this stack."""
    key = live.metadata.get("reconcile_key", "")
    ours = live.metadata.get("managed_by") == "reconcile" and key.startswith(stack + "/")
    return key[len(stack) + 1 :] if ours else None


def is_foreign(live: LiveAlarm, stack: str) -> bool:
    """Whether it bears another stack's stamp."""
    return live.metadata.get("managed_by") == "reconcile" and stack_key(live, stack) is None


def stamped_address(live: LiveAlarm, stack: str) -> Address | None:
    """The address in a stamp of this stack, as it was when it was first reported."""
    key = stack_key(live, stack)
    if key is None:
        return None
    address = key if key.endswith("]") else key.partition("#")[0]
    if "]#" in key:
        address = key[: key.rindex("]#") + 1]
    try:
        return address if parse_address(address).kind == "alarm" else None
    except ValueError:
        return None


def content_of(live: LiveAlarm, base: Mapping[str, Any], *, everything: bool = False) -> dict[str, Any]:
    """A live record in the words of the specs. Keys of `base` that the list does not show stay as they are; metadata and
    annotations that `base` does not have are taken only with `everything`, since servers add their own.
    """
    metadata, content = live.metadata, dict(base)
    shown = {"provider": "resource_provider", "type": "resource_type", "id": "resource_id", "name": "resource_name"}
    resource = {k: metadata[v] for k, v in (shown | {"region": "region"}).items() if v in metadata}
    content |= {"name": metadata.get("event_name", ""), "severity": metadata.get("event_severity", ""), "resource": resource}
    for annotation, name in FIELDS.items():
        _put(content, name, live.annotations.get(annotation), base.get(name))
    if live.timeout is not None and "timeout" in base:
        content["timeout"] = live.timeout
    extra = {k: v for k, v in metadata.items() if k not in KNOWN_METADATA}
    _merge(content, "metadata", extra, base.get("metadata", {}), everything=everything)
    told = {k: v for k, v in live.annotations.items() if k not in FIELDS}
    _merge(content, "annotations", told, base.get("annotations", {}), everything=everything)
    return content


def _put(content: dict[str, Any], name: str, value: Any, known: Any) -> None:
    if _is_same(known, value):
        return
    if value is None or value == "":
        content.pop(name, None)
    else:
        content[name] = value if isinstance(value, str) else str(value)


def _merge(content: dict[str, Any], name: str, live: Mapping[str, Any], base: Mapping[str, Any], *, everything: bool) -> None:
    merged = {k: v if _is_same(v, live.get(k)) else live.get(k) for k, v in base.items() if k in live}
    if everything:
        merged |= {k: v for k, v in live.items() if k not in base}
    if merged:
        content[name] = merged
    else:
        content.pop(name, None)


def _is_same(known: Any, live: Any) -> bool:
    """Equal, or a secret that nobody here can compare, or the same scalar spelled as text."""
    if isinstance(known, str) and "${secret.env." in known:
        return live is not None
    return known == live or (isinstance(known, int | float) and str(known) == live)


def drift_of(record: RecordedAlarm, live: LiveAlarm) -> tuple[Difference, ...]:
    """How a live record differs from what we last sent."""
    return differences(record.content, content_of(live, record.content))
