"""When an alarm expires and when it is due to be renewed. All times in ms."""

from __future__ import annotations

from reconcile.model.resources import Alarm

FIVE_DAYS = 5 * 86_400_000


def margin_of(alarm: Alarm) -> int:
    """`renew_before`, or half the timeout, at most five days."""
    return margin(alarm.timeout, alarm.lifecycle.renew_before)


def margin(timeout: int | None, renew_before: int | None) -> int:
    """The same for a content that is no noun."""
    return min((timeout or 0) // 2, FIVE_DAYS) if renew_before is None else renew_before


def is_due(alarm: Alarm, expires_at: int | None, now: int) -> bool:
    """Whether the rest of the timeout is no longer than the margin."""
    return expires_at is not None and expires_at - now <= margin_of(alarm)
