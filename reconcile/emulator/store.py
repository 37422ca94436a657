"""The database below: tables, transactions, the server's clock. Knows SQL and no API.

Several processes may open one file: every request is one immediate transaction, its log row included. Annotations and request
bodies are veiled with a pad from the same file: no protection against somebody who wants to read them, but no secret that
travelled in them lies in the file as plain text, for a search, an index or a backup to find.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import sqlite3
import time
from collections.abc import Callable, Iterator
from hashlib import shake_128
from pathlib import Path
from typing import Any

VERSION = 1
_RECORD = """project TEXT NOT NULL, eps TEXT NOT NULL, state TEXT NOT NULL, starts_at INTEGER NOT NULL, ends_at INTEGER NOT NULL,
    timeout INTEGER NOT NULL, arrives_at INTEGER NOT NULL, expires_at INTEGER NOT NULL, core_key TEXT NOT NULL,
    metadata_key TEXT NOT NULL, metadata TEXT NOT NULL, annotations BLOB NOT NULL, attach_rule TEXT NOT NULL"""
SCHEMA = f"""
CREATE TABLE kept (name TEXT PRIMARY KEY, value) WITHOUT ROWID;
CREATE TABLE records (number INTEGER PRIMARY KEY AUTOINCREMENT, {_RECORD});
CREATE INDEX records_state ON records (project, state);
CREATE INDEX records_core ON records (core_key) WHERE state = 'active';
CREATE INDEX records_metadata ON records (metadata_key) WHERE state = 'active';
CREATE INDEX records_expiry ON records (expires_at) WHERE state = 'active';
CREATE TABLE shadows (number INTEGER NOT NULL, {_RECORD}, until INTEGER NOT NULL, hidden INTEGER NOT NULL,
    sequence INTEGER PRIMARY KEY AUTOINCREMENT);
CREATE INDEX shadows_number ON shadows (number);
CREATE TABLE coc_events (key_digest TEXT, alarm_id TEXT, name TEXT, level TEXT, status TEXT, time INTEGER, reports INTEGER,
    body BLOB, PRIMARY KEY (key_digest, alarm_id)) WITHOUT ROWID;
CREATE TABLE coc_alarms (id TEXT PRIMARY KEY, name TEXT, importance TEXT, status TEXT, region TEXT, create_time INTEGER,
    update_time INTEGER, resolved_by TEXT, remarks TEXT) WITHOUT ROWID;
CREATE TABLE work_orders (number INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT UNIQUE, alarm_id TEXT, task_type TEXT, task_id TEXT,
    task_name TEXT, sub_task TEXT, create_name TEXT, start_time INTEGER, end_time INTEGER, outcome TEXT);
CREATE INDEX work_orders_alarm ON work_orders (alarm_id);
CREATE TABLE tokens (digest TEXT PRIMARY KEY, user TEXT, project_id TEXT, expires_at INTEGER) WITHOUT ROWID;
CREATE TABLE key_pairs (ak TEXT PRIMARY KEY, sk TEXT, security_token TEXT, expires_at INTEGER) WITHOUT ROWID;
CREATE TABLE log (seq INTEGER PRIMARY KEY AUTOINCREMENT, time INTEGER, method TEXT, path TEXT, query TEXT, status INTEGER,
    outcome INTEGER, fault TEXT, headers TEXT, body BLOB);
"""
TABLES = ("records", "shadows", "coc_events", "coc_alarms", "work_orders", "tokens", "key_pairs", "log", "sqlite_sequence")


class Store:
    """One SQLite file, or memory. It is opened by the first request, so that a server that is only named leaves no file."""

    def __init__(self, path: Path | None, furnish: Callable[[Store], None]) -> None:
        """`furnish` puts in place what a new or emptied database holds."""
        self._path = path
        self._furnish = furnish
        self._db: sqlite3.Connection | None = None
        self._pad = b""
        self._pad_key = b""

    @property
    def db(self) -> sqlite3.Connection:
        """The open database."""
        if self._db is None:
            self._open()
            assert self._db is not None
        return self._db

    @contextlib.contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """All or nothing; one at a time over all processes."""
        self.db.execute("BEGIN IMMEDIATE")
        try:
            yield self.db
        except BaseException:
            self.db.execute("ROLLBACK")
            raise
        self.db.execute("COMMIT")

    @contextlib.contextmanager
    def effect(self) -> Iterator[None]:
        """Within a transaction: what an exception undoes while the transaction goes on."""
        self.db.execute("SAVEPOINT effect")
        try:
            yield
        except BaseException:
            self.db.execute("ROLLBACK TO effect")
            raise
        finally:
            self.db.execute("RELEASE effect")

    def now(self) -> int:
        """The server's time in ms: the machine's, shifted as the clock was told."""
        return time.time_ns() // 1_000_000 + int(self.kept("clock_shift") or 0)

    def kept(self, name: str) -> Any:
        """A value kept by name; None when there is none."""
        row = self.db.execute("SELECT value FROM kept WHERE name = ?", (name,)).fetchone()
        return None if row is None else row[0]

    def keep(self, name: str, value: Any) -> None:
        """Keep a value by name."""
        self.db.execute("INSERT OR REPLACE INTO kept VALUES (?, ?)", (name, value))

    def veil(self, text: str) -> bytes:
        """Text as it is stored where it may hold secrets."""
        return self._crossed(text.encode("utf-8", "surrogatepass"))

    def unveil(self, stored: bytes) -> str:
        """What `veil` was given."""
        return self._crossed(stored).decode("utf-8", "surrogatepass")

    def _crossed(self, raw: bytes) -> bytes:
        if len(self._pad) < len(raw):
            self._pad = shake_128(self._pad_key).digest(max(4096, 2 * len(raw)))
        size = len(raw)
        return (int.from_bytes(raw, "big") ^ int.from_bytes(self._pad[:size], "big")).to_bytes(size, "big")

    def empty(self) -> None:
        """Forget everything, the shifted clock included. Within a transaction."""
        for table in TABLES:
            self.db.execute(f"DELETE FROM {table}")
        self.db.execute("DELETE FROM kept WHERE name <> 'pad'")
        self._furnish(self)

    def close(self) -> None:
        """Close the database; a later request opens it again (and in memory finds it as new)."""
        if self._db is not None:
            self._db.close()
            self._db = None

    def _open(self) -> None:
        if self._path is not None:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            os.close(os.open(self._path, os.O_CREAT | os.O_RDWR, 0o600))
        self._db = sqlite3.connect(self._path or ":memory:", isolation_level=None, check_same_thread=False, timeout=30)
        try:
            self._prepare(self._db)
        except BaseException:
            self.close()
            raise
        self._pad, self._pad_key = b"", bytes.fromhex(str(self.kept("pad")))

    def _prepare(self, db: sqlite3.Connection) -> None:
        _patiently(db, "PRAGMA journal_mode = WAL")
        db.execute("PRAGMA synchronous = NORMAL")
        _patiently(db, "BEGIN IMMEDIATE")
        version = db.execute("PRAGMA user_version").fetchone()[0]
        if version == 0:
            for statement in SCHEMA.split(";\n"):
                db.execute(statement)
            db.execute("INSERT INTO kept VALUES ('pad', ?)", (secrets.token_hex(32),))
            db.execute(f"PRAGMA user_version = {VERSION}")
            self._furnish(self)
        db.execute("COMMIT")
        if version not in (0, VERSION):
            raise RuntimeError(f"the emulator's database is of version {version}, this is {VERSION}: delete it or name another")


def _patiently(db: sqlite3.Connection, statement: str) -> None:
    """The switch to WAL does not wait for other processes by itself."""
    for _ in range(600):
        with contextlib.suppress(sqlite3.OperationalError):
            db.execute(statement)
            return
        time.sleep(0.05)
    db.execute(statement)
