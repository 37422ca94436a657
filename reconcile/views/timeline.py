"""When alarms run out and when they are due to be renewed, after a plan was applied. Pure: rows -> spans; draws nothing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from reconcile.model.instants import instant_ms
from reconcile.model.renewal import margin
from reconcile.model.rows import Row

if TYPE_CHECKING:
    from reconcile.model.snapshot import Snapshot

_SENDING = frozenset({"report", "update", "replace", "renew"})
_ENDING = frozenset({"clear", "forget"})


@dataclass(frozen=True, slots=True)
class Span:
    """How long one alarm stays active. `was` is its expiry before the plan, `ends` the one after it, `due` when it is renewed."""

    address: str
    action: str
    ends: int
    due: int
    was: int | None = None


def spans_of(document: Mapping[str, Any], snapshot: Snapshot | None = None) -> list[Span]:
    """The soonest first. With the state also what the plan leaves alone."""
    as_of = instant_ms(document["as_of"])
    expiries = dict(_recorded(snapshot))
    found = [span for row in document["changes"] if row["kind"] == "alarm" and (span := _span(row, as_of, expiries))]
    touched = {row["address"] for row in document["changes"]} | {row.get("moved_from") for row in document["changes"]}
    for address, (ends, content) in expiries.items():
        if address not in touched:
            found.append(Span(address, "none", ends, ends - _margin(content)))
    return sorted(found, key=lambda span: (span.ends if span.was is None else min(span.was, span.ends), span.address))


def _recorded(snapshot: Snapshot | None) -> Iterator[tuple[str, tuple[int, Mapping[str, Any]]]]:
    for address, record in (snapshot.resources if snapshot else {}).items():
        if record.kind == "alarm" and record.expires_at is not None and record.confirmation != "cleared":
            yield address, (record.expires_at, record.content)


def _span(row: Row, as_of: int, expiries: Mapping[str, tuple[int, Mapping[str, Any]]]) -> Span | None:
    content = row["after"] or row["before"] or {}
    recorded = expiries.get(row.get("moved_from") or row["address"])
    was = instant_ms(row["expires_at"]) if row.get("expires_at") else recorded[0] if recorded else None
    timeout = content.get("timeout")
    if row["action"] in _ENDING:
        return None
    if row["action"] in _SENDING and row.get("sends", True) and isinstance(timeout, int):
        ends = as_of + timeout
        return Span(row["address"], row["action"], ends, ends - _margin(content), was)
    return None if was is None else Span(row["address"], row["action"], was, was - _margin(content))


def _margin(content: Mapping[str, Any]) -> int:
    return margin(content.get("timeout"), content.get("lifecycle", {}).get("renew_before"))
