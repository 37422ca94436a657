"""What every remote place promises beyond the contract of all stores: nothing lost, nothing doubled, whoever wrote in between."""

from __future__ import annotations

import json
import os
import signal
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from reconcile.errors import CommandLineWrong, ReconcileError, StateLocked, StateUnusable
from reconcile.model.facts import Put
from reconcile.model.snapshot import Snapshot
from reconcile.state.exchange import export, import_, migrate
from reconcile.state.lock import Holder
from reconcile.state.place import Change, Doubt, Place, Stored
from reconcile.state.remote import RemoteStore

from .checks import killed
from .disks import Counted, Killing
from .samples import VERSION, StillClock, alarm, intent, last_run, local, opened, put, settled
from .store_contract import StoreContract
from .workload import LIFE


class Told:
    """A place that tells a watched disk's listener of each call."""

    def __init__(self, backend: Any, listener: Counted) -> None:
        self._backend, self._listener = backend, listener
        self.where = backend.where

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._backend, name)
        if name not in ("lock", "unlock", "load", "save"):
            return method

        def call(*arguments: Any) -> Any:
            self._listener.before(name, *arguments)
            result = method(*arguments)
            self._listener.after(name, *arguments, result=result)
            return result

        return call


def store_at(place: Place, folder: Path, *, name: str = "here", seconds: Callable[[], float] = time.monotonic) -> RemoteStore:
    """The store over a place, as a machine of this name opens it, with its own files in this folder."""
    return RemoteStore(
        place,
        desk=folder / "state" / "remote",
        tool_version=VERSION,
        clock=StillClock(),
        entropy=lambda: f"lineage-of-{name}",
        environ={"USER": "alice"},
        sleep=lambda seconds: None if seconds >= 0.5 else threading.Event().wait(seconds) and None,
        seconds=seconds,
    )


class RemoteContract(StoreContract):
    """A subclass says how to get to the place of a test; machines differ by the folder of their own files."""

    lock_outlives_its_holder = True

    def place_of(self, folder: Path) -> Place:
        """The place of this test, told apart by its folder."""
        raise AssertionError("a subclass says how")

    def machine(self, name: str) -> RemoteStore:
        """The store as a machine of this name opens it."""
        return store_at(self.place_of(self.folder), self.folder / name, name=name)

    def store(self) -> RemoteStore:
        """This machine."""
        return self.machine("here")

    def elsewhere(self) -> RemoteStore:
        """A machine that never saw this state."""
        number = len(list(self.folder.glob("machine-*")))
        (self.folder / f"machine-{number}").mkdir(parents=True)
        return self.machine(f"machine-{number}")

    def test_a_run_that_died_is_settled_on_another_machine(self) -> None:
        """Its disk is gone: what was published is there, the lock can be broken by its id, and the next run goes on."""
        self.die_while_holding()
        other = self.elsewhere()
        if self.lock_outlives_its_holder:
            self.break_the_lock()
        with other.session(operation="apply", timeout=0) as again:
            assert (set(again.snapshot.resources), dict(again.snapshot.pending)) == ({"alarm.web-1"}, {"i1": intent()})
            again.record([settled()])
            again.commit(stack="payments", last_run=last_run())
        assert self.elsewhere().read().pending == {}

    def die_while_holding(self) -> None:
        """kill -9 a run between a publish and its end."""
        child = os.fork()
        if child == 0:
            try:
                with self.store().session(operation="apply", timeout=0) as session:
                    session.record([put(1), opened()])
                    session.publish()
                    session.record([put(2)])
                    os.kill(os.getpid(), signal.SIGKILL)
            finally:
                os._exit(1)
        assert os.waitpid(child, 0)[1] == signal.SIGKILL

    def test_somebody_who_wrote_in_between_is_never_overwritten(self) -> None:
        """The lock was broken and another run went on: our write is refused, ours is dumped, theirs stays."""
        self.save(put(1))
        with pytest.raises(ReconcileError) as caught, self.store().session(operation="apply", timeout=0) as session:
            session.record([put(2)])
            self.break_the_lock()
            with self.elsewhere().session(operation="apply", timeout=0) as theirs:
                theirs.record([put(3)])
                theirs.commit(stack="payments", last_run=last_run())
            session.commit(stack="payments", last_run=last_run())
        assert set(self.elsewhere().read().resources) == {"alarm.web-1", "alarm.web-3"}
        dump = self.folder / "here" / "state" / "remote.errored.state.json"
        assert str(dump) in (caught.value.hint or "")
        assert "alarm.web-2" in json.loads(dump.read_bytes())["resources"]

    def test_a_run_whose_lock_was_broken_may_not_publish(self) -> None:
        """Nothing is triggered without a lock: publishing is what comes before it."""
        self.save(put(1))
        with pytest.raises(ReconcileError), self.store().session(operation="apply", timeout=0) as session:
            self.break_the_lock()
            with self.elsewhere().session(operation="apply", timeout=0):
                session.record([opened()])
                session.publish()
        assert self.elsewhere().read().pending == {}

    def break_the_lock(self) -> None:
        """As a person would who takes the holder for dead."""
        other = self.elsewhere()
        with pytest.raises(StateLocked) as caught, other.session(operation="apply", timeout=0):
            pass
        other.unlock(caught.value.message.split("lock id ")[1].split(")")[0].split(",")[0])

    def test_breaking_a_lock_wants_its_id(self) -> None:
        """Nobody breaks a lock that is not the one they saw."""
        with pytest.raises(CommandLineWrong):
            self.store().unlock(None)

    def test_a_journal_of_this_machine_that_others_went_past_is_left_behind(self) -> None:
        """Another machine wrote after we died here: its state counts."""
        self.save(put(1))
        with self.store().session(operation="apply", timeout=0) as session:
            session.record([put(2)])
        with self.elsewhere().session(operation="apply", timeout=0) as theirs:
            theirs.record([put(3)])
            theirs.commit(stack="payments", last_run=last_run())
        assert set(self.store().read().resources) == {"alarm.web-1", "alarm.web-3"}

    def test_a_state_put_back_at_the_place_is_noticed(self) -> None:
        """The journal here knows of a later one."""
        old = self.save(put(1))
        self.save(put(2))
        with self.store().session(operation="apply", timeout=0) as session:
            session.record([put(3)])
        self.put_back(old)
        with pytest.raises(StateUnusable, match="was put back"):
            self.store().read()

    def put_back(self, old: object) -> None:
        """Bring an older version back behind the tool's back."""
        pytest.skip("a subclass says how")

    def test_a_state_moves_here_from_a_local_file_and_back_without_loss(self) -> None:
        """Open intents and what only the journal holds come along; a place that has another state refuses."""
        file = local(self.folder / "local" / "default.json")
        with file.session(operation="apply", timeout=0) as session:
            session.record([put(1), put(2)])
            session.commit(stack="payments", last_run=last_run())
            session.record([opened()])
        moved = migrate(file, self.store(), tool_version=VERSION)
        assert replace(moved, tool_version=None) == replace(file.read(), tool_version=None)
        assert self.elsewhere().read() == moved
        back = local(self.folder / "back" / "default.json")
        assert migrate(self.elsewhere(), back, tool_version=VERSION) == back.read() == moved
        with back.session(operation="apply", timeout=0) as session:
            session.record([put(3)])
        with pytest.raises(StateUnusable, match="same serial"):
            migrate(back, self.store(), tool_version=VERSION)

    def test_a_state_pushed_by_force_leaves_the_one_it_replaced_on_this_machine(self) -> None:
        """Who overrules the checks can go back."""
        now = self.save(put(1))
        with self.store().session(operation="state push", timeout=0) as session:
            import_(session, export(replace(now, lineage="foreign")), where="-", tool_version=VERSION, force=True)
        assert (self.folder / "here" / "state" / "remote.backup").read_bytes() == export(now)

    def test_a_version_that_is_not_the_one_we_saw_is_never_written_over(self) -> None:
        """The place itself refuses, also while the lock is ours."""
        saved = self.save(put(1))
        backend = self.place_of(self.folder).connect()
        us = Holder(id="ours", who="us", since="now")
        backend.lock(us)
        for over in (None, self.stale(replace(saved, serial=9)), self.stale(replace(saved, lineage="theirs"))):
            with pytest.raises(Doubt):
                backend.save(Change(replace(saved, lineage="theirs", serial=2), over))
        backend.unlock(us.id)
        backend.close()
        assert self.elsewhere().read() == saved

    def stale(self, snapshot: Snapshot) -> Stored:
        """This state as the place would have it, under a tag that it never gave."""
        return Stored(export(snapshot), '"0123456789abcdef0123456789abcdef"')

    def test_kill_9_at_some_moment_loses_nothing_acknowledged(self) -> None:
        """At operations on this disk and on the place alike, before and after: the same machine has everything that was
        acknowledged, another one everything that was published, and the next run goes on.
        """
        self.kill_at(self.kill_points)

    @pytest.mark.full
    def test_kill_9_at_any_moment_loses_nothing_acknowledged(self) -> None:
        """At very many of them."""
        self.kill_at(self.kill_points * 10)

    def kill_at(self, points: int) -> None:
        """So many points, spread over a life."""
        root, dry = self.folder, Counted()
        self.folder = root / "dry"
        LIFE.live(self.killed_store(dry), lambda word: None)
        step = max(1, len(dry.names) * 2 // points)
        for number, moment in [(n + 1, m) for n in range(len(dry.names)) for m in ("before", "after")][::step]:
            self.folder = root / f"{number}-{moment}"
            begun, done = killed(lambda tell, n=number, m=moment: LIFE.live(self.killed_store(Killing(n, m)), tell))
            here, there = self.store().read(), self.elsewhere().read()
            assert LIFE.wrong_with(here, begun=begun, done=done) is None, f"{moment} {number} {dry.names[number - 1]}"
            shared = max((n + 1 for n, step in enumerate(LIFE.steps[:done]) if step in ("publish", "commit")), default=0)
            assert (dict(there.resources), dict(there.pending)) in LIFE.after()[shared : begun + 1]
            self.free_the_lock()
            after = self.save(put(99))
            assert self.elsewhere().read() == after
            assert {**here.resources, "alarm.web-99": alarm(99, "full")} == after.resources

    kill_points = 10

    def killed_store(self, killer: Counted) -> RemoteStore:
        """This machine's store, with every operation on disk and place told to `killer`."""
        place = self.place_of(self.folder)
        told = Place(place.where, lambda: Told(place.connect(), killer))
        return RemoteStore(
            told,
            desk=self.folder / "here" / "state" / "remote",
            tool_version=VERSION,
            clock=StillClock(),
            entropy=lambda: "lineage-of-here",
            environ={"USER": "alice"},
            files=killer,
        )

    def free_the_lock(self) -> None:
        """Break a lock that outlived its holder."""
        try:
            with self.elsewhere().session(operation="apply", timeout=0 if self.lock_outlives_its_holder else 5):
                pass
        except StateLocked:
            self.break_the_lock()

    def test_the_place_keeps_older_versions_not_we(self) -> None:
        """History shows what is there; a restore says how."""
        assert self.store().history() == []
        self.save(put(1))
        assert [(one.serial, one.resources, one.place) for one in self.store().history()] == [(1, 1, self.store().where)]
        with pytest.raises(ReconcileError, match="serial 1 is not kept here"):
            self.store().restore(1, last_run=last_run())

    def test_writes_are_bounded_by_waves_not_by_alarms(self) -> None:
        """One before each wave, one at the end."""
        with self.store().session(operation="apply", timeout=0) as session:
            for number in range(200):
                session.record([put(number)])
            session.publish()
            for number in range(200):
                session.record([put(number, "again")])
            saved = session.commit(stack="payments", last_run=last_run())
        assert saved.serial == 2

    def test_what_is_announced_is_there_before_anything_is_sent(self) -> None:
        """One write for the intents of a wave; an empty wave is none."""
        with self.store().session(operation="apply", timeout=0) as session:
            session.announce([])
            assert self.elsewhere().read().serial == 0
            session.announce([opened("i1"), opened("i2")])
            there = self.elsewhere().read()
            assert (there.serial, set(there.pending)) == (1, {"i1", "i2"})
            session.record([settled("i1"), settled("i2"), put(1)])
            session.commit(stack="payments", last_run=last_run())
        assert (self.elsewhere().read().serial, dict(self.elsewhere().read().pending)) == (2, {})

    def test_a_long_run_writes_now_and_then(self) -> None:
        """At most once in ten seconds, and never while a task is on its way: its answer must not wait for a slow place."""
        time = [100.0]
        store = store_at(self.place_of(self.folder), self.folder / "here", seconds=lambda: time[0])
        with store.session(operation="apply", timeout=0) as session:
            for number in range(100):
                time[0] += 0.5
                session.record([put(number)])
            assert 3 <= self.elsewhere().read().serial <= 5
            session.record([opened()])
            session.publish()
            time[0] += 60
            before = self.elsewhere().read().serial
            session.record([put(100)])
            assert self.elsewhere().read().serial == before
            session.record([settled()])
            there = self.elsewhere().read()
            assert (there.serial, len(there.resources), dict(there.pending)) == (before + 1, 101, {})

    def test_four_machines_at_once_lose_no_update(self) -> None:
        """Each counts up under the lock."""
        wrong: list[BaseException] = []

        def count(name: str) -> None:
            try:
                for _ in range(3):
                    with self.machine(name).session(operation="apply", timeout=60) as session:
                        record = session.snapshot.resources.get("alarm.n")
                        number = int(record.content["message"]) if record else 0
                        session.record([Put(address="alarm.n", record=alarm(1, str(number + 1)))])
                        session.commit(stack="payments", last_run=last_run())
            except BaseException as error:
                wrong.append(error)

        threads = [threading.Thread(target=count, args=(f"m{n}",)) for n in range(4)]
        for one in threads:
            one.start()
        for one in threads:
            one.join()
        assert wrong == []
        there = self.elsewhere().read()
        assert (there.resources["alarm.n"].content["message"], there.serial) == ("12", 12)
