"""The contract of every store: a subclass says how to open one, and all of it must hold."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from reconcile.errors import StateLocked, StateUnusable
from reconcile.model.facts import Drop
from reconcile.model.snapshot import Snapshot
from reconcile.ports import StateStore
from reconcile.state.exchange import export, import_

from .samples import VERSION, alarm, drop, intent, last_run, opened, put, settled


class StoreContract:
    """`store` opens the same place each time, as another run on the same machine would; `elsewhere` as one on another machine."""

    @pytest.fixture(autouse=True)
    def place(self, tmp_path: Path) -> None:
        """Where the state of this test lives."""
        self.folder = tmp_path

    def store(self) -> StateStore:
        """Open it."""
        raise AssertionError("a subclass says how")

    def elsewhere(self) -> StateStore:
        """Open it on a machine that has none of our files."""
        return self.store()

    def save(self, *facts: object, stack: str = "payments") -> Snapshot:
        """One run that records and commits."""
        with self.store().session(operation="apply", timeout=0) as session:
            session.record(list(facts))  # type: ignore[arg-type]
            return session.commit(stack=stack, last_run=last_run())

    def test_no_state_yet_is_an_empty_snapshot(self) -> None:
        """Nothing there: no lineage, serial 0; looking changes nothing."""
        assert self.store().read() == Snapshot()
        assert self.elsewhere().read() == Snapshot()

    def test_a_commit_is_read_back_everywhere(self) -> None:
        """The first commit gives lineage and serial 1, and another machine reads the same."""
        saved = self.save(put(1), put(2), opened())
        assert (saved.serial, saved.stack, saved.tool_version, saved.last_run) == (1, "payments", VERSION, last_run())
        assert saved.lineage
        assert saved.resources == {"alarm.web-1": alarm(1, "full"), "alarm.web-2": alarm(2, "full")}
        assert saved.pending == {"i1": intent()}
        assert self.store().read() == saved
        assert self.elsewhere().read() == saved

    def test_each_commit_raises_the_serial_and_keeps_the_lineage(self) -> None:
        """Serial + 1; what was dropped or settled is gone."""
        first = self.save(put(1), put(2), opened())
        second = self.save(drop(1), settled())
        assert (second.serial, second.lineage) == (2, first.lineage)
        assert self.elsewhere().read().resources == {"alarm.web-2": alarm(2, "full")}
        assert self.elsewhere().read().pending == {}

    def test_a_session_without_facts_writes_nothing(self) -> None:
        """A no-op run changes not even the serial; on an empty place it leaves no state."""
        with self.store().session(operation="apply", timeout=0) as session:
            session.publish()
            assert session.commit(stack="payments", last_run=last_run()) == Snapshot()
        assert self.store().read() == Snapshot()
        saved = self.save(put(1))
        with self.store().session(operation="apply", timeout=0) as session:
            session.record([])
            session.publish()
            session.commit(stack="payments", last_run=last_run("another"))
        assert self.elsewhere().read() == saved

    def test_a_session_shows_what_was_recorded(self) -> None:
        """The snapshot follows each record."""
        with self.store().session(operation="apply", timeout=0) as session:
            session.record([put(1)])
            assert set(session.snapshot.resources) == {"alarm.web-1"}
            session.record([put(2), Drop(address="alarm.web-1")])
            assert set(session.snapshot.resources) == {"alarm.web-2"}
            assert session.snapshot.lineage

    def test_a_committed_snapshot_stays_as_it_is(self) -> None:
        """What commit returned does not change when the session goes on."""
        with self.store().session(operation="apply", timeout=0) as session:
            session.record([put(1)])
            first = session.commit(stack="payments", last_run=last_run())
            session.record([put(2)])
            second = session.commit(stack="payments", last_run=last_run())
        assert (set(first.resources), set(second.resources)) == ({"alarm.web-1"}, {"alarm.web-1", "alarm.web-2"})
        assert (first.serial, second.serial) == (1, 2)

    def test_what_was_recorded_without_a_commit_is_there_for_the_next_run(self) -> None:
        """A run that died goes on where it was, on the same machine, also when it was the very first."""
        for number in (1, 2):
            with self.store().session(operation="apply", timeout=0) as session:
                session.record([put(number)])
        there = self.store().read()
        assert set(there.resources) == {"alarm.web-1", "alarm.web-2"}
        with self.store().session(operation="apply", timeout=0) as session:
            assert session.snapshot == there
            saved = session.commit(stack="payments", last_run=last_run())
        assert (saved.lineage, saved.serial) == (there.lineage, there.serial + 1)
        assert self.elsewhere().read() == saved

    def test_published_intents_are_seen_from_another_machine(self) -> None:
        """Before a trigger leaves, whoever comes after knows of it, with none of this machine's files."""
        self.save(put(1))
        with self.store().session(operation="apply", timeout=0) as session:
            session.record([put(2), opened()])
            session.publish()
            assert self.elsewhere().read().pending == {"i1": intent()}
        assert self.elsewhere().read().pending == {"i1": intent()}
        assert set(self.elsewhere().read().resources) == {"alarm.web-1", "alarm.web-2"}

    def test_facts_after_a_publish_are_committed_too(self) -> None:
        """A publish in between loses neither what was before it nor what comes after."""
        with self.store().session(operation="apply", timeout=0) as session:
            session.record([opened()])
            session.publish()
            session.record([settled(), put(1)])
            session.publish()
            session.publish()
            saved = session.commit(stack="payments", last_run=last_run())
        assert (dict(saved.pending), set(saved.resources), saved.last_run) == ({}, {"alarm.web-1"}, last_run())
        assert self.elsewhere().read() == saved

    def test_a_publish_alone_is_followed_by_a_whole_commit(self) -> None:
        """Stack and account of the run are written even when nothing was recorded after the publish."""
        with self.store().session(operation="apply", timeout=0) as session:
            session.record([put(1)])
            session.publish()
            session.commit(stack="payments", last_run=last_run())
        there = self.elsewhere().read()
        assert (there.stack, there.last_run) == ("payments", last_run())

    def test_a_second_run_is_refused_and_told_who_holds_the_lock(self) -> None:
        """Who, what, since when, where; exit code 4."""
        with (
            self.store().session(operation="renew", timeout=0),
            pytest.raises(StateLocked) as caught,
            self.elsewhere().session(operation="apply", timeout=0),
        ):
            pass
        text = caught.value.message
        assert "alice@" in text and "renew" in text and f"pid {os.getpid()}" in text and "2026-11-20T08:00:00Z" in text, text
        assert caught.value.where and caught.value.exit_code == 4

    def test_a_lock_is_waited_for_no_longer_than_said(self) -> None:
        """The wait ends in time."""
        started = time.monotonic()
        with (
            self.store().session(operation="apply", timeout=0),
            pytest.raises(StateLocked),
            self.store().session(operation="apply", timeout=0.3),
        ):
            pass
        assert 0.25 < time.monotonic() - started < 5

    def test_a_lock_is_free_after_the_session_and_after_an_error(self) -> None:
        """Leaving frees the lock, whatever happened inside."""
        with pytest.raises(ZeroDivisionError), self.store().session(operation="apply", timeout=0) as session:
            session.record([put(1)])
            raise ZeroDivisionError
        with self.elsewhere().session(operation="apply", timeout=0):
            pass
        with self.store().session(operation="apply", timeout=0) as session:
            assert set(session.snapshot.resources) == {"alarm.web-1"}

    def test_a_read_needs_no_lock(self) -> None:
        """A plan works while an apply runs."""
        self.save(put(1))
        with self.store().session(operation="apply", timeout=0) as session:
            session.record([put(2)])
            assert "alarm.web-1" in self.store().read().resources

    def test_many_facts_go_in_one_call(self) -> None:
        """A batch of alarms is one record."""
        saved = self.save(*[put(number) for number in range(300)])
        assert len(self.elsewhere().read().resources) == len(saved.resources) == 300

    @pytest.mark.parametrize(
        ("case", "words"),
        [
            ("older", "older than"),
            ("same serial", "the same serial"),
            ("foreign", "lineage"),
            ("lacks an intent", "open intents"),
        ],
    )
    def test_a_pushed_state_that_does_not_follow_is_refused_unless_forced(self, case: str, words: str) -> None:
        """Lineage and serial are compared; by force it becomes the next serial."""
        old = self.save(put(1))
        now = self.save(put(2), opened()) if case == "lacks an intent" else self.save(put(2))
        pushed = _pushed(case, export(old), export(now))
        with self.store().session(operation="state push", timeout=0) as session:
            with pytest.raises(StateUnusable, match=words):
                import_(session, pushed, where="-", tool_version=VERSION)  # type: ignore[arg-type]
            assert self.elsewhere().read() == now
            after = import_(session, pushed, where="-", tool_version=VERSION, force=True)  # type: ignore[arg-type]
        assert after.serial > now.serial
        assert self.elsewhere().read() == after

    def test_a_pushed_state_that_follows_is_taken_and_an_equal_one_is_nothing(self) -> None:
        """A newer serial of the same lineage is taken as it is; the same state again writes nothing."""
        now = self.save(put(1))
        newer = export(now).replace(b'"serial": 1', b'"serial": 7')
        with self.store().session(operation="state push", timeout=0) as session:
            assert import_(session, export(now), where="-", tool_version=VERSION) == now  # type: ignore[arg-type]
            assert import_(session, newer, where="-", tool_version=VERSION).serial == 7  # type: ignore[arg-type]
        assert self.elsewhere().read().serial == 7

    def test_a_state_pushed_to_an_empty_place_is_taken_as_it_is(self) -> None:
        """A state moves from one store to another without loss."""
        saved = self.save(put(1))
        content = export(saved).replace(saved.lineage.encode(), b"from-another-place")  # type: ignore[union-attr]
        other = type(self)()
        other.folder = self.folder / "other"
        with other.store().session(operation="state push", timeout=0) as session:
            after = import_(session, content, where="-", tool_version=VERSION)  # type: ignore[arg-type]
        assert (after.lineage, after.serial, after.resources) == ("from-another-place", 1, saved.resources)
        assert other.elsewhere().read() == after

    def test_a_broken_pushed_state_is_refused(self) -> None:
        """Force overrules lineage and serial, never a broken file."""
        now = self.save(put(1))
        with self.store().session(operation="state push", timeout=0) as session, pytest.raises(StateUnusable):
            import_(session, export(now)[:-40], where="-", tool_version=VERSION, force=True)  # type: ignore[arg-type]
        assert self.elsewhere().read() == now


def _pushed(case: str, old: bytes, now: bytes) -> bytes:
    match case:
        case "older":
            return old
        case "same serial":
            return now.replace(b"full", b"null")
        case "foreign":
            return now.replace(b'"lineage": "', b'"lineage": "foreign-')
        case _:
            return old.replace(b'"serial": 1', b'"serial": 9')
