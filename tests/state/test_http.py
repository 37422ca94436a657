"""State over HTTP: the contract on a plain server, on one with GitLab's habits and one with Gitea's, every answer lost once."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from pathlib import Path

import pytest

from reconcile.errors import InputInvalid, ReconcileError, SecretMissing, StateLocked
from reconcile.model.config import StateConfig
from reconcile.model.snapshot import Snapshot
from reconcile.state.codec import encode
from reconcile.state.http import HttpBackend, http_place
from reconcile.state.open import open_store
from reconcile.state.place import AGAIN, Change, Doubt, Place, Stored

from .http_server import StateServer, serving
from .remote_contract import RemoteContract, store_at
from .samples import VERSION, StillClock, last_run, opened, put


class TestPlainServer(RemoteContract):
    """Lock methods LOCK and UNLOCK, 423 when held."""

    gitlab = False
    gitea = False
    options: dict[str, str] = {}  # noqa: RUF012

    @pytest.fixture(autouse=True)
    def serve(self) -> Iterator[None]:
        """One server for each test."""
        with serving(gitlab=self.gitlab, gitea=self.gitea) as server:
            type(self).server = server
            yield

    server: StateServer

    def address(self, folder: Path) -> str:
        """The state of this folder."""
        return f"{self.server.url}/{folder.name}"

    def place_of(self, folder: Path) -> Place:
        """On the server, by the folder's name."""
        address = self.address(folder)
        return http_place({"address": address, "lock_address": f"{address}/lock", **self.options}, {})

    def put_back(self, old: object) -> None:
        """Straight into the server's memory."""
        assert isinstance(old, Snapshot)
        self.server.states[f"/{self.folder.name}"].content = encode(old)

    @pytest.mark.parametrize("fault", ["lost", "500 after", "500 before", "503", "429", "short"])
    @pytest.mark.parametrize("step", ["GET", "LOCK", "POST", "UNLOCK"])
    def test_an_answer_lost_once_does_no_harm(self, step: str, fault: str) -> None:
        """Whether it was done or not, we find out: done once, lock given back, exit 0."""
        self.save(put(1))
        method = {"LOCK": self.options.get("lock_method"), "UNLOCK": self.options.get("unlock_method")}.get(step) or step
        self.server.faults[method] = [fault]
        saved = self.save(put(2))
        assert saved.serial == 2
        assert self.elsewhere().read() == saved
        assert self.server.states[f"/{self.folder.name}"].lock is None
        assert not list((self.folder / "here" / "state").glob("*errored*"))

    def test_a_state_that_was_altered_on_its_way_is_not_believed(self) -> None:
        """A digest that came with it tells: it is read again, and one that stays wrong is an error."""
        saved = self.save(put(1))
        self.server.faults["GET"] = ["altered"]
        assert self.elsewhere().read() == saved
        self.server.faults["GET"] = ["altered"] * 9
        with pytest.raises(ReconcileError, match="does not match the digest"):
            self.elsewhere().read()

    def test_where_nobody_says_who_holds_the_lock_our_own_id_is_told_after_a_lost_answer(self) -> None:
        """Else nobody could ever break a lock that is our own."""
        self.server.nameless = True
        self.server.faults[self.options.get("lock_method", "LOCK")] = ["lost"]
        with pytest.raises(StateLocked) as caught, self.store().session(operation="apply", timeout=0):
            pass
        kept = (self.server.states[f"/{self.folder.name}"].lock or {})["ID"]
        assert kept in (caught.value.hint or "") and "left no name" in caught.value.message
        with pytest.raises(StateLocked) as caught, self.store().session(operation="apply", timeout=0):
            pass
        assert kept not in (caught.value.hint or "")
        self.store().unlock(kept)
        assert self.save(put(1)).serial == 1

    def test_the_lock_id_goes_with_every_write_and_stands_in_the_query_of_an_unlock(self) -> None:
        """Some proxies drop the body of a DELETE, and without an id GitLab breaks any lock."""
        self.save(put(1))
        writes = {path for method, path, _ in self.server.log if method == "POST" and not path.endswith("/lock")}
        unlocks = {path for method, path, _ in self.server.log if method in ("UNLOCK", "DELETE")}
        assert len(unlocks) == 1 and all("?ID=" in path for path in writes | unlocks)

    def test_a_server_that_stays_away_is_an_error_and_loses_nothing(self) -> None:
        """The final write fails for good: exit 1, a dump, and the next run takes it over."""
        self.save(put(1))
        with pytest.raises(ReconcileError) as caught, self.store().session(operation="apply", timeout=0) as session:
            session.record([put(2), opened()])
            self.server.faults["POST"] = ["503"] * 9
            session.commit(stack="payments", last_run=last_run())
        assert "503" in caught.value.message and "errored.state.json" in (caught.value.hint or "")
        self.server.faults.clear()
        self.server.states[f"/{self.folder.name}"].lock = None
        after = self.save(put(3))
        assert (set(after.resources), set(after.pending)) == ({f"alarm.web-{n}" for n in (1, 2, 3)}, {"i1"})
        assert self.elsewhere().read() == after
        assert not list((self.folder / "here" / "state").glob("*errored*"))

    @pytest.mark.parametrize("status", ["302", "307", "401", "403", "413", "400"])
    def test_a_refusal_is_told_with_the_servers_words(self, status: str) -> None:
        """And a redirect is never followed."""
        self.server.faults["GET"] = [status]
        with pytest.raises(ReconcileError, match=f"{status} as ordered"):
            self.store().read()

    def test_credentials_go_as_basic_login_and_are_never_shown(self) -> None:
        """Wrong ones are told with a hint, without their text."""
        self.server.login = "Basic " + base64.b64encode(b"bot:canary-1").decode()
        options = {"address": self.address(self.folder), "username": "bot", "password": "${env.STATE_PASSWORD}"}
        good = http_place(options, {"STATE_PASSWORD": "canary-1"})
        assert good.connect().load() is None
        with pytest.raises(ReconcileError) as caught:
            http_place(options, {"STATE_PASSWORD": "canary-2"}).connect().load()
        assert "401" in caught.value.message and "TF_HTTP_PASSWORD" in (caught.value.hint or "")
        assert "canary" not in repr(caught.value) + str(caught.value.__dict__) + repr(good) + repr(good.connect().__dict__)

    def test_a_state_without_a_lock_address_is_written_without_a_lock(self) -> None:
        """As Terraform does; what somebody else wrote in between is still seen."""
        place = http_place({"address": self.address(self.folder)}, {})
        backend = place.connect()
        first, second, third = (Snapshot(lineage="a", serial=serial) for serial in (1, 2, 3))
        stored = backend.save(Change(first))
        assert backend.load() == stored
        for over in (None, Stored(encode(second))):
            with pytest.raises(Doubt):
                backend.save(Change(third, over))
        assert backend.load() == stored


class TestGitlab(TestPlainServer):
    """POST and DELETE as lock methods, 409 with our own fields mixed in, a serial is taken once."""

    gitlab = True
    options = {"lock_method": "POST", "unlock_method": "DELETE"}  # noqa: RUF012

    def test_a_second_run_is_refused_and_told_who_holds_the_lock(self) -> None:
        """Only the holder's id, name and time are the holder's."""
        with (
            self.store().session(operation="renew", timeout=0),
            pytest.raises(StateLocked) as caught,
            self.elsewhere().session(operation="apply", timeout=0),
        ):
            pass
        assert "alice@" in caught.value.message and "2026-11-20T08:00:00Z" in caught.value.message
        assert "apply" not in caught.value.message and "pid" not in caught.value.message

    def test_an_answer_lost_once_does_no_harm(self, step: str = "POST", fault: str = "lost") -> None:
        """POST is lock and write here: each is lost once."""
        self.save(put(1))
        for faults in (["lost"], ["", "lost"], ["", "500 after"], ["", "twice"]):
            self.server.faults["POST"] = list(faults)
            saved = self.save(put(2))
            assert self.elsewhere().read() == saved
        assert saved.serial == 5

    @pytest.mark.parametrize("fault", ["lost", "500 after", "500 before", "twice"])
    def test_a_lock_that_was_given_back_already_is_no_error(self, fault: str) -> None:
        """There 409 is the answer to a second try, with nothing in it; somebody else's lock is not to be broken so."""
        self.server.faults["DELETE"] = [fault]
        saved = self.save(put(1))
        assert (self.elsewhere().read(), self.server.states[f"/{self.folder.name}"].lock) == (saved, None)
        with self.store().session(operation="apply", timeout=0), pytest.raises(ReconcileError, match="refuses to unlock"):
            self.elsewhere().unlock("not-this-one")

    def test_a_server_that_stays_away_is_an_error_and_loses_nothing(self) -> None:
        """Covered on the plain server: here POST is the lock too."""


class TestGitea(TestGitlab):
    """The same methods; 423 with the holder's own words, 201 for a write, 409 for a serial that is there."""

    gitlab, gitea = False, True
    test_a_second_run_is_refused_and_told_who_holds_the_lock = (
        RemoteContract.test_a_second_run_is_refused_and_told_who_holds_the_lock
    )


@pytest.mark.parametrize(
    ("options", "environ", "words"),
    [
        ({"address": "http://state.example/x"}, {}, "not encrypted"),
        ({"address": "https://me:secret@state.example/x"}, {}, "holds credentials"),
        ({"address": "ftp://state.example/x"}, {}, "no http"),
        ({"address": "https://state.example/x", "password": "literal"}, {}, "literal credential"),
        ({"address": "https://state.example/x", "adress": "y"}, {}, "not a key"),
        ({}, {}, "`state.address`: Field required"),
        ({"address": "https://state.example/${var.x}"}, {}, "only `${env.NAME}`"),
    ],
)
def test_wrong_options_are_told_before_anything_is_sent(options: dict[str, str], environ: dict[str, str], words: str) -> None:
    """Exit 10."""
    with pytest.raises(InputInvalid) as caught:
        http_place(options, environ).connect()
    assert words in f"{caught.value.problems[0].what}: {caught.value.problems[0].hint}"
    assert "secret" not in caught.value.problems[0].what.replace("holds credentials", "")


@pytest.mark.parametrize(
    ("environ", "waits"),
    [
        ({}, AGAIN),
        ({"TF_HTTP_RETRY_MAX": "0"}, ()),
        ({"TF_HTTP_RETRY_MAX": "3", "TF_HTTP_RETRY_WAIT_MIN": "2", "TF_HTTP_RETRY_WAIT_MAX": "5"}, (2, 4, 5)),
    ],
)
def test_how_often_it_is_tried_again_is_as_terraforms_variables_say(environ: dict[str, str], waits: tuple[float, ...]) -> None:
    """And as ever where they are silent."""
    assert http_place({"address": "https://state.example/x"}, environ).again == waits


def test_a_place_that_is_to_be_tried_once_is_tried_once(tmp_path: Path) -> None:
    """Reading and writing alike."""
    with serving() as server:
        place = http_place({"address": f"{server.url}/s"}, {"TF_HTTP_RETRY_MAX": "0"})
        server.faults["GET"] = ["503"]
        with pytest.raises(ReconcileError, match="503"):
            store_at(place, tmp_path).read()
        with pytest.raises(ReconcileError, match="503"), store_at(place, tmp_path).session(operation="x", timeout=0) as session:
            session.record([put(1)])
            server.faults["POST"] = ["503"]
            session.publish()
        assert [row[0] for row in server.log] == ["GET", "GET", "GET", "POST", "GET"]


def test_two_states_told_apart_by_a_query_are_two_places(tmp_path: Path) -> None:
    """Each has a journal of its own on this machine; what the query says is not shown."""
    first, again, second = (http_place({"address": f"https://state.example/?state={name}"}, {}).where for name in "aab")
    assert first == again != second
    assert first.startswith("https://state.example/?…") and "state=" not in first


def test_headers_go_with_each_request_and_are_never_shown() -> None:
    """One that says that it is a credential stands in a variable; others may stand in the config."""
    options = {"address": "http://127.0.0.1:9", "headers": {"PRIVATE-TOKEN": "${env.T}", "X-Team": "core"}}
    backend = http_place(options, {"T": "canary"}).connect()
    assert isinstance(backend, HttpBackend)
    assert backend._wire._headers == {"PRIVATE-TOKEN": "canary", "X-Team": "core"}
    assert "canary" not in repr(backend._options)
    with pytest.raises(InputInvalid) as caught:
        http_place({**options, "headers": {"X-Api-Key": "literal"}}, {})
    assert caught.value.problems[0].what == "`state.headers.X-Api-Key` is a literal credential"


def test_certificates_are_always_verified() -> None:
    """Terraform's switch for the opposite is refused, and the way out is named."""
    with pytest.raises(InputInvalid) as caught:
        http_place({"address": "https://state.example/x"}, {"TF_HTTP_SKIP_CERT_VERIFICATION": "true"})
    assert "always verified" in caught.value.problems[0].what and "ca_file" in (caught.value.problems[0].hint or "")
    assert http_place({"address": "https://state.example/x"}, {"TF_HTTP_SKIP_CERT_VERIFICATION": "false"})


def test_a_variable_that_is_not_set_is_named() -> None:
    """Exit 10, with its name."""
    with pytest.raises(SecretMissing, match=r"needs the variable STATE_URL"):
        http_place({"address": "${env.STATE_URL}"}, {})


def test_terraforms_variables_are_honoured(tmp_path: Path) -> None:
    """A pipeline that was set up for Terraform works as it is."""
    with serving(gitlab=True) as server:
        environ = {
            "TF_HTTP_ADDRESS": f"{server.url}/s",
            "TF_HTTP_LOCK_ADDRESS": f"{server.url}/s/lock",
            "TF_HTTP_UNLOCK_ADDRESS": f"{server.url}/s/lock",
            "TF_HTTP_LOCK_METHOD": "POST",
            "TF_HTTP_UNLOCK_METHOD": "DELETE",
            "TF_HTTP_USERNAME": "bot",
            "TF_HTTP_PASSWORD": "p",
        }
        server.login = "Basic " + base64.b64encode(b"bot:p").decode()
        store = open_store(StateConfig(backend="http"), tmp_path, environ=environ, clock=StillClock(), tool_version=VERSION)
        assert store.where == f"{server.url}/s"
        with store.session(operation="apply", timeout=0) as session:
            session.record([put(1)])
            session.commit(stack="payments", last_run=last_run())
        assert set(store.read().resources) == {"alarm.web-1"}
        assert [(method, status) for method, _, status in server.log[:4]] == [
            ("POST", 200),
            ("GET", 404),
            ("GET", 404),
            ("POST", 200),
        ]


@pytest.mark.parametrize(
    ("config", "where"),
    [
        (StateConfig(backend="s3", options={"bucket": "b", "key": "prod.json"}), "s3://b/prod.json"),
        (
            StateConfig(backend="postgres", options={"conn_str": "${env.PG}", "name": "prod"}),
            "postgres db.example:5432/x reconcile.prod",
        ),
    ],
)
def test_each_remote_place_is_opened_from_the_config_without_being_touched(
    config: StateConfig, where: str, tmp_path: Path
) -> None:
    """Nothing is sent, nothing is written, and no password is shown."""
    environ = {"PG": "host=db.example dbname=x password=canary"}
    store = open_store(config, tmp_path, environ=environ, clock=StillClock(), tool_version=VERSION)
    assert store.where == where
    assert list(tmp_path.iterdir()) == []
    assert "canary" not in repr(store) + repr(store._connect)
