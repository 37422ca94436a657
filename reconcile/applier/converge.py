"""What is active must become what is wanted, whatever the server takes for "the same alarm" (contract section 4).

One alarm's case is decided by `judge`, a pure function of what we want, what the list shows and how long we have looked.
The loop around it lives in `readback`.

1. Exactly one record of ours, with our metadata, started at our sending, showing what was sent: right.
2. A right one and others of our stamp and identity: the others are twins, and cleared.
3. Only others, and the list has had time to show ours: the server kept the old one; clear it and report again.
4. Nothing, and the list had its time after we cleared something: report again. Nothing otherwise: wait, then unconfirmed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any

from reconcile.model.dialects import CORE_METADATA
from reconcile.model.snapshot import RecordedAlarm
from reconcile.ports import LiveAlarm

IDENTITY_KEYS = tuple(key for key in CORE_METADATA if key not in ("event_severity", "event_type"))


class Verdict(Enum):
    """What to do about one alarm now."""

    RIGHT = "right"
    WAIT = "wait"
    CLEAR = "clear"  # clear `wrong`, keep `kept`
    RESEND = "resend"  # clear `wrong` first, then report again


@dataclass(frozen=True, slots=True)
class Judgement:
    """`kept` is the record to hold on to, `wrong` those to clear."""

    verdict: Verdict
    kept: LiveAlarm | None = None
    wrong: tuple[LiveAlarm, ...] = ()


def identity_key(metadata: Mapping[str, str], enterprise_project: str | None) -> tuple[str, ...]:
    """What the contract calls identity, read off a record."""
    return (enterprise_project or "0", *(metadata.get(key, "") for key in IDENTITY_KEYS))


def is_ours(live: LiveAlarm, record: RecordedAlarm) -> bool:
    """Whether a live record has our identity and bears our stamp (where we stamp nothing: nobody's), or is the very record
    we had before it was stamped.
    """
    project = record.content.get("enterprise_project_id")
    same = identity_key(live.metadata, live.enterprise_project_id or project) == identity_key(record.metadata, project)
    ours = record.metadata.get("reconcile_key")
    return same and (live.metadata.get("reconcile_key") == ours or _is_former(live, record))


def _is_former(live: LiveAlarm, record: RecordedAlarm) -> bool:
    return live.id == record.remote_id and "managed_by" not in live.metadata


def is_foreign(live: LiveAlarm, stack: str) -> bool:
    """Whether a live record bears another stack's stamp."""
    key = live.metadata.get("reconcile_key")
    return live.metadata.get("managed_by") == "reconcile" and key is not None and not key.startswith(stack + "/")


def judge(
    record: RecordedAlarm,
    found: Sequence[LiveAlarm],
    *,
    waited: bool,
    disturbed: bool,
    sent: Mapping[str, Any] | None = None,
) -> Judgement:
    """Decide one reported alarm. `found` are the live records that are ours; `waited` says the list had its time since
    the last sending; `disturbed` that we cleared something of this identity since;
    `sent`, where given, is the event whose content must show.
    """
    right = sorted((live for live in found if _is_right(live, record, sent)), key=lambda live: (live.arrives_at or 0, live.id))
    others = tuple(live for live in found if live not in right)
    if right:
        wrong = (*right[:-1], *others)
        return Judgement(Verdict.CLEAR if wrong else Verdict.RIGHT, right[-1], wrong)
    if not waited:
        return Judgement(Verdict.WAIT)
    if others or disturbed:
        return Judgement(Verdict.RESEND, None, others)
    return Judgement(Verdict.WAIT)


def _is_right(live: LiveAlarm, record: RecordedAlarm, sent: Mapping[str, Any] | None) -> bool:
    """Our metadata, and a start no earlier than our sending: every older record of ours started before it."""
    same = all(live.metadata.get(key) == value for key, value in record.metadata.items())
    return live.starts_at >= record.reported_at and same and (sent is None or _shows(live, sent))


def _shows(live: LiveAlarm, sent: Mapping[str, Any]) -> bool:
    """Whether the record has the timeout and the annotations of this event. What a list leaves out cannot be compared."""
    if live.timeout is not None and live.timeout != sent.get("timeout", live.timeout):
        return False
    wanted = sent.get("annotations", {}) if live.annotations else {}
    return all(str(live.annotations.get(key, "")) == str(value) for key, value in wanted.items())
