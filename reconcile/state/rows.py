"""Rows: how a state lies in PostgreSQL: the document in one row, each open intent in a row of its own. Knows no connection.

The columns `lineage` and `serial` name the version. The document beside them holds no intents; it is written when a resource
changes, so the serial that stands in it may be an earlier one.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cache, cached_property
from typing import Any

from pydantic import TypeAdapter, ValidationError

from reconcile.errors import StateUnusable
from reconcile.model.snapshot import Intent, Snapshot
from reconcile.state.codec import decode, encode, spell
from reconcile.state.place import Change, Stored

SCHEMA = "CREATE SCHEMA {schema}"
CREATE = """
CREATE TABLE IF NOT EXISTS {schema}.states
    (name text PRIMARY KEY, lineage text NOT NULL, serial bigint NOT NULL, content text NOT NULL);
CREATE TABLE IF NOT EXISTS {schema}.intents
    (state text NOT NULL REFERENCES {schema}.states (name) ON DELETE CASCADE, id text NOT NULL, op text NOT NULL,
     phase text NOT NULL, address text NOT NULL, at timestamptz NOT NULL, document text NOT NULL, PRIMARY KEY (state, id));
CREATE TABLE IF NOT EXISTS {schema}.holders (name text PRIMARY KEY, holder text NOT NULL);
"""
ROW = "SELECT lineage, serial, content FROM {schema}.states WHERE name = %s"
INTENTS = "SELECT id, document FROM {schema}.intents WHERE state = %s ORDER BY at, id"
INSERT = """
INSERT INTO {schema}.states (lineage, serial, content, name) VALUES (%s, %s, %s, %s) ON CONFLICT DO NOTHING
"""
UPDATE = """
UPDATE {schema}.states SET lineage = %s, serial = %s, content = coalesce(%s, content)
    WHERE name = %s AND lineage = %s AND serial = %s
"""
OPEN = """
INSERT INTO {schema}.intents (state, id, op, phase, address, at, document)
    SELECT %s, id, op, phase, address, to_timestamp(at / 1000.0), document
    FROM unnest(%s::text[], %s::text[], %s::text[], %s::text[], %s::bigint[], %s::text[])
        AS given (id, op, phase, address, at, document)
    ON CONFLICT (state, id) DO UPDATE SET op = EXCLUDED.op, phase = EXCLUDED.phase, address = EXCLUDED.address,
        at = EXCLUDED.at, document = EXCLUDED.document
"""
SETTLE = "DELETE FROM {schema}.intents WHERE state = %s AND id = ANY (%s)"


@dataclass(frozen=True)
class Row(Stored):
    """A state as its rows say it: `intents` are those of the table `intents`, each as JSON, by id."""

    lineage: str = ""
    serial: int = 0
    intents: Mapping[str, str] = field(default_factory=dict)

    @cached_property
    def version(self) -> tuple[object, object]:
        """Of the columns, not of the document."""
        return self.lineage, self.serial

    def snapshot(self, *, where: str, tool_version: str) -> Snapshot:
        """Document and intents together; those that a document of an earlier layout holds itself count too."""
        said = decode(self.content, where=where, tool_version=tool_version)
        pending = {**said.pending, **_understood(self.intents, where)}
        return replace(said, lineage=self.lineage, serial=self.serial, pending=pending)

    def document(self) -> bytes:
        """Put together again."""
        return encode(self.snapshot(where="", tool_version=""))


@dataclass(frozen=True, slots=True)
class Steps:
    """What has to be written: `document` is None where it stays as it is."""

    document: str | None
    opened: list[Intent]
    settled: list[str]
    row: Row

    def columns(self) -> tuple[list[Any], ...]:
        """The intents as the statement OPEN wants them."""
        rows = [(i.id, i.op, i.phase, i.address, i.at, self.row.intents[i.id]) for i in self.opened]
        return tuple(list(column) for column in zip(*rows, strict=True))


def steps(change: Change) -> Steps:
    """The least that turns the rows there into those of the new state: nothing is written for what stays as it is."""
    now, over = change.now, change.over if isinstance(change.over, Row) else None
    there = over.intents if over else {}
    known = change.known.pending if change.known else {}
    opened = [intent for id, intent in now.pending.items() if id not in there or known.get(id) != intent]
    intents = {id: there[id] for id in now.pending if id in there} | {intent.id: _spelled(intent) for intent in opened}
    if over is not None and _document_stays(change, there):
        content, document = over.content, None
    else:
        content = encode(replace(now, pending={}))
        document = content.decode()
    row = Row(content, None, str(now.lineage), now.serial, intents)
    return Steps(document, opened, [id for id in there if id not in now.pending], row)


def _document_stays(change: Change, there: Mapping[str, str]) -> bool:
    """Whether nothing but serial and intents changed, and the document there holds no intents of its own."""
    known, now = change.known, change.now
    return (
        known is not None
        and known.pending.keys() <= there.keys()
        and replace(now, serial=0, pending={}) == replace(known, serial=0, pending={})
    )


def _spelled(intent: Intent) -> str:
    return spell(dict(intent)).decode()


def _understood(intents: Mapping[str, str], where: str) -> dict[str, Intent]:
    try:
        return {one.id: one for one in _intents().validate_python([json.loads(document) for document in intents.values()])}
    except (ValueError, ValidationError) as error:
        raise StateUnusable(f"holds intents that this version does not understand: {error}", where=where) from error


@cache
def _intents() -> TypeAdapter[list[Intent]]:
    return TypeAdapter(list[Intent])
