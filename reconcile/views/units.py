"""Numbers in words: durations, instants, counts. Pure; knows no clock."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

_UNITS = (("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1_000), ("ms", 1))
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def duration(ms: int) -> str:
    """The exact duration: `5d`, `12h 30m`, `1s 500ms`."""
    if ms < 0:
        return "-" + duration(-ms)
    parts = []
    for unit, size in _UNITS:
        count, ms = divmod(ms, size)
        if count:
            parts.append(f"{count}{unit}")
    return " ".join(parts) or "0s"


def rough(ms: int) -> str:
    """The duration for people: its two largest units, seconds at the finest."""
    if abs(ms) < 1_000:
        return "under 1s"
    return " ".join(duration(ms - ms % 1_000).split()[:2])


def instant(ms: int) -> str:
    """RFC 3339 in UTC with seconds; milliseconds only where there are some. Out of the calendar: the number as it is."""
    try:
        text = (_EPOCH + timedelta(milliseconds=ms)).isoformat(timespec="milliseconds")
    except OverflowError:
        return f"{ms} ms"
    return text.removesuffix("+00:00").removesuffix(".000") + "Z"


def instant_ms(text: str) -> int:
    """The inverse of `instant`. Raises ValueError for anything without a zone."""
    parsed = datetime.fromisoformat(text)
    if parsed.tzinfo is None:
        raise ValueError(f"`{text}` has no zone; end it with `Z`")
    return (parsed - _EPOCH) // timedelta(milliseconds=1)


def counted(count: int, noun: str, plural: str | None = None) -> str:
    """`1 alarm`, `2 alarms`, `12,000 alarms`."""
    return f"{count:,} {noun if count == 1 else plural or noun + 's'}"
