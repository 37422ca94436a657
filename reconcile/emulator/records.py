"""The alarm and event records: filing, updating, ending, expiring. Knows SQL and hypotheses' names, no requests.

With a lag, what a record was before a change lives on as its shadow: listings show the oldest shadow that still lasts.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from hashlib import blake2b
from typing import NamedTuple

from reconcile.emulator.exchange import dense
from reconcile.emulator.push_rules import Pushed
from reconcile.emulator.store import Store

FIRST_ID = 6_775_161_208_461_480_000  # ids lie beyond 2**53, as the real ones do
_CORE = ("event_name", "resource_provider", "resource_type", "resource_id")


class Filed(NamedTuple):
    """One row of `records`, in the order of its columns, without its number."""

    project: str
    eps: str
    state: str
    starts_at: int
    ends_at: int
    timeout: int
    arrives_at: int
    expires_at: int
    core_key: str
    metadata_key: str
    metadata: str
    annotations: bytes
    attach_rule: str

    def key(self, identity: str) -> str:
        """What identifies the record under this hypothesis."""
        return self.core_key if identity == "core" else self.metadata_key


def file(event: Pushed, project: str, eps: str, *, now: int, expiry_from: str, store: Store) -> Filed:
    """The row of a reported event that arrives now."""
    starts_at = event.starts_at or now
    return Filed(
        project=project,
        eps=eps,
        state="active" if event.is_alarm else "event",
        starts_at=starts_at,
        ends_at=0,
        timeout=event.timeout,
        arrives_at=now,
        expires_at=(starts_at if expiry_from == "starts_at" else now) + event.timeout,
        core_key=_hash([project, eps, *(event.metadata[name] for name in _CORE)]),
        metadata_key=_hash([project, eps, *(part for pair in sorted(event.metadata.items()) for part in pair)]),
        metadata=dense(event.metadata),
        annotations=store.veil(dense(event.annotations)),
        attach_rule=dense(event.attach_rule),
    )


def _hash(parts: Sequence[str]) -> str:
    return blake2b(repr(parts).encode(), digest_size=16).hexdigest()


def id_of(number: int) -> str:
    """A record's id."""
    return str(FIRST_ID + number)


def sweep(store: Store, now: int) -> None:
    """Alarms whose time is up become history, and shadows that lasted long enough go."""
    for table in ("records", "shadows"):
        store.db.execute(
            f"UPDATE {table} SET state = 'expired', ends_at = expires_at WHERE state = 'active' AND expires_at <= ?",
            (now,),
        )
    store.db.execute("DELETE FROM shadows WHERE until <= ?", (now,))


def next_number(store: Store) -> int:
    """The number of the next new record."""
    row = store.db.execute("SELECT seq FROM sqlite_sequence WHERE name = 'records'").fetchone()
    return 1 if row is None else int(row[0]) + 1


def all_active_by_key(store: Store, filed: Sequence[Filed], identity: str) -> dict[str, list[int]]:
    """Active records that share an identity with these, by key, oldest first."""
    found: dict[str, list[int]] = {}
    if not filed:
        return found
    column = "core_key" if identity == "core" else "metadata_key"
    keys = json.dumps(sorted({record.key(identity) for record in filed}))
    rows = store.db.execute(
        f"SELECT {column}, number FROM records WHERE state = 'active' AND {column} IN (SELECT value FROM json_each(?)) "
        "ORDER BY number",
        (keys,),
    )
    for key, number in rows:
        found.setdefault(key, []).append(number)
    return found


def active_by_key(store: Store, filed: Sequence[Filed], identity: str) -> dict[str, int]:
    """The newest active record for each identity."""
    return {key: numbers[-1] for key, numbers in all_active_by_key(store, filed, identity).items()}


def active_by_id(store: Store, id: str, project: str) -> list[int]:
    """The active record of this id, if it is one."""
    if not id.isascii() or not id.isdigit() or len(id) > 19:
        return []
    number = int(id) - FIRST_ID
    row = store.db.execute("SELECT 1 FROM records WHERE number = ? AND project = ? AND state = 'active'", (number, project))
    return [number] if row.fetchone() else []


def insert(store: Store, fresh: Mapping[int, Filed], until: int | None) -> None:
    """Add records; with a lag they stay hidden until then."""
    if not fresh:
        return
    marks = ", ".join("?" * 14)
    store.db.executemany(f"INSERT INTO records VALUES ({marks})", [(number, *row) for number, row in fresh.items()])
    if until is not None:
        _shadow(store, list(fresh), until, hidden=1)


def update(store: Store, renewed: Mapping[int, Filed], until: int | None) -> None:
    """Replace the content of records in place; their ids stay."""
    if not renewed:
        return
    if until is not None:
        _shadow(store, list(renewed), until, hidden=0)
    store.db.executemany(
        "UPDATE records SET starts_at = ?, timeout = ?, arrives_at = ?, expires_at = ?, metadata_key = ?, metadata = ?, "
        "annotations = ?, attach_rule = ? WHERE number = ?",
        [
            (r.starts_at, r.timeout, r.arrives_at, r.expires_at, r.metadata_key, r.metadata, r.annotations, r.attach_rule, number)
            for number, r in renewed.items()
        ],
    )


def end(store: Store, numbers: Sequence[int], ends_at: int, until: int | None) -> None:
    """Clear active records."""
    if until is not None and numbers:
        _shadow(store, numbers, until, hidden=0)
    store.db.executemany("UPDATE records SET state = 'cleared', ends_at = ? WHERE number = ?", [(ends_at, n) for n in numbers])


def _shadow(store: Store, numbers: Sequence[int], until: int, *, hidden: int) -> None:
    store.db.executemany(
        "INSERT INTO shadows SELECT records.*, ?, ?, NULL FROM records WHERE number = ?",
        [(until, hidden, number) for number in numbers],
    )
