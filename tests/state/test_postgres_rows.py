"""Open intents as rows of PostgreSQL: written with the state in one transaction, only what changed, and read together with it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from reconcile.errors import ReconcileError, StateUnusable
from reconcile.model.facts import Opened
from reconcile.model.snapshot import Snapshot
from reconcile.state.codec import encode
from reconcile.state.lock import Holder
from reconcile.state.place import Change, Doubt
from reconcile.state.postgres import PostgresBackend, postgres_place
from reconcile.state.remote import RemoteStore

from .pooler import pooled
from .remote_contract import store_at
from .samples import VERSION, alarm, intent, last_run, opened, put, settled
from .servers import postgres, wanted

psycopg = wanted("psycopg", "the extra postgres is not installed")
US = Holder(id="ours", who="us", since="now")
OLD_LAYOUT = """
CREATE SCHEMA old;
CREATE TABLE old.states (name text PRIMARY KEY, lineage text NOT NULL, serial bigint NOT NULL, content text NOT NULL);
CREATE TABLE old.holders (name text PRIMARY KEY, holder text NOT NULL);
"""


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    """One server for all tests of this file."""
    with postgres() as conn_str:
        yield conn_str


class Desk:
    """A state of a test's own, and a look behind the tool's back."""

    def __init__(self, server: str, folder: Path, *, schema: str = "reconcile") -> None:
        self.server, self.folder, self.name, self.schema = server, folder, folder.name, schema
        options = {"conn_str": "${env.PG}", "name": self.name, "schema_name": schema}
        self.place = postgres_place(options, {"PG": server})
        self.count = 0

    def store(self) -> RemoteStore:
        """A machine that has none of our files."""
        self.count += 1
        return store_at(self.place, self.folder / str(self.count))

    def ask(self, query: str, *values: Any) -> list[tuple[Any, ...]]:
        """Straight from the tables."""
        with psycopg.connect(self.server, autocommit=True) as connection:
            done = connection.execute(query, values)
            return list(done.fetchall()) if done.description else []

    def rows(self) -> list[tuple[Any, ...]]:
        """The intents, with the version of each row."""
        columns = "id, op, phase, address, at, document, xmin::text"
        return self.ask(f"SELECT {columns} FROM {self.schema}.intents WHERE state = %s ORDER BY id", self.name)

    def document(self) -> tuple[dict[str, Any], int]:
        """The document as it lies there, and the serial beside it."""
        ((content, serial),) = self.ask(f"SELECT content, serial FROM {self.schema}.states WHERE name = %s", self.name)
        return json.loads(content), serial


@pytest.fixture
def desk(server: str, tmp_path: Path) -> Desk:
    """For one test."""
    return Desk(server, tmp_path)


def test_an_open_intent_is_a_row_that_people_can_read(desk: Desk) -> None:
    """Its columns say what it is about; the document of the state holds none."""
    with desk.store().session(operation="apply", timeout=0) as session:
        session.announce([opened("i1"), opened("i2")])
        rows = desk.rows()
        assert [row[:4] for row in rows] == [(id, "trigger", "opened", "handling.restart") for id in ("i1", "i2")]
        assert [round(row[4].timestamp() * 1000) for row in rows] == [8, 8]
        assert json.loads(rows[0][5]) == intent("i1").model_dump(mode="json")
        assert desk.document()[0]["pending"] == []
        session.record([settled("i1"), settled("i2"), put(1)])
        session.commit(stack="payments", last_run=last_run())
    assert desk.rows() == []


def test_only_what_changed_is_written(desk: Desk) -> None:
    """Of many open intents one is settled, one is in another phase, one is new: the others and the document are untouched."""
    with desk.store().session(operation="apply", timeout=0) as session:
        session.record([put(1), *[opened(f"i{n}") for n in range(10, 30)]])
        session.publish()
        before, document = {row[0]: row for row in desk.rows()}, desk.document()
        unknown = intent("i11").model_copy(update={"phase": "unknown", "why": "no answer"})
        session.record([settled("i10"), Opened(intent=unknown), opened("i30")])
        session.publish()
    after = {row[0]: row for row in desk.rows()}
    assert after.keys() == before.keys() - {"i10"} | {"i30"}
    assert {id for id in before.keys() & after.keys() if before[id] != after[id]} == {"i11"}
    assert (after["i11"][2], json.loads(after["i11"][5])["why"]) == ("unknown", "no answer")
    assert desk.document() == (document[0], document[1] + 1)
    assert desk.store().read() == replace(session.snapshot, serial=2)


def test_a_refused_write_leaves_no_intent_behind(desk: Desk) -> None:
    """Another version is there, or the lock is not ours: neither state nor intents change."""
    with desk.store().session(operation="apply", timeout=0) as session:
        session.record([put(1)])
        saved = session.commit(stack="payments", last_run=last_run())
    backend = desk.place.connect()
    backend.lock(US)
    there = backend.load()
    change = Change(replace(saved, serial=9, pending={"i1": intent()}), replace(there, serial=7), saved)  # type: ignore[type-var]
    with pytest.raises(Doubt):
        backend.save(change)
    assert isinstance(backend, PostgresBackend)
    backend._one("SELECT pg_advisory_unlock_all()::text")
    with pytest.raises(ReconcileError, match="no longer ours"):
        backend.save(replace(change, over=there))
    backend.close()
    assert (desk.rows(), desk.store().read()) == ([], saved)


def test_nobody_ever_sees_half_of_a_write(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """Before and after each statement of a write another machine sees all of the old version, or all of the new one; so a run
    that is killed between two of them leaves one or the other."""
    execute, looking, views = psycopg.Connection.execute, [False], list[tuple[int, set[str], set[str]]]()

    def look() -> None:
        there = desk.store().read()
        views.append((there.serial, set(there.resources), set(there.pending)))

    def watched(connection: Any, query: Any, *more: Any) -> Any:
        said = query if isinstance(query, str) else query.as_string(connection)
        if looking[0] or not said.lstrip().startswith(("INSERT", "UPDATE", "DELETE")):
            return execute(connection, query, *more)
        looking[0] = True
        look()
        done = execute(connection, query, *more)
        look()
        looking[0] = False
        return done

    with desk.store().session(operation="apply", timeout=0) as session:
        monkeypatch.setattr(psycopg.Connection, "execute", watched)
        session.announce([opened("i1"), opened("i2")])
        session.record([settled("i1"), opened("i3"), put(1)])
        session.commit(stack="payments", last_run=last_run())
        monkeypatch.undo()
    look()
    none: set[str] = set()
    first, second = (1, none, {"i1", "i2"}), (2, {"alarm.web-1"}, {"i2", "i3"})
    assert [view for number, view in enumerate(views) if view not in views[:number]] == [(0, none, none), first, second]
    assert len(views) == 2 * 5 + 1  # two statements for the first write, three for the second


def test_ten_thousand_intents_are_three_statements(desk: Desk) -> None:
    """Whatever the size of a wave: the row of the state, all new intents, all settled ones."""
    with desk.store().session(operation="apply", timeout=0) as session:
        said: list[str] = []
        execute = psycopg.Connection.execute

        def listening(connection: Any, query: Any, *more: Any) -> Any:
            said.append(query if isinstance(query, str) else query.as_string(connection))
            return execute(connection, query, *more)

        with pytest.MonkeyPatch.context() as patched:
            patched.setattr(psycopg.Connection, "execute", listening)
            session.announce([opened(f"i{n}") for n in range(10_000)])
            session.record([settled(f"i{n}") for n in range(9_000)])
            session.publish()
    assert [query.split()[0] for query in said if "reconcile" in query] == ["INSERT", "INSERT", "UPDATE", "DELETE"]
    assert len(desk.rows()) == 1_000


def test_a_state_of_the_layout_without_rows_loses_nothing(server: str, tmp_path: Path) -> None:
    """Its document holds the open intents: a plan sees them, the first write moves them into rows, the next ones settle them."""
    desk = Desk(server, tmp_path, schema="old")
    desk.ask(OLD_LAYOUT)
    resources = {"alarm.web-1": alarm(1)}
    old = Snapshot("payments", "L", 4, resources, {"i1": intent("i1"), "i2": intent("i2")}, last_run(), VERSION)
    desk.ask("INSERT INTO old.states VALUES (%s, 'L', 4, %s)", desk.name, encode(old).decode())
    assert desk.store().read() == old
    assert desk.ask("SELECT to_regclass('old.intents')") == [(None,)]  # a look changes nothing
    with desk.store().session(operation="apply", timeout=0) as session:
        assert session.snapshot == old
        session.record([opened("i3")])
        session.publish()
        assert [row[0] for row in desk.rows()] == ["i1", "i2", "i3"]
        assert desk.document()[0]["pending"] == []
        session.record([settled("i1")])
        session.commit(stack="payments", last_run=last_run())
    there = desk.store().read()
    assert (set(there.pending), there.resources, there.serial) == ({"i2", "i3"}, resources, 6)
    desk.ask("DROP SCHEMA old CASCADE")


def test_state_and_intents_are_read_as_of_one_moment(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """A write between the two looks of a read is not seen by half: that would be a state whose open intents are gone."""
    with desk.store().session(operation="apply", timeout=0) as session:
        session.announce([opened("i1")])
        between = [lambda: session.record([settled("i1"), put(1)]), lambda: session.publish()]
        there = PostgresBackend._there

        def and_then(backend: PostgresBackend, connection: Any, table: str) -> bool:
            if table == "intents":
                while between:
                    between.pop(0)()
            return there(backend, connection, table)

        monkeypatch.setattr(PostgresBackend, "_there", and_then)
        seen = desk.store().read()
    assert between == []
    assert (set(seen.resources), set(seen.pending), seen.serial) == (set(), {"i1"}, 1)
    assert (set(desk.store().read().resources), desk.store().read().serial) == ({"alarm.web-1"}, 2)


def test_intents_that_cannot_be_understood_are_refused(desk: Desk) -> None:
    """A later tool's, or somebody's edit: exit 1, nothing is changed."""
    with desk.store().session(operation="apply", timeout=0) as session:
        session.announce([opened("i1")])
    desk.ask("UPDATE reconcile.intents SET document = '{}' WHERE state = %s", desk.name)
    with pytest.raises(StateUnusable, match="does not understand"):
        desk.store().read()


def test_behind_a_real_transaction_pooler_the_lock_is_refused(desk: Desk) -> None:
    """Also while nobody else uses it, when one server connection is as good as our own; and no lock is left behind."""
    with pooled(desk.server) as through:
        behind = Desk(through, desk.folder)
        with pytest.raises(ReconcileError, match="transaction pooler"), behind.store().session(operation="apply", timeout=0):
            pass
        assert behind.store().read() == Snapshot()
    assert desk.ask("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'") == [(0,)]


def test_a_holder_that_lost_its_network_is_noticed_within_half_a_minute(desk: Desk) -> None:
    """The server asks whether it is still there, which a server does not do by itself for hours; also after a reconnect."""
    names = ("tcp_keepalives_idle", "tcp_keepalives_interval", "tcp_keepalives_count", "tcp_user_timeout")
    asked = "SELECT array_agg(setting ORDER BY array_position(%s, name)) FROM pg_settings WHERE name = ANY (%s)"
    backend = desk.place.connect()
    assert isinstance(backend, PostgresBackend)
    backend.lock(US)
    assert backend._one(asked, (list(names), list(names))) == ["15", "5", "3", "30000"]
    desk.ask("SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory'")
    with pytest.raises(Doubt):
        backend.load()
    assert backend._one(asked, (list(names), list(names))) == ["15", "5", "3", "30000"]
    backend.unlock(US.id)


def test_half_a_surrogate_pair_survives_in_a_row(desk: Desk) -> None:
    """A server may have sent one; only an escape can spell it."""
    odd = intent("i1").model_copy(update={"why": "half \ud83d and \x00"})
    with desk.store().session(operation="apply", timeout=0) as session:
        session.announce([Opened(intent=odd)])
    assert desk.store().read().pending == {"i1": odd}
