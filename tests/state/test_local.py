"""The local file: the store's contract, the bytes beside it, and what must not happen to them."""

from __future__ import annotations

import json
import os
import stat
import threading
from dataclasses import replace
from pathlib import Path

import pytest

from reconcile.errors import ReconcileError, StateUnusable
from reconcile.model.config import StateConfig
from reconcile.model.facts import Opened
from reconcile.model.snapshot import Snapshot
from reconcile.state.codec import encode
from reconcile.state.files import Files
from reconcile.state.local import LocalStore
from reconcile.state.open import open_store

from .disks import NO_SPACE, Counted, Failing, Recording
from .samples import LINEAGE, VERSION, StillClock, alarm, drop, intent, last_run, local, opened, put, settled
from .store_contract import StoreContract


class TestLocalContract(StoreContract):
    """The local file fulfils the contract of every store."""

    def store(self) -> LocalStore:
        """The same path each time."""
        return local(self.folder / "state" / "default.json")


def save(path: Path, *facts: object, files: Files | None = None) -> Snapshot:
    """One run."""
    with local(path, files=files).session(operation="apply", timeout=0) as session:
        session.record(list(facts))  # type: ignore[arg-type]
        return session.commit(stack="payments", last_run=last_run())


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A state's place, in a folder that does not exist yet."""
    return tmp_path / "state" / "default.json"


def beside(path: Path) -> list[str]:
    """What lies in the folder."""
    return sorted(one.name for one in path.parent.iterdir())


def test_a_saved_state_leaves_the_file_its_backup_and_its_lock(path: Path) -> None:
    """No temporary file, no journal; the backup is the version before."""
    first = save(path, put(1))
    assert beside(path) == ["default.json", "default.json.lock"]
    save(path, put(2))
    assert beside(path) == ["default.json", "default.json.backup", "default.json.lock"]
    assert path.with_name("default.json.backup").read_bytes() == encode(first)


def test_every_file_is_private_under_any_umask(path: Path) -> None:
    """0600 for state, backup, journal and lock; a state that was opened to others is closed again."""
    before = os.umask(0)
    try:
        save(path, put(1))
        path.chmod(0o644)
        save(path, put(2))
        with local(path).session(operation="apply", timeout=0) as session:
            session.record([put(3)])
    finally:
        os.umask(before)
    modes = {one.name: stat.S_IMODE(one.stat().st_mode) for one in path.parent.iterdir() if not one.name.endswith(".backup")}
    assert set(modes.values()) == {0o600}
    assert "default.json.journal" in modes


def test_reading_creates_nothing(path: Path) -> None:
    """A plan in a read-only checkout works."""
    local(path).read()
    assert not path.parent.exists()


def test_a_no_op_run_changes_no_byte(path: Path) -> None:
    """Neither the state nor its backup is touched."""
    save(path, put(1))
    before = (path.read_bytes(), path.stat().st_mtime_ns, path.stat().st_ino)
    with local(path).session(operation="apply", timeout=0) as session:
        session.publish()
        session.commit(stack="payments", last_run=last_run("again"))
    assert (path.read_bytes(), path.stat().st_mtime_ns, path.stat().st_ino) == before
    assert beside(path) == ["default.json", "default.json.lock"]


def test_a_batch_of_a_hundred_facts_is_one_write_and_one_sync(path: Path) -> None:
    """The journal's cost is per call, not per fact."""
    files = Recording()
    with local(path, files=files).session(operation="apply", timeout=0) as session:
        session.record([put(0)])
        files.steps.clear()
        session.record([put(number) for number in range(100)])
        assert [step[0] for step in files.steps] == ["write", "sync_content"]


def test_nothing_is_announced_on_a_disk_of_our_own(path: Path) -> None:
    """Each batch records its own intents: a run that is killed leaves only those in doubt that it had begun to send."""
    with local(path).session(operation="apply", timeout=0) as session:
        session.announce([opened()])
        session.commit(stack="payments", last_run=last_run())
    assert (local(path).read(), [p.name for p in path.parent.iterdir()]) == (Snapshot(), [path.name + ".lock"])


def test_the_journal_holds_no_more_than_was_told(path: Path) -> None:
    """Its lines are JSON after three fields, and name lineage and serial first."""
    save(path, put(1))
    with local(path).session(operation="apply", timeout=0) as session:
        session.record([settled("i8")])
        session.record([settled("i9")])
    lines = path.with_name("default.json.journal").read_text().splitlines()
    bodies = [json.loads(line.split(" ", 3)[3]) for line in lines]
    assert bodies == [
        {
            "journal": 1,
            "lineage": LINEAGE,
            "serial": 1,
            "tool_version": VERSION,
            "operation": "apply",
            "facts": [{"do": "settled", "intent_id": "i8", "how": "answered"}],
        },
        {"facts": [{"do": "settled", "intent_id": "i9", "how": "answered"}]},
    ]


def test_text_that_only_an_escape_can_spell_survives_the_journal(path: Path) -> None:
    """Half a surrogate pair, as a server may send, must not make a journal unreadable."""
    odd = alarm().model_copy(update={"content": {"message": "\ud800 and \u202e"}})
    with local(path).session(operation="apply", timeout=0) as session:
        session.record([put(1).model_copy(update={"record": odd})])
    assert local(path).read().resources["alarm.web-1"].content == {"message": "\ud800 and \u202e"}


def test_a_fact_that_json_cannot_hold_is_refused_and_the_session_goes_on(path: Path) -> None:
    """NaN never reaches the disk; what comes after it does."""
    odd = alarm().model_copy(update={"content": {"x": float("inf")}})
    with local(path).session(operation="apply", timeout=0) as session:
        with pytest.raises(ValueError, match="JSON compliant"):
            session.record([put(1).model_copy(update={"record": odd})])
        session.record([put(2)])
    assert set(local(path).read().resources) == {"alarm.web-2"}


def test_a_journal_that_the_state_already_holds_is_passed_over(path: Path) -> None:
    """A crash between the write of the state and the removal of the journal."""
    with local(path).session(operation="apply", timeout=0) as session:
        session.record([put(1)])
    journal = path.with_name("default.json.journal")
    old = journal.read_bytes()
    save(path, drop(1), put(2))
    journal.write_bytes(old)
    assert set(local(path).read().resources) == {"alarm.web-2"}
    assert save(path, put(3)).serial == 2
    assert not journal.exists()


def test_an_older_state_put_back_under_a_journal_is_refused(path: Path) -> None:
    """What the journal holds cannot be folded into it: exit 1, nothing written."""
    save(path, put(1))
    old = path.read_bytes()
    save(path, put(2))
    with local(path).session(operation="apply", timeout=0) as session:
        session.record([put(3)])
    path.write_bytes(old)
    files = {one: one.read_bytes() for one in path.parent.iterdir()}
    with pytest.raises(StateUnusable, match="continues serial 2, but an older state, serial 1, was put back"):
        local(path).read()
    with pytest.raises(StateUnusable), local(path).session(operation="apply", timeout=0):
        pass
    assert {one: one.read_bytes() for one in path.parent.iterdir()} == files


def test_a_journal_of_another_lineage_or_without_its_state_is_refused(path: Path) -> None:
    """Each says what to do."""
    save(path, put(1))
    with local(path).session(operation="apply", timeout=0) as session:
        session.record([put(2)])
    state = path.read_bytes()
    path.write_bytes(state.replace(LINEAGE.encode(), b"another"))
    with pytest.raises(StateUnusable, match=f"belongs to lineage {LINEAGE}, the state is of lineage another"):
        local(path).read()
    path.unlink()
    with pytest.raises(StateUnusable, match="continues serial 1 of a state that is not there") as caught:
        local(path).read()
    assert caught.value.hint


@pytest.mark.parametrize("content", [b"", b"{", b'{"format_version": 99}', b"\0" * 100, b"{}"])
def test_a_broken_or_newer_state_is_refused_and_never_overwritten(path: Path, content: bytes) -> None:
    """Neither reading nor a session touches it."""
    path.parent.mkdir()
    path.write_bytes(content)
    with pytest.raises(StateUnusable):
        local(path).read()
    with pytest.raises(StateUnusable), local(path).session(operation="apply", timeout=0):
        pass
    assert path.read_bytes() == content


@pytest.mark.parametrize("suffix", ["", ".backup", ".journal", ".lock", ".new", ".backup.new"])
def test_a_symbolic_link_at_our_paths_is_refused(path: Path, suffix: str) -> None:
    """Nothing is read or written through it."""
    save(path, put(1))
    victim = path.parent.parent / "victim"
    victim.write_text("precious")
    place = path.with_name(path.name + suffix)
    place.unlink(missing_ok=True)
    place.symlink_to(victim)
    with pytest.raises(StateUnusable, match="symbolic link"), local(path).session(operation="apply", timeout=0):
        pass
    assert victim.read_text() == "precious"
    assert place.is_symlink()


@pytest.mark.parametrize("make", [Path.mkdir, lambda place: os.mkfifo(place)], ids=["a folder", "a pipe"])
def test_a_state_that_is_no_plain_file_is_refused(path: Path, make: object) -> None:
    """A pipe would hang, a folder would fail somewhere else."""
    path.parent.mkdir()
    make(path)  # type: ignore[operator]
    with pytest.raises(StateUnusable):
        local(path).read()


def test_a_backup_is_kept_where_there_are_no_hard_links(path: Path) -> None:
    """A copy does as well."""
    first = save(path, put(1))
    counted = Counted()
    save(path.parent / "dry.json", put(1))
    save(path.parent / "dry.json", put(2), files=counted)
    save(path, put(2), files=Failing(counted.names.index("link") + 1, NO_SPACE))
    assert path.with_name("default.json.backup").read_bytes() == encode(first)
    assert beside(path)[:3] == ["default.json", "default.json.backup", "default.json.lock"]


def test_a_state_that_cannot_be_saved_is_dumped_and_taken_over_by_the_next_run(path: Path) -> None:
    """The journal fails after a ticket came back: the dump has it, the error names the dump, and the next run merges it."""
    save(path, put(1))
    counted = Counted()
    with local(path.parent / "dry.json", files=counted).session(operation="apply", timeout=0) as session:
        session.record([put(2)])
    with local(path, files=Failing(counted.names.index("write") + 2, NO_SPACE)).session(operation="apply", timeout=0) as session:
        with pytest.raises(ReconcileError, match="No space left") as caught:
            session.record([put(2)])
        with pytest.raises(ReconcileError):
            session.record([put(3)])
    dump = path.with_name("default.errored.state.json")
    assert str(dump) in (caught.value.hint or "")
    assert stat.S_IMODE(dump.stat().st_mode) == 0o600
    assert set(local(path).read().resources) == {"alarm.web-1", "alarm.web-2", "alarm.web-3"}
    assert set(save(path, put(4)).resources) == {f"alarm.web-{n}" for n in (1, 2, 3, 4)}
    assert not dump.exists()


def test_a_commit_after_a_failed_journal_saves_everything(path: Path) -> None:
    """The state is a new file: when it can be written, nothing is lost and the dump goes away."""
    counted = Counted()
    with local(path.parent / "dry.json", files=counted).session(operation="apply", timeout=0) as session:
        session.record([put(1)])
    files = Failing(counted.names.index("sync_content") + 1, NO_SPACE)
    with local(path, files=files).session(operation="apply", timeout=0) as session:
        with pytest.raises(ReconcileError):
            session.record([put(1)])
        session.commit(stack="payments", last_run=last_run())
    assert set(local(path).read().resources) == {"alarm.web-1"}
    assert beside(path) == ["default.json", "default.json.lock", "dry.json.journal", "dry.json.lock"]


def test_an_intent_whose_journal_failed_was_never_sent_and_is_not_dumped(path: Path) -> None:
    """Its request does not leave, so the next run must not wonder about it; an unknown one stays."""
    save(path, put(1))
    unknown = Opened(intent=intent("i2").model_copy(update={"phase": "unknown", "why": "ReadTimeout"}))
    with local(path, files=Failing(3, NO_SPACE, for_good=False)).session(operation="apply", timeout=0) as session:
        for fact in (opened("i1"), unknown):
            with pytest.raises(ReconcileError):
                session.record([fact])
    assert set(local(path).read().pending) == {"i2"}


def test_a_dump_of_another_lineage_or_an_older_serial_is_left_alone(path: Path) -> None:
    """It is not ours to merge, nor to delete."""
    saved = save(path, put(1))
    dump = path.with_name("default.errored.state.json")
    for other in (replace(saved, lineage="another", resources={}), replace(saved, serial=0, resources={})):
        dump.write_bytes(encode(other))
        assert local(path).read().resources == local(path).read().resources != {}
    dump.write_bytes(encode(replace(saved, lineage="another", resources={})))
    save(path, put(2))
    assert dump.exists()


def test_records_from_several_threads_are_all_kept(path: Path) -> None:
    """One line at a time, whoever calls."""
    with local(path).session(operation="apply", timeout=0) as session:
        threads = [threading.Thread(target=lambda n=n: session.record([put(n)])) for n in range(24)]
        for one in threads:
            one.start()
        for one in threads:
            one.join()
    assert len(local(path).read().resources) == 24


def test_readers_see_whole_states_only(path: Path) -> None:
    """While a writer commits again and again, every read is a state between two commits."""
    save(path, put(0))
    stop, wrong = threading.Event(), list[str]()

    def look() -> None:
        while not stop.is_set():
            seen = local(path).read()
            numbers = {record.content["message"] for record in seen.resources.values()}
            if len(numbers) != 1:
                wrong.append(str(numbers))

    reader = threading.Thread(target=look)
    save(path, *[put(n, "0") for n in range(20)])
    reader.start()
    try:
        for turn in range(150):
            save(path, *[put(n, str(turn)) for n in range(20)])
    finally:
        stop.set()
        reader.join()
    assert wrong == []


def test_a_kept_version_comes_back_as_the_next_serial(path: Path) -> None:
    """History shows what is kept; open intents stay open; what was replaced is the backup."""
    save(path, put(1))
    second = save(path, drop(1), put(2), opened())
    store = local(path)
    assert [(one.serial, one.resources) for one in store.history()] == [(2, 1), (1, 1)]
    back = store.restore(1, last_run=last_run("state restore"))
    assert (back.serial, set(back.resources), set(back.pending)) == (3, {"alarm.web-1"}, {"i1"})
    assert store.read() == back
    assert path.with_name("default.json.backup").read_bytes() == encode(second)
    with pytest.raises(ReconcileError, match="serial 9 is not kept") as caught:
        store.restore(9, last_run=last_run())
    assert caught.value.hint == "kept: 2, 3"


def test_a_lost_state_comes_back_from_its_backup(path: Path) -> None:
    """The lineage is the backup's own."""
    save(path, put(1))
    save(path, put(2))
    path.unlink()
    back = local(path).restore(1, last_run=last_run())
    assert (back.lineage, back.serial, set(back.resources)) == (LINEAGE, 2, {"alarm.web-1"})


def test_unlock_says_that_nothing_is_to_do(path: Path) -> None:
    """The kernel frees a dead run's lock; a living one's is refused."""
    store = local(path)
    assert store.unlock() == "nobody holds the lock"
    with store.session(operation="apply", timeout=0), pytest.raises(ReconcileError, match="locked by another run"):
        local(path).unlock()


def test_a_store_is_opened_from_the_config(tmp_path: Path) -> None:
    """The path counts from the given folder; nothing is touched yet."""
    store = open_store(StateConfig(path="state/prod.json"), tmp_path, environ={}, clock=StillClock(), tool_version=VERSION)
    assert store.where == str(tmp_path / "state" / "prod.json")
    assert list(tmp_path.iterdir()) == []
    with store.session(operation="apply", timeout=0) as session:
        session.record([put(1)])
    assert len(store.read().lineage or "") == 36
