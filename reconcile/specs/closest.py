"""The closest match to a name nobody knows. Knows no names itself."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Sequence

_MANY = 300  # comparing names costs microseconds each, and a thousand references may dangle over 100,000 alarms


def closest(name: str, names: Iterable[str]) -> str | None:
    """The known name that looks most like `name`, or None when none does."""
    from difflib import get_close_matches  # only needed once something is wrong

    known = sorted(set(names))
    folded = {candidate.casefold(): candidate for candidate in known}
    matches = get_close_matches(name[:200].casefold(), folded, n=1, cutoff=0.6)
    return folded[matches[0]] if matches else None


def near(name: str, ordered: Sequence[str]) -> Sequence[str]:
    """Of many sorted names the ones that begin most alike; all of them when they are few."""
    if len(ordered) <= _MANY:
        return ordered
    place = bisect_left(ordered, name)
    return ordered[max(place - _MANY // 2, 0) : place + _MANY // 2]


def did_you_mean(name: str, names: Iterable[str], *, otherwise: str | None = None) -> str | None:
    """A hint that names the closest match, else `otherwise`."""
    match = closest(name, names)
    return otherwise if match is None else f"did you mean `{match}`?"


def one_of(names: Iterable[str]) -> str:
    """`a, b, c` of the names given, in their order."""
    return ", ".join(names)
