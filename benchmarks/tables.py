"""The figures as markdown: ratios first, then what they were made of; how they grow; and the goals."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from live import FAR, PUSH_FLOOR
from ours import FLOOR

ASKS = ("apply, all new",)  # measured against httpx; the rest against the parser
Document = Mapping[str, Any]


def markdown(document: Document) -> str:
    """All tables."""
    parts = [_start(document), _sizes(document), _growth(document), _latency(document), _peers(document)]
    return "\n".join("\n".join(lines) + "\n" for lines in parts if lines)


def _row(name: str, count: str, took: Sequence[float], floor: Sequence[float] | None) -> str:
    ratios = " | " if floor is None else f"{took[1] / floor[1]:.3g} | {took[0] / floor[0]:.3g}"
    return f"| {name} | {count} | {ratios} | {took[1]:.3g} | {took[0]:.3g} | {took[2]:.0f} |"


def _head(what: str, ratio: str) -> list[str]:
    return [f"| {what} | N | {ratio} | on the clock | processor s | clock s | peak MB |", "|---|--:|--:|--:|--:|--:|--:|"]


def _start(document: Document) -> list[str]:
    found = document["start_up"]
    floor = found.get("python -c pass")
    return [*_head("start-up", "of `python -c pass`"), *(_row(name, "", took, floor) for name, took in found.items())]


def _sizes(document: Document) -> list[str]:
    lines = _head("figure", "of its floor")
    for size, parts in sorted(document["sizes"].items(), key=lambda entry: int(entry[0])):
        for figures in parts.values():
            for name, took in figures.items():
                lines.append(_row(name, f"{int(size):,}", took, _floor(name, figures)))
    return lines


def _floor(name: str, figures: Mapping[str, Sequence[float]]) -> Sequence[float] | None:
    if name in (FLOOR, PUSH_FLOOR):
        return None
    return figures.get(PUSH_FLOOR) if name in ASKS else figures.get(FLOOR)


def _growth(document: Document) -> list[str]:
    """100,000 over 10,000: factors of time and memory, and the exponent that the first one means."""
    small, large = document["sizes"].get("10000", {}), document["sizes"].get("100000", {})
    lines = ["| ten times the alarms | × processor time | × memory | exponent of time |", "|---|--:|--:|--:|"]
    for part, figures in large.items():
        for name, took in figures.items():
            before = small.get(part, {}).get(name)
            if before is not None:
                factor = took[1] / before[1]
                lines.append(f"| {name} | {factor:.3g} | {took[2] / before[2]:.3g} | {math.log10(factor):.2f} |")
    return lines if len(lines) > 2 else []


def _latency(document: Document) -> list[str]:
    lines = [
        "| pushes answered 30 ms late | N | least, s | httpx alone, s | ours, s | of httpx | of the least |",
        "|---|--:|" + "--:|" * 5,
    ]
    for size, found in document["latency"].items():
        ours, bare, least = found["ours"], found["httpx alone"], found["least"]
        cells = f"{least:.3g} | {bare:.3g} | {ours:.3g} | {ours / bare:.3g} | {ours / least:.3g}"
        lines.append(f"| push phase on the clock | {int(size):,} | {cells} |")
    return lines


def _peers(document: Document) -> list[str]:
    lines = _head("peers, each beside ours", "times ours")
    for size, found in sorted(document["peers"].items(), key=lambda entry: int(entry[0])):
        lines += _peer_rows(f"{int(size):,}", found)
    return lines


def _peer_rows(count: str, found: Mapping[str, Any]) -> Iterator[str]:
    for name, took in found.items():
        if isinstance(took, str):
            yield f"| {name} | {count} | {took} | | | | |"
            continue
        ours = found.get(f"ours, {'plan, warm' if 'plan' in name else 'first apply'}{FAR if name.endswith(FAR) else ''}")
        yield _row(name, count, took, ours if isinstance(ours, list | tuple) else None)
