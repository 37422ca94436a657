"""PostgreSQL: the state as a row, open intents as rows. One connection holds an advisory lock and does every write, so that
a lost lock cannot write."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any, TypeVar

from pydantic import ValidationError

from reconcile.errors import ReconcileError
from reconcile.state.lock import Holder
from reconcile.state.options import PostgresOptions, resolved
from reconcile.state.place import Change, Doubt, Held, Place
from reconcile.state.rows import CREATE, INSERT, INTENTS, OPEN, ROW, SCHEMA, SETTLE, UPDATE, Row, Steps, steps

T = TypeVar("T")

NAMESPACE = "SELECT 1 FROM pg_catalog.pg_namespace WHERE nspname = %s"
TABLE = "SELECT 1 FROM pg_catalog.pg_tables WHERE schemaname = %s AND tablename = %s"
TAKE = "SELECT pg_catalog.pg_try_advisory_lock(%s, %s)"
LOCKED = """
FROM pg_catalog.pg_locks WHERE locktype = 'advisory' AND granted AND classid = %s::oid AND objid = %s::oid AND objsubid = 2
AND database = (SELECT oid FROM pg_catalog.pg_database WHERE datname = pg_catalog.current_database())
"""
PID = "SELECT pg_catalog.pg_backend_pid()"
OURS = f"SELECT pid {LOCKED} AND pid = pg_catalog.pg_backend_pid()"
BREAK = f"SELECT pg_catalog.pg_terminate_backend(pid) {LOCKED}"
ALIVE = """
SELECT pg_catalog.set_config(name, value, false) FROM (VALUES ('tcp_keepalives_idle', '15'), ('tcp_keepalives_interval', '5'),
    ('tcp_keepalives_count', '3'), ('tcp_user_timeout', '30000')) AS given (name, value)
WHERE name IN (SELECT name FROM pg_catalog.pg_settings)
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
        self._do(self._refuse_pooler)
        self._do(self._create)
        if not self._one(TAKE, self._key):
            raise Held(self._holder())
        if {self._one(OURS, self._key), self._one(OURS, self._key)} != {self._one(PID)}:
            self._one(BREAK, self._key)
            raise self._pooled()
        self._one(ALIVE)  # whoever loses its network, or is stopped with its machine, keeps the lock for half a minute only
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

    def load(self) -> Row | None:
        """The row and its intents, as of one moment."""
        return self._do(self._loaded)

    def save(self, change: Change) -> Row:
        """Write document and intents in one transaction, on the connection that holds the lock, only over that version."""
        needed = steps(change)
        self._do(lambda connection: self._write(connection, change, needed))
        return needed.row

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

    def _refuse_pooler(self, connection: Any) -> None:
        """While another connection is in a transaction it has a server process to itself: it must not be ours, and ours stay."""
        import psycopg

        ours = self._fetch(connection, PID)
        with suppress(psycopg.OperationalError), self._connect() as other, other.transaction():
            theirs = self._fetch(other, PID)
            if theirs == ours or self._fetch(connection, PID) != ours:
                raise self._pooled()

    def _pooled(self) -> ReconcileError:
        self.close()
        return ReconcileError(
            "the connection goes through a transaction pooler, where locks do not last",
            where=self.where,
            hint="connect to the server itself, or to a pool in session mode",
        )

    def _create(self, connection: Any) -> None:
        if self._there(connection, "intents") and self._there(connection, "holders"):
            return
        with connection.transaction():
            connection.execute("SELECT pg_catalog.pg_advisory_xact_lock(%s, %s)", (1_919_247_219, 0))
            if self._fetch(connection, NAMESPACE, (self._options.schema_name,)) is None:
                connection.execute(self._sql(SCHEMA))
            connection.execute(self._sql(CREATE))

    def _there(self, connection: Any, table: str) -> bool:
        return self._fetch(connection, TABLE, (self._options.schema_name, table)) is not None

    def _loaded(self, connection: Any) -> Row | None:
        with self._transaction(connection, "ISOLATION LEVEL REPEATABLE READ, READ ONLY"):
            if not self._there(connection, "states"):
                return None
            found = connection.execute(self._sql(ROW), (self._options.name,)).fetchone()
            beside = self._there(connection, "intents")  # not in a layout of before there were such rows
            intents = connection.execute(self._sql(INTENTS), (self._options.name,)).fetchall() if beside else []
        return None if found is None else Row(found[2].encode(), None, found[0], found[1], dict(intents))

    def _write(self, connection: Any, change: Change, needed: Steps) -> None:
        name, values = self._options.name, (change.now.lineage, change.now.serial, needed.document, self._options.name)
        with self._transaction(connection, "ISOLATION LEVEL READ COMMITTED, READ WRITE"):
            if self._fetch(connection, OURS, self._key) is None:
                raise ReconcileError("the lock is no longer ours", where=self.where, hint="nothing was written")
            query, over = (INSERT, ()) if change.over is None else (UPDATE, change.over.version)
            if connection.execute(self._sql(query), (*values, *over)).rowcount != 1:
                raise Doubt("another version is there")
            if needed.opened:
                connection.execute(self._sql(OPEN), (name, *needed.columns()))
            if needed.settled:
                connection.execute(self._sql(SETTLE), (name, needed.settled))

    @contextmanager
    def _transaction(self, connection: Any, mode: str) -> Iterator[None]:
        """All or nothing, and no name in it means anything but what the server itself calls so."""
        with connection.transaction():
            connection.execute(f"SET TRANSACTION {mode}")
            connection.execute("SET LOCAL search_path = pg_catalog")
            yield

    def _one(self, query: str, values: tuple[Any, ...] = ()) -> Any:
        return self._do(lambda connection: self._fetch(connection, query, values))

    def _run(self, query: str, values: tuple[Any, ...]) -> int:
        return self._do(lambda connection: int(connection.execute(self._sql(query), values).rowcount))

    def _fetch(self, connection: Any, query: str, values: tuple[Any, ...] = ()) -> Any:
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
        if self._connection is None:
            self._connection = self._connect()
            if self._us is not None:
                if not self._fetch(self._connection, TAKE, self._key):
                    raise ReconcileError("the connection broke, and the lock with it; another run holds it now", where=self.where)
                self._fetch(self._connection, ALIVE)
                self._connection.execute(self._sql(HOLD), (self._options.name, self._us.model_dump_json()))
        return self._connection

    def _connect(self) -> Any:
        import psycopg

        return psycopg.connect(**self._login, autocommit=True, prepare_threshold=None)


def _login(options: PostgresOptions, environ: Mapping[str, str]) -> dict[str, Any]:
    """The connection's parameters: as given, encrypted and verified unless they say otherwise or stay on this machine."""
    try:
        from psycopg.conninfo import conninfo_to_dict
    except ImportError as error:
        raise ReconcileError("`backend: postgres` needs the extra postgres", hint="pip install '.[postgres]'") from error
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
        "tcp_user_timeout": 30_000,
    }
    return {**defaults, **login}
