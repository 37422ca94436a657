"""The timeline of expiries and renewals as SVG. Its axis is a square root: an hour stays visible beside fifteen days."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from math import sqrt

from reconcile.model.instants import instant
from reconcile.views.graph import tone_of
from reconcile.views.inert import inert
from reconcile.views.markup import Markup, tag
from reconcile.views.timeline import Span
from reconcile.views.units import duration, rough

MOST_LANES = 40
WIDTH, LEFT, RIGHT = 1040, 320, 180
_LANE, _TOP, _BARS, _BINS = 28, 34, 90, 48
_MINUTE, _HOUR, _DAY = 60_000, 3_600_000, 86_400_000
_TICKS = tuple(
    [n * _MINUTE for n in (1, 5, 15)] + [n * _HOUR for n in (1, 6)] + [n * _DAY for n in (1, 3, 7, 15, 30, 90, 365, 1_000, 3_000)]
)


class _Axis:
    """From an instant to a column."""

    def __init__(self, spans: Sequence[Span], as_of: int) -> None:
        self.as_of = as_of
        self.span = max(*(max(span.ends, span.was or 0) - as_of for span in spans), _HOUR)

    def x(self, at: int) -> float:
        return LEFT + (WIDTH - LEFT - RIGHT) * sqrt(min(max(at - self.as_of, 0), self.span) / self.span)


def timeline_svg(spans: Sequence[Span], *, as_of: int) -> Markup:
    """A lane for each of the first alarms to run out; with many alarms a histogram of all of them above."""
    axis = _Axis(spans, as_of)
    many = len(spans) > MOST_LANES
    top = _TOP + (_BARS if many else 0)
    height = top + _LANE * min(len(spans), MOST_LANES) + 10
    parts = [*_ticks(axis, height)]
    parts += _histogram(axis, spans) if many else ()
    for number, span in enumerate(spans[:MOST_LANES]):
        title = tag("title", f"{span.address}: {' '.join(words(span, as_of))}")
        parts.append(tag("g", title, *_lane(axis, span, top + number * _LANE)))
    label = f"Timeline of {len(spans):,} expiries from {instant(as_of)} on; the table below says the same"
    box = f"0 0 {WIDTH} {height}"
    return tag("svg", *parts, class_="chart", role="img", aria_label=label, width=WIDTH, height=height, viewBox=box)


def _ticks(axis: _Axis, height: int) -> Iterator[Markup]:
    last = 0.0
    for after in (0, *_TICKS):
        x = axis.x(axis.as_of + after)
        if after > axis.span or x - last < 46:
            continue
        last = x
        yield tag("line", x1=x, x2=x, y1=22, y2=height - 6, class_="grid")
        yield tag("text", duration(after) if after else "now", x=x, y=14, class_="tick")


def _histogram(axis: _Axis, spans: Sequence[Span]) -> Iterator[Markup]:
    wide = (WIDTH - LEFT - RIGHT) / _BINS
    bins = Counter(min(int((axis.x(span.ends) - LEFT) / wide), _BINS - 1) for span in spans)
    most = max(bins.values())
    foot = _TOP + _BARS - 18
    yield tag("text", "all of them", x=LEFT - 14, y=foot - 26, class_="lane")
    yield tag("text", f"at most {most:,} at a time", x=LEFT - 14, y=foot - 8, class_="lane soft")
    for number, count in sorted(bins.items()):
        high = max(2.0, (_BARS - 30) * count / most)
        title = tag("title", f"{count:,} run out here")
        yield tag("rect", title, x=LEFT + number * wide + 1, y=foot - high, width=wide - 2, height=high, rx=2, class_="bar quiet")


def _lane(axis: _Axis, span: Span, top: int) -> Iterator[Markup]:
    middle = top + _LANE / 2
    tone = tone_of(span.action)
    yield tag("text", shortened(span.address, 42), x=LEFT - 14, y=middle + 4, class_="lane")
    yield tag("rect", x=LEFT, y=middle - 6, width=max(axis.x(span.ends) - LEFT, 3), height=12, rx=6, class_=f"bar {tone}")
    if span.was is not None and span.was != span.ends:
        yield tag("rect", x=LEFT, y=middle - 2, width=max(axis.x(span.was) - LEFT, 3), height=4, rx=2, class_="was")
    if axis.as_of < span.due < span.ends:
        yield tag("path", d=_diamond(axis.x(span.due), middle), class_="due")
    yield tag("text", words(span, axis.as_of)[0], x=axis.x(span.ends) + 10, y=middle + 4, class_="when")


def _diamond(x: float, y: float) -> str:
    return f"M{x:.1f} {y - 7:.1f}l7 7l-7 7l-7 -7z"


def words(span: Span, as_of: int) -> tuple[str, str, str]:
    """When it runs out, when it was going to, and when its renewal is due."""
    before = "" if span.was is None or span.was == span.ends else _from(span.was, as_of)
    return _from(span.ends, as_of), before, _from(span.due, as_of) if span.due < span.ends else ""


def _from(at: int, as_of: int) -> str:
    return f"in {rough(at - as_of)}" if at > as_of else f"{rough(as_of - at)} ago"


def shortened(text: str, most: int) -> str:
    """The text with its middle left out where it is long; the whole stands in the title."""
    line = inert(text)
    return line if len(line) <= most else f"{line[: most * 2 // 3]}…{line[-(most // 3 - 1) :]}"
