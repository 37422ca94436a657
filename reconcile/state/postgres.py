"""PostgreSQL: the state as a row. One connection holds an advisory lock and does every write: a lost lock cannot write."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any, TypeVar

from pydantic import ValidationError

from reconcile.errors import ReconcileError
from reconcile.state.lock import Holder
from reconcile.state.options import PostgresOptions, resolved
from reconcile.state.place import Doubt, Held, Place, Stored

T = TypeVar("T")

CREATE = """
CREATE SCHEMA IF NOT EXISTS {schema};
CREATE TABLE IF NOT EXISTS {schema}.states
    (name text PRIMARY KEY, lineage text NOT NULL, serial bigint NOT NULL, content text NOT NULL);
CREATE TABLE IF NOT EXISTS {schema}.holders (name text PRIMARY KEY, holder text NOT NULL);
"""
TAKE = "SELECT pg_catalog.pg_try_advisory_lock(%s, %s)"
LOCKED = """
FROM pg_catalog.pg_locks WHERE locktype = 'advisory' AND granted AND classid = %s::oid AND objid = %s::oid AND objsubid = 2
AND database = (SELECT oid FROM pg_catalog.pg_database WHERE datname = pg_catalog.current_database())
"""
OURS = f"SELECT pid {LOCKED} AND pid = pg_catalog.pg_backend_pid()"
BREAK = f"SELECT pg_catalog.pg_terminate_backend(pid) {LOCKED}"
INSERT = "INSERT INTO {schema}.states VALUES (%s, %s, %s, %s) ON CONFLICT DO NOTHING"
UPDATE = """
UPDATE {schema}.states SET lineage = %s, serial = %s, content = %s WHERE name = %s AND lineage = %s AND serial = %s
"""
HOLD = "INSERT INTO {schema}.holders VALUES (%s, %s) ON CONFLICT (name) DO UPDATE SET holder = EXCLUDED.holder"


def postgres_place(given: Mapping[str, Any], environ: Mapping[str, str]) -> Place:
    """The place that `state: {backend: postgres, …}` names."""
    options = resolved(PostgresOptions, given, environ)
    login = _login(options, environ)
    where = f"postgres {login.get('host') or 'local'}:{login.get('port') or 5432}/{login.get('dbname') or ''}"
    where += f" {options.schema_name}.{options.name}"
    return Place(where, lambda: PostgresBackend(options, login, where))


class PostgresBackend:
    """Fulfils Backend."""

    def __init__(self, options: PostgresOptions, login: Mapping[str, Any], where: str) -> None:
        self.where = where
        self._options = options
        self._login = login
        self._us: Holder | None = None
        self._connection: Any = None
        digest = hashlib.sha256(f"{options.schema_name}/{options.name}".encode()).digest()
        self._key = (int.from_bytes(digest[:4], "big") >> 1, int.from_bytes(digest[4:8], "big") >> 1)

    def lock(self, us: Holder) -> None:
        """Take the advisory lock and see that it stays with this connection: behind a transaction pooler it would not."""
        self._do(self._create)
        if not self._one(TAKE, self._key):
            raise Held(self._holder())
        seen = {self._one(OURS, self._key), self._one(OURS, self._key), self._one("SELECT pg_catalog.pg_backend_pid()")}
        if len(seen) != 1:
            self.close()
            raise ReconcileError(
                "the connection goes through a transaction pooler, where locks do not last",
                where=self.where,
                hint="connect to the server itself, or to a pool in session mode",
            )
        self._us = us
        self._run(HOLD, (self._options.name, us.model_dump_json()))

    def unlock(self, lock_id: str) -> None:
        """Give our own lock back by closing its connection; end the connection of another holder with this id."""
        if self._us is not None and self._us.id == lock_id:
            self._us = None
            with suppress(Doubt):  # a connection that is gone holds no lock
                self._one("SELECT pg_catalog.pg_advisory_unlock_all()")
            self.close()
            return
        holder = self._holder()
        if holder is None or holder.id != lock_id:
            raise ReconcileError(f"the lock is another one: {holder or 'nobody holds it'}", where=self.where)
        self._one(BREAK, self._key)

    def load(self) -> Stored | None:
        """The row."""
        if self._one("SELECT pg_catalog.to_regclass(%s)", (f'"{self._options.schema_name}".states',)) is None:
            return None
        content = self._one("SELECT content FROM {schema}.states WHERE name = %s", (self._options.name,))
        return None if content is None else Stored(content.encode())

    def save(self, content: bytes, over: Stored | None) -> Stored:
        """Write on the connection that holds the lock, and only over that lineage and serial."""
        stored = Stored(content)
        lineage, serial = stored.version
        name, text = self._options.name, content.decode()
        if over is None:
            count = self._run(INSERT, (name, lineage, serial, text))
        else:
            count = self._run(UPDATE, (lineage, serial, text, name, *over.version))
        if count != 1:
            raise Doubt("another version is there")
        return stored

    def close(self) -> None:
        """End the connection, and with it the lock."""
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()

    def _holder(self) -> Holder | None:
        text = self._one("SELECT holder FROM {schema}.holders WHERE name = %s", (self._options.name,))
        try:
            return Holder.model_validate_json(text or "")
        except ValidationError:
            return None

    def _create(self, connection: Any) -> None:
        if self._fetch(connection, "SELECT pg_catalog.to_regclass(%s)", (f'"{self._options.schema_name}".holders',)) is None:
            with connection.transaction():
                connection.execute("SELECT pg_catalog.pg_advisory_xact_lock(%s, %s)", (1_919_247_219, 0))
                connection.execute(self._sql(CREATE))

    def _one(self, query: str, values: tuple[Any, ...] = ()) -> Any:
        return self._do(lambda connection: self._fetch(connection, query, values))

    def _run(self, query: str, values: tuple[Any, ...]) -> int:
        return self._do(lambda connection: int(connection.execute(self._sql(query), values).rowcount))

    def _fetch(self, connection: Any, query: str, values: tuple[Any, ...]) -> Any:
        row = connection.execute(self._sql(query), values).fetchone()
        return None if row is None else row[0]

    def _sql(self, query: str) -> Any:
        from psycopg.sql import SQL, Identifier

        return SQL(query).format(schema=Identifier(self._options.schema_name))

    def _do(self, work: Callable[[Any], T]) -> T:
        import psycopg

        try:
            return work(self._connected())
        except (psycopg.OperationalError, psycopg.InterfaceError) as error:
            self.close()
            raise Doubt(str(error).strip()) from error
        except psycopg.Error as error:
            raise ReconcileError(f"the database refuses: {str(error).strip()}", where=self.where) from error

    def _connected(self) -> Any:
        """The connection; a new one takes the lock again before anything else, or there is none."""
        import psycopg

        if self._connection is None:
            self._connection = psycopg.connect(**self._login, autocommit=True)
            if self._us is not None and not self._fetch(self._connection, TAKE, self._key):
                raise ReconcileError("the connection broke, and the lock with it; another run holds it now", where=self.where)
        return self._connection


def _login(options: PostgresOptions, environ: Mapping[str, str]) -> dict[str, Any]:
    """The connection's parameters: as given, encrypted and verified unless they say otherwise or stay on this machine."""
    try:
        from psycopg.conninfo import conninfo_to_dict
    except ImportError as error:
        raise ReconcileError("`backend: postgres` needs the extra postgres", hint="pip install 'reconcile[postgres]'") from error
    login: dict[str, Any] = dict(conninfo_to_dict(options.conn_str.get_secret_value()))
    host = str(login.get("host") or environ.get("PGHOST") or "")
    if "PGSSLMODE" not in environ and not (host in ("", "localhost", "127.0.0.1", "::1") or host.startswith("/")):
        login.setdefault("sslmode", "verify-full")
    defaults = {
        "connect_timeout": 10,
        "application_name": "reconcile",
        "keepalives_idle": 15,
        "keepalives_interval": 5,
        "keepalives_count": 3,
    }
    return {**defaults, **login}
