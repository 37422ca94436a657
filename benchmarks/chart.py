"""Processor time over N, both axes logarithmic, as an SVG that needs nothing to be shown."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from live import PUSH_FLOOR
from ours import FLOOR

WIDTH, HEIGHT, LEFT, TOP, RIGHT, BOTTOM = 760, 460, 70, 24, 230, 46
COLOURS = ("#1f6f8b", "#c0392b", "#2e8b57", "#8e44ad", "#b9770e", "#566573", "#117a65", "#7b241c", "#d35400", "#2c3e50")
LINES = ("plan, cold", "plan, warm", "plan, 1 % of the files changed", "apply, all new", FLOOR, PUSH_FLOOR)
PEERS = ("Terraform, plan", "Terraform, first apply", "octoDNS, plan", "vendor SDK, one alarm a request")
DECADES_X, DECADES_Y = (2, 5), (-2, 3)


def _x(count: float) -> float:
    low, high = DECADES_X
    return LEFT + (math.log10(count) - low) / (high - low) * (WIDTH - LEFT - RIGHT)


def _y(seconds: float) -> float:
    low, high = DECADES_Y
    return TOP + (high - math.log10(max(seconds, 10**low))) / (high - low) * (HEIGHT - TOP - BOTTOM)


def draw(sizes: Mapping[str, Mapping[str, Mapping[str, Sequence[float]]]], peers: Mapping[str, Mapping[str, Any]]) -> str:
    """The chart."""
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" font-family="sans-serif" font-size="12">',
        "<title>Processor seconds over the number of alarms</title>",
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#fff"/>',
    ]
    for power in range(DECADES_X[0], DECADES_X[1] + 1):
        x = _x(10**power)
        parts.append(f'<path d="M{x:.1f} {TOP}V{HEIGHT - BOTTOM}" stroke="#ddd"/>')
        parts.append(f'<text x="{x:.1f}" y="{HEIGHT - BOTTOM + 18}" text-anchor="middle">{10**power:,}</text>')
    for power in range(DECADES_Y[0], DECADES_Y[1] + 1):
        y = _y(10**power)
        parts.append(f'<path d="M{LEFT} {y:.1f}H{WIDTH - RIGHT}" stroke="#ddd"/>')
        parts.append(f'<text x="{LEFT - 8}" y="{y + 4:.1f}" text-anchor="end">{10**power:g} s</text>')
    ours = {size: {name: took for part in parts_of.values() for name, took in part.items()} for size, parts_of in sizes.items()}
    for place, name in enumerate((*LINES, *PEERS)):
        found = peers if name in PEERS else ours
        points = [(int(size), figures[name][1]) for size, figures in found.items() if isinstance(figures.get(name), list | tuple)]
        parts += _series(place, name, sorted(points))
    parts.append(f'<text x="{(LEFT + WIDTH - RIGHT) / 2}" y="{HEIGHT - 10}" text-anchor="middle">alarms</text></svg>')
    return "\n".join(parts) + "\n"


def _series(place: int, name: str, points: list[tuple[int, float]]) -> list[str]:
    colour, y = COLOURS[place % len(COLOURS)], TOP + 14 + 20 * place
    path = " ".join(f"{'M' if not i else 'L'}{_x(n):.1f} {_y(s):.1f}" for i, (n, s) in enumerate(points))
    dots = [f'<circle cx="{_x(n):.1f}" cy="{_y(s):.1f}" r="3.5" fill="{colour}"/>' for n, s in points]
    x = WIDTH - RIGHT + 16
    label = f'<rect x="{x}" y="{y - 9}" width="10" height="10" fill="{colour}"/><text x="{x + 16}" y="{y}">{name}</text>'
    return [f'<path d="{path}" fill="none" stroke="{colour}" stroke-width="2"/>', *dots, label]
