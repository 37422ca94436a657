"""Any snapshot, for laws."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from reconcile.model.snapshot import Intent, LastRun, Recorded, RecordedAlarm, RecordedEvent, RecordedHandling, Run, Snapshot

text = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
small = st.integers(0, 2**53)
plain: st.SearchStrategy[Any] = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**80), 2**80)
    | st.floats(allow_nan=False, allow_infinity=False)
    | text
    | st.sampled_from(["NaN", "Infinity", "\ud800", "\x00\x1b[31m\u202e", "a\r\nb"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(text, inner, max_size=3),
    max_leaves=6,
)
content = st.dictionaries(text, plain, max_size=3)
texts = st.dictionaries(text, text, max_size=3)
runs = st.builds(Run, occurrence=text, alarm_id=text, task_id=text, task_digest=text, at=small, ticket=st.none() | text)
alarms = st.builds(
    RecordedAlarm,
    target=text,
    digest=text,
    content=content,
    occurrence=text,
    starts_at=small,
    metadata=texts,
    remote_id=st.none() | text,
)
events = st.builds(RecordedEvent, target=text, digest=text, content=content, reported_at=small, secrets=texts)
handlings = st.builds(RecordedHandling, target=text, digest=text, content=content, runs=st.lists(runs, max_size=2).map(tuple))
intents = st.builds(
    Intent,
    id=text,
    address=text,
    at=small,
    target=text,
    record=st.none() | alarms,
    run=st.none() | runs,
    baseline=st.lists(text, max_size=2).map(tuple),
)
last_runs = st.builds(
    LastRun, at=small, command=text, who=text, exit_code=st.integers(0, 255), counts=st.dictionaries(text, small)
)


def _addressed(record: Recorded, name: str) -> tuple[str, Recorded]:
    return f"{record.kind}.{name}", record


records = st.lists(st.builds(_addressed, alarms | events | handlings, text), max_size=4).map(dict)
snapshots = st.builds(
    Snapshot,
    stack=st.none() | text,
    lineage=text.filter(bool),
    serial=small,
    resources=records,
    pending=st.lists(intents, max_size=3).map(lambda some: {one.id: one for one in some}),
    last_run=st.none() | last_runs,
    tool_version=st.none() | text,
)
