"""State in S3: the contract against a real server of that protocol, lost answers, and stores that ignore conditions."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from reconcile.errors import InputInvalid, ReconcileError, StateLocked
from reconcile.model.snapshot import Snapshot
from reconcile.state import s3
from reconcile.state.codec import encode
from reconcile.state.place import Doubt, Place
from reconcile.state.s3 import S3Backend, s3_place

from .remote_contract import RemoteContract, store_at
from .samples import last_run, opened, put
from .servers import s3_server, wanted

wanted("boto3", "the extra s3 is not installed")
wanted("moto.server", "moto's server is not installed")


@pytest.fixture(scope="module")
def endpoint() -> Iterator[str]:
    """One server for all tests of this file, with one bucket."""
    with s3_server() as url:
        yield url


@pytest.fixture(autouse=True)
def login(monkeypatch: pytest.MonkeyPatch) -> None:
    """As the AWS tools find it."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "a")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "b")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setattr(s3, "_client", one_client)


CLIENTS: dict[str | None, Any] = {}
TRUE_CLIENT = s3._client


def one_client(options: Any) -> Any:
    """The same for all tests of a server: to make one takes longer than to use it."""
    if options.endpoint not in CLIENTS:
        CLIENTS[options.endpoint] = TRUE_CLIENT(options)
    return CLIENTS[options.endpoint]


def bucket(endpoint: str, folder: Path) -> dict[str, Any]:
    """The options of a test's state."""
    return {
        "bucket": "states",
        "key": f"{folder.parent.name}/{folder.name}/state.json",
        "region": "us-east-1",
        "endpoint": endpoint,
        "path_style": True,
    }


class TestS3(RemoteContract):
    """An object and its lock."""

    kill_points = 3

    @pytest.fixture(autouse=True)
    def at(self, endpoint: str) -> None:
        """The server."""
        type(self).endpoint = endpoint

    endpoint: str

    def place_of(self, folder: Path) -> Place:
        """One key for each folder."""
        places = self.__dict__.setdefault("places", {})
        if folder not in places:
            places[folder] = s3_place(bucket(self.endpoint, folder), {})
        return places[folder]  # type: ignore[no-any-return]

    def put_back(self, old: object) -> None:
        """Without any condition."""
        assert isinstance(old, Snapshot)
        backend = self.place_of(self.folder).connect()
        backend._put(backend._options.key, encode(old))  # type: ignore[attr-defined]

    @pytest.mark.parametrize("operation", ["put_object", "delete_object", "get_object", "head_object"])
    @pytest.mark.parametrize("done", [True, False])
    def test_an_answer_lost_once_does_no_harm(self, operation: str, done: bool, monkeypatch: pytest.MonkeyPatch) -> None:
        """Each call of a run, in turn, is lost before or after it was done: the state is written once, the lock given back."""
        self.save(put(1))
        for number in range(1, 9):
            lose = Lose(operation, number, done)
            monkeypatch.setattr(S3Backend, "_call", lose.call)
            saved = self.save(put(2))
            monkeypatch.undo()
            self.restore_login(monkeypatch)
            assert (saved.serial, self.elsewhere().read()) == (number + 1, saved)
            assert self.place_of(self.folder).connect()._get(f"{bucket('', self.folder)['key']}.lock") is None  # type: ignore[attr-defined]
            if lose.seen < number:
                break

    def restore_login(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """What `undo` took away."""
        for name, value in (("ACCESS_KEY_ID", "a"), ("SECRET_ACCESS_KEY", "b"), ("EC2_METADATA_DISABLED", "true")):
            monkeypatch.setenv(f"AWS_{name}", value)

    def test_a_lock_object_that_was_removed_stops_the_run(self) -> None:
        """Before a wave and before the end we look whether the lock is ours."""
        self.save(put(1))
        with pytest.raises(ReconcileError, match="no longer ours"), self.store().session(operation="apply", timeout=0) as session:
            session.record([opened()])
            backend = self.place_of(self.folder).connect()
            backend._client.delete_object(Bucket="states", Key=bucket("", self.folder)["key"] + ".lock")  # type: ignore[attr-defined]
            session.publish()
        assert self.elsewhere().read().pending == {}

    def test_a_state_edited_by_hand_under_the_same_serial_is_not_overwritten(self) -> None:
        """The version's tag tells, also when somebody forgot to count."""
        self.save(put(1))
        backend = self.place_of(self.folder).connect()
        with pytest.raises(ReconcileError, match="somebody else"), self.store().session(operation="apply", timeout=0) as session:
            session.record([put(2)])
            there = backend.load()
            assert there is not None
            backend._put(backend._options.key, there.content.replace(b"full", b"void"))  # type: ignore[attr-defined]
            session.commit(stack="payments", last_run=last_run())
        assert b"void" in backend.load().content  # type: ignore[union-attr]

    def test_a_copy_of_the_same_state_under_another_tag_is_written_over(self) -> None:
        """As a bucket that was moved has it: nobody else wrote."""
        self.save(put(1))
        backend = self.place_of(self.folder).connect()
        with self.store().session(operation="apply", timeout=0) as session:
            session.record([put(2)])
            backend._put(backend._options.key, backend.load().content + b"\n")  # type: ignore[union-attr,attr-defined]
            saved = session.commit(stack="payments", last_run=last_run())
        assert self.elsewhere().read() == saved

    def test_a_lock_of_another_id_is_not_broken(self) -> None:
        """Who breaks a lock says which one they saw."""
        with self.store().session(operation="apply", timeout=0):
            with pytest.raises(ReconcileError, match="the lock is another one"):
                self.elsewhere().unlock("an-older-one")
            with pytest.raises(StateLocked), self.elsewhere().session(operation="apply", timeout=0):
                pass

    def test_a_missing_bucket_is_told(self) -> None:
        """With the server's word."""
        place = s3_place({**bucket(self.endpoint, self.folder), "bucket": "elsewhere"}, {})
        with pytest.raises(ReconcileError, match="NoSuchBucket"):
            place.connect().load()


TRUE_CALL = S3Backend._call


class Lose:
    """Loses the n-th answer of one operation, after or before it was done."""

    def __init__(self, operation: str, number: int, done: bool) -> None:
        self.operation, self.number, self.done, self.seen = operation, number, done, 0

    @property
    def call(self) -> Any:
        """In place of the true method."""
        lose = self

        def call(backend: S3Backend, operation: Any, **arguments: Any) -> Any:
            lose.seen += operation.__name__ == lose.operation
            if operation.__name__ != lose.operation or lose.seen != lose.number:
                return TRUE_CALL(backend, operation, **arguments)
            lose.seen += 1
            if lose.done:
                TRUE_CALL(backend, operation, **arguments)
            raise Doubt("the answer is lost")

        return call


@pytest.mark.parametrize("ignored", [("IfNoneMatch", "IfMatch"), ("IfNoneMatch",), ("IfMatch",)])
def test_a_store_that_ignores_conditions_is_refused(
    endpoint: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, ignored: tuple[str, ...]
) -> None:
    """There every lock succeeds, or every write: two runs at once would both be the only one."""

    def unconditional(backend: S3Backend, operation: Any, **arguments: Any) -> Any:
        return TRUE_CALL(backend, operation, **{k: v for k, v in arguments.items() if k not in ignored})

    place = s3_place(bucket(endpoint, tmp_path), {})
    monkeypatch.setattr(S3Backend, "_call", unconditional)
    with pytest.raises(ReconcileError, match="does not heed conditional writes"):
        place.connect().lock(_nobody())
    assert place.connect().load() is None


@pytest.mark.parametrize("operation", ["put_object", "delete_object"])
def test_a_store_that_knows_no_conditions_is_refused_unless_only_for_deletions(
    endpoint: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, operation: str
) -> None:
    """Some answer 501: on a write there is no lock; on a deletion we have seen before whose lock it is."""
    from botocore.exceptions import ClientError

    backend = s3_place(bucket(endpoint, tmp_path), {}).connect()
    assert isinstance(backend, S3Backend)
    true = getattr(backend._client, operation)

    def unknown(**arguments: Any) -> Any:
        if arguments.keys() & {"IfMatch", "IfNoneMatch"}:
            answer: Any = {"Error": {"Code": "NotImplemented"}, "ResponseMetadata": {"HTTPStatusCode": 501}}
            raise ClientError(answer, operation)
        return true(**arguments)

    unknown.__name__ = operation
    monkeypatch.setattr(backend._client, operation, unknown)
    us = _nobody()
    if operation == "put_object":
        with pytest.raises(ReconcileError, match="does not heed conditional writes"):
            backend.lock(us)
    else:
        backend.lock(us)
        backend.unlock(us.id)
        backend.lock(_nobody())
        backend.unlock(us.id)
    assert backend._get(f"{bucket('', tmp_path)['key']}.lock") is None


def test_a_store_that_is_busy_while_it_is_probed_is_asked_again(
    endpoint: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A conflict that nobody caused is no verdict."""
    busy = ["put_object", "delete_object"]

    def call(backend: S3Backend, operation: Any, **arguments: Any) -> Any:
        if operation.__name__ in busy:
            busy.remove(operation.__name__)
            raise s3.Unmet("OperationAborted")
        return TRUE_CALL(backend, operation, **arguments)

    monkeypatch.setattr(S3Backend, "_call", call)
    with store_at(s3_place(bucket(endpoint, tmp_path), {}), tmp_path).session(operation="apply", timeout=0):
        assert busy == []


def _nobody() -> Any:
    from reconcile.state.lock import Holder

    return Holder(id="x", who="nobody", since="now")


def test_a_key_of_the_options_that_is_not_known_is_told() -> None:
    """With the closest one."""
    with pytest.raises(InputInvalid) as caught:
        s3_place({"bukket": "x", "key": "y"}, {})
    assert caught.value.problems[0].hint == "did you mean `bucket`?"


def test_the_same_name_in_two_stores_is_two_places() -> None:
    """A state may move from one to the other, and each has a journal of its own on this machine."""
    given = {"bucket": "b", "key": "k.json"}
    names = {
        s3_place({**given, **more}, {}).where
        for more in ({}, {"endpoint": "https://a.example"}, {"endpoint": "https://b.example"})
    }
    assert names == {"s3://b/k.json", "s3://b/k.json at https://a.example", "s3://b/k.json at https://b.example"}


def test_nothing_is_kept_without_a_commit(endpoint: str, tmp_path: Path) -> None:
    """A probe leaves no object behind."""
    place = s3_place(bucket(endpoint, tmp_path), {})
    backend = place.connect()
    us = _nobody()
    backend.lock(us)
    backend.unlock(us.id)
    keys = backend._client.list_objects_v2(Bucket="states", Prefix=f"{tmp_path.parent.name}/{tmp_path.name}/")  # type: ignore[attr-defined]
    assert keys["KeyCount"] == 0
    assert last_run().command == "apply"
