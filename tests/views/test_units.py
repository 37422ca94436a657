"""Numbers in words."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconcile.model.instants import instant, instant_ms
from reconcile.views.units import counted, duration, rough


@pytest.mark.parametrize(
    ("ms", "text"),
    [(0, "0s"), (500, "500ms"), (1_500, "1s 500ms"), (432_000_000, "5d"), (45_000_000, "12h 30m"), (-60_000, "-1m")],
)
def test_durations_are_exact_words(ms: int, text: str) -> None:
    """Each unit that counts, the largest first."""
    assert duration(ms) == text


@pytest.mark.parametrize(("ms", "text"), [(999, "under 1s"), (90_061_001, "1d 1h"), (61_999, "1m 1s")])
def test_rough_durations_have_two_units(ms: int, text: str) -> None:
    """For people: the two largest units."""
    assert rough(ms) == text


def test_instants_show_milliseconds_only_where_there_are_some() -> None:
    """RFC 3339 in UTC."""
    assert instant(1_795_161_600_000) == "2026-11-20T08:00:00Z"
    assert instant(1_795_161_600_250) == "2026-11-20T08:00:00.250Z"
    assert instant(10**18) == "1000000000000000000 ms"


@given(st.integers(min_value=0, max_value=253_402_300_799_999))
def test_an_instant_read_back_is_the_same(ms: int) -> None:
    """`instant_ms` inverts `instant` to the millisecond."""
    assert instant_ms(instant(ms)) == ms


def test_counts_agree_with_their_noun() -> None:
    """One alarm, two alarms."""
    assert [counted(1, "alarm"), counted(12_000, "alarm")] == ["1 alarm", "12,000 alarms"]
