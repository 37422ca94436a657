"""Instants as text: RFC 3339 in UTC, from and to milliseconds. Pure; knows no clock."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def instant(ms: int) -> str:
    """RFC 3339 in UTC with seconds; milliseconds only where there are some. Out of the calendar: the number as it is."""
    try:
        text = (_EPOCH + timedelta(milliseconds=ms)).isoformat(timespec="milliseconds")
    except OverflowError:
        return f"{ms} ms"
    return text.removesuffix("+00:00").removesuffix(".000") + "Z"


def to_seconds(ms: int) -> str:
    """The instant for people who look at many: whole seconds."""
    return instant(ms - ms % 1_000)


def instant_ms(text: str) -> int:
    """The inverse of `instant`. Raises ValueError for anything without a zone."""
    parsed = datetime.fromisoformat(text)
    if parsed.tzinfo is None:
        raise ValueError(f"`{text}` has no zone; end it with `Z`")
    return (parsed - _EPOCH) // timedelta(milliseconds=1)
