"""Numbers in words: durations, counts. Pure."""

from __future__ import annotations

_UNITS = (("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1_000), ("ms", 1))


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


def counted(count: int, noun: str, plural: str | None = None) -> str:
    """`1 alarm`, `2 alarms`, `12,000 alarms`."""
    return f"{count:,} {noun if count == 1 else plural or noun + 's'}"
