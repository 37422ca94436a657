"""State in PostgreSQL: the contract against a real server, broken connections, and transaction poolers."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from reconcile.errors import InputInvalid, ReconcileError, StateLocked
from reconcile.model.snapshot import Snapshot
from reconcile.state.codec import encode
from reconcile.state.place import Change, Place, Stored
from reconcile.state.postgres import PostgresBackend, postgres_place
from reconcile.state.rows import Row

from .remote_contract import RemoteContract
from .samples import last_run, opened, put
from .servers import postgres, wanted

psycopg = wanted("psycopg", "the extra postgres is not installed")


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    """One server for all tests of this file."""
    with postgres() as conn_str:
        yield conn_str


def options(folder: Path) -> dict[str, Any]:
    """One state for each test."""
    return {"conn_str": "${env.PG}", "name": f"{folder.parent.name}/{folder.name}"}


class TestPostgres(RemoteContract):
    """A row and an advisory lock."""

    lock_outlives_its_holder = False

    @pytest.fixture(autouse=True)
    def at(self, server: str) -> None:
        """The server."""
        type(self).server = server

    server: str

    def place_of(self, folder: Path) -> Place:
        """One name for each folder."""
        return postgres_place(options(folder), {"PG": self.server})

    def put_back(self, old: object) -> None:
        """Behind the tool's back."""
        assert isinstance(old, Snapshot)
        self.execute(
            "UPDATE reconcile.states SET content = %s, serial = %s WHERE name = %s",
            (encode(old).decode(), old.serial, options(self.folder)["name"]),
        )

    def stale(self, snapshot: Snapshot) -> Stored:
        """As its row."""
        return Row(encode(snapshot), None, str(snapshot.lineage), snapshot.serial)

    def execute(self, query: str, values: tuple[Any, ...] = ()) -> None:
        """As the database's owner."""
        with psycopg.connect(self.server, autocommit=True) as connection:
            connection.execute(query, values)

    def cut(self, before: int = 0) -> None:
        """End every connection of ours."""
        self.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'reconcile'")

    def test_a_killed_holders_lock_is_free_at_once(self) -> None:
        """The server frees it with the connection."""
        self.die_while_holding()
        started = time.monotonic()
        with self.elsewhere().session(operation="apply", timeout=10):
            assert time.monotonic() - started < 3

    def test_a_connection_that_breaks_is_mended_while_nobody_took_the_lock(self) -> None:
        """The lock is taken again before anything is written, and the serial says that nobody was there."""
        self.save(put(1))
        with self.store().session(operation="apply", timeout=0) as session:
            session.record([put(2), opened()])
            self.cut()
            session.publish()
            self.cut()
            saved = session.commit(stack="payments", last_run=last_run())
        assert (saved.serial, self.elsewhere().read()) == (3, saved)

    def test_a_connection_that_breaks_while_somebody_takes_the_lock_stops_the_run(self) -> None:
        """Nothing is published, nothing written over theirs."""
        self.save(put(1))
        with pytest.raises(ReconcileError, match="another run holds it now"):  # noqa: SIM117
            with self.store().session(operation="apply", timeout=0) as session:
                session.record([opened()])
                self.cut()
                with self.elsewhere().session(operation="apply", timeout=10):
                    session.publish()
        assert self.elsewhere().read().pending == {}

    @pytest.mark.parametrize("done", [True, False])
    def test_the_answer_to_a_write_lost_once_does_no_harm(self, done: bool, monkeypatch: pytest.MonkeyPatch) -> None:
        """The connection dies around the write: written once, whether it was done or not."""
        self.save(put(1))
        true = PostgresBackend.save
        calls: list[int] = []

        def save(backend: PostgresBackend, change: Change) -> Any:
            calls.append(1)
            if len(calls) > 1:
                return true(backend, change)
            if done:
                true(backend, change)
            self.cut()
            return backend._one("SELECT 1")

        monkeypatch.setattr(PostgresBackend, "save", save)
        saved = self.save(put(2))
        assert (saved.serial, self.elsewhere().read()) == (2, saved)
        assert len(calls) == (1 if done else 2)

    def test_a_transaction_pooler_is_refused(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Each statement on another connection: the lock is not where the writes are."""

        def another_each_time(backend: PostgresBackend) -> Any:
            backend.close()
            backend._connection = psycopg.connect(self.server, autocommit=True, application_name="reconcile")
            return backend._connection

        monkeypatch.setattr(PostgresBackend, "_connected", another_each_time)
        with pytest.raises(ReconcileError, match="transaction pooler"), self.store().session(operation="apply", timeout=0):
            pass

    def test_a_database_that_refuses_is_told_with_its_words(self) -> None:
        """Without the password."""
        place = postgres_place({**options(self.folder)}, {"PG": f"{self.server} password=canary".replace("postgres", "nowhere")})
        with pytest.raises(ReconcileError, match="nowhere") as caught:
            from reconcile.state.place import surely

            surely(place.connect().load, lambda seconds: None)
        assert "canary" not in str(caught.value) + repr(place) + repr(caught.value.__cause__)

    def test_two_states_of_one_schema_do_not_lock_each_other(self) -> None:
        """The name tells them apart."""
        other = postgres_place({**options(self.folder), "name": "another"}, {"PG": self.server}).connect()
        from reconcile.state.lock import Holder

        with self.store().session(operation="apply", timeout=0), pytest.raises(StateLocked):
            other.lock(Holder(id="a", who="b", since="c"))
            other.close()
            with self.elsewhere().session(operation="apply", timeout=0):
                pass


@pytest.mark.parametrize(
    ("given", "mode"),
    [
        ("host=db.example dbname=x", "verify-full"),
        ("host=db.example sslmode=require", "require"),
        ("host=127.0.0.1", None),
        ("host=/run/postgresql", None),
    ],
)
def test_beyond_this_machine_the_connection_is_verified(given: str, mode: str | None) -> None:
    """Unless the connection string says otherwise."""
    from reconcile.state.options import PostgresOptions
    from reconcile.state.postgres import _login

    login = _login(PostgresOptions.model_validate({"conn_str": given}, strict=False), {})
    assert login.get("sslmode") == mode


def test_a_literal_connection_string_is_refused() -> None:
    """It holds a password."""
    with pytest.raises(InputInvalid, match="1 error"):
        postgres_place({"conn_str": "host=x password=y"}, {})
