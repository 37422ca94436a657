"""Durations and instants as people write them -> whole milliseconds. Knows no clock."""

from __future__ import annotations

import re
from datetime import UTC, datetime

from reconcile.specs.wording import plain

_UNITS = {"ms": 1, "s": 1_000, "m": 60_000, "h": 3_600_000, "d": 86_400_000}
_DURATION = re.compile(r"([0-9]{1,15})(ms|s|m|h|d)?")
_INSTANT = re.compile(
    r"([0-9]{4})-([0-9]{2})-([0-9]{2})[Tt ]([0-9]{2}):([0-9]{2}):([0-9]{2})(?:\.([0-9]{1,9}))?([Zz]|[+-][0-9]{2}:[0-9]{2})"
)
DURATION_FORM = "write 500ms, 30s, 5m, 12h, 5d, or whole milliseconds"
INSTANT_FORM = "write 2026-11-20T08:00:00Z, or with a zone like +08:00"


def duration(value: object) -> int:
    """Milliseconds of `500ms 30s 5m 12h 5d` or of a whole number. Raises ValueError with a sentence."""
    if isinstance(value, int) and not isinstance(value, bool):
        amount = value
    else:
        match = _DURATION.fullmatch(value) if isinstance(value, str) else None
        if match is None:
            raise ValueError(f"`{plain(value)}` is not a duration")
        amount = int(match[1]) * _UNITS[match[2] or "ms"]
    if not 0 < amount < 2**53:
        raise ValueError(
            "the duration is too long" if amount > 0 else f"a duration must be above zero, and `{plain(value)}` is not"
        )
    return amount


def instant(value: object) -> int:
    """Milliseconds since the epoch of an RFC 3339 text with a zone, or of whole milliseconds. Raises ValueError."""
    if isinstance(value, int) and not isinstance(value, bool) and 10**11 <= value < 10**14:
        return value
    match = _INSTANT.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        raise ValueError(f"`{plain(value)}` is not an instant with a zone")
    fraction = (match[7] or "").ljust(3, "0")[:3]
    text = f"{match[1]}-{match[2]}-{match[3]}T{match[4]}:{match[5]}:{match[6]}{match[8].upper()}"
    try:
        when = datetime.fromisoformat(text).astimezone(UTC)
    except (ValueError, OverflowError):
        raise ValueError(f"`{plain(value)}` is not on the calendar or the clock") from None
    if when.year < 1971:
        raise ValueError(f"`{plain(value)}` lies too far in the past")
    return int(when.timestamp()) * 1000 + int(fraction)
