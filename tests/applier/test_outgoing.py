"""What is made of changes on their way: records, intents, batches."""

from __future__ import annotations

import asyncio
import errno
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from unittest import mock

import pytest

from reconcile.applier.batches import Delivery, deliver
from reconcile.applier.recorder import Recorder
from reconcile.applier.records import in_doubt
from reconcile.applier.recovery import settle_pushes
from reconcile.errors import ReconcileError
from reconcile.model.facts import Accepted, Announced, Confirmed, Drop, fold, push_id
from reconcile.model.snapshot import AnyRecorded, Intent, RecordedAlarm
from reconcile.ports import Lean, LiveAlarm, as_listed
from reconcile.state.files import Files
from reconcile.state.session import Session
from tests.state.samples import local
from tests.world import AlarmServer, World, alarm, desired, event


def test_what_is_recorded_unchecked_is_what_the_check_would_let_pass(world: World) -> None:
    """Every record and intent of an apply has all fields, in order, of their types: its bytes are those of a checked one."""
    world.apply(desired(alarm("alarm.a"), alarm("alarm.b", timeout=86_400_000, message="Straße"), event("event.c")))
    announced = [fact for fact in world.store.facts if isinstance(fact, Announced)]
    records: list[RecordedAlarm | Intent] = [r for r in world.store.resources.values() if isinstance(r, RecordedAlarm)]
    assert len(records) == 2 and announced
    for made in [*records, *(intent for fact in announced for intent in fact.intents())]:
        checked = type(made).model_validate(made.model_dump())
        assert made == checked
        assert made.model_dump_json() == checked.model_dump_json()


def test_announced_accepted_and_confirmed_make_an_entry(world: World) -> None:
    """The three facts of a report, told by ids, put the record that was announced."""
    world.apply(desired(alarm("alarm.a")))
    record = world.store.resources["alarm.a"]
    assert isinstance(record, RecordedAlarm)
    resources: dict[str, AnyRecorded] = {}
    pending: dict[str, Intent] = {}
    fold([Announced(op="report", at=7, target="aom", records={"alarm.a": record.but(remote_id=None)})], resources, pending)
    id = push_id("report", "alarm.a", 7)
    assert list(pending) == [id] and not pending[id].changes_entry and resources == {}
    fold([Accepted(intent_ids=(id,))], resources, pending)
    assert pending == {} and resources == {"alarm.a": record.but(remote_id=None)}
    fold([Confirmed(ids={"alarm.a": "9"})], resources, pending)
    assert resources == {"alarm.a": record.but(remote_id="9", confirmation="confirmed")}
    with pytest.raises(KeyError):
        fold([Accepted(intent_ids=(id,))], resources, pending)


def test_what_is_listed_as_it_was_sent_is_kept_in_the_words_we_have(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a list of a hundred thousand, little but ids is held; what shows anything else is kept as it is."""
    kept: list[LiveAlarm] = []
    real = AlarmServer.active

    async def active(self: AlarmServer, *, since: int, stamped: bool = True, lean: Lean = as_listed) -> list[LiveAlarm]:
        live = [replace(one, metadata=dict(one.metadata)) for one in await real(self, since=since, stamped=stamped)]
        other = [replace(one, annotations={**one.annotations, "message": "other"}) for one in live]
        kept.extend(map(lean, [*live, *other]))
        return [lean(one) for one in live]

    monkeypatch.setattr(AlarmServer, "active", active)
    world.apply(desired(alarm("alarm.a")))
    record = world.store.resources["alarm.a"]
    same, other = kept[-2:]
    assert same.metadata is record.metadata and same.annotations == {"message": "busy"}
    assert other.metadata is not record.metadata and other.annotations == {"message": "other"}


class Death(BaseException):
    """The process is gone."""


def test_an_update_that_died_leaves_the_entry_as_it_was_sent_before(world: World) -> None:
    """What was active before is known, what is active now is not: a clear must bear the metadata that was confirmed."""
    world.apply(desired(alarm("alarm.a")))
    before = world.store.resources["alarm.a"]
    world.aom.faults = [Death()]  # type: ignore[list-item]
    with pytest.raises(Death):
        world.apply(desired(alarm("alarm.a", severity="Critical"), alarm("alarm.b", ident="i2")))

    snapshot = world.store.read()
    facts, owed = settle_pushes(snapshot)
    fold(facts, resources := dict(snapshot.resources), {})
    assert owed == [] and resources["alarm.a"] == in_doubt(before)
    assert isinstance(resources["alarm.b"], RecordedAlarm) and resources["alarm.b"].digest == ""


class Road:
    """Eight batches of two, four at a time; what happens is written down."""

    def __init__(self) -> None:
        self.diary: list[tuple[str, tuple[int, ...]]] = []
        self.durable: set[int] = set()
        self.halt_after: int | None = None
        self.fail_at: int | None = None

    async def secure(self, items: Sequence[int]) -> None:
        await asyncio.sleep(0.001)
        if self.fail_at in items:
            raise OSError("no room")
        self.durable |= set(items)
        self.diary.append(("secured", tuple(items)))

    async def send(self, batch: Sequence[int]) -> None:
        assert set(batch) <= self.durable
        self.diary.append(("sent", tuple(batch)))
        await asyncio.sleep(0.01)

    def sent(self) -> list[int]:
        return [item for what, items in self.diary if what == "sent" for item in items]

    def halted(self) -> bool:
        return self.halt_after is not None and len(self.sent()) >= self.halt_after

    def run(self, items: Sequence[int], *, group: int = 1) -> list[int]:
        delivery = Delivery[int](
            size=2,
            concurrency=4,
            group=lambda item: str(item % group),
            send=self.send,
            secure=self.secure,
            after=lambda batch: None,
            failed=lambda batch, error: None,
            halted=self.halted,
        )
        return asyncio.run(deliver(items, delivery))


def test_nothing_leaves_before_it_is_durable_and_few_waits_are_enough() -> None:
    """The first batch alone, then two, then four at a time; all of them once."""
    road = Road()
    assert road.run(range(40)) == []
    assert sorted(road.sent()) == list(range(40))
    sizes = [len(items) // 2 for what, items in road.diary if what == "secured"]
    assert sizes == [1, 2, 4, 4, 4, 4, 1]


def test_what_travels_together_is_of_one_group() -> None:
    """Full batches first, the rest of each group at the end; nothing is lost or mixed."""
    road = Road()
    road.run(range(11), group=3)
    batches = [items for what, items in road.diary if what == "sent"]
    assert sorted(road.sent()) == list(range(11))
    assert all(len({item % 3 for item in batch}) == 1 for batch in batches)


def test_a_halt_leaves_the_rest_unsent_and_secures_no_more() -> None:
    """Every item was sent or is told as unsent, none both."""
    road = Road()
    road.halt_after = 6
    unsent = road.run(range(40))
    assert sorted([*unsent, *road.sent()]) == list(range(40))
    assert 6 <= len(road.sent()) <= 14 and len(road.durable) <= 22


def test_what_cannot_be_made_durable_stops_the_rest() -> None:
    """The error is told, and nothing of that batch or after it leaves."""
    road = Road()
    road.fail_at = 8
    with pytest.raises(OSError, match="no room"):
        road.run(range(40))
    assert set(road.sent()) <= set(range(6))


def test_a_disk_that_fails_under_a_cancelled_wait_is_known_to_have_failed(tmp_path: Path) -> None:
    """The wait goes on in its thread; the journal is not relied on any more, and what is known is dumped."""

    class Broken(Files):
        def sync_content(self, handle: int) -> None:
            time.sleep(0.1)
            raise OSError(errno.EIO, "the disk is broken")

    async def cancelled(session: Session) -> None:
        recorder = Recorder(session, beside=True)
        waiting = asyncio.ensure_future(recorder.secure([Drop(address="alarm.b")]))
        await asyncio.sleep(0.02)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting

    store = local(tmp_path / "state.json", files=Broken())
    with store.session(operation="apply", timeout=0) as session:
        with mock.patch.object(Broken, "sync_content", Files.sync_content):
            session.record([Drop(address="alarm.a")])
        asyncio.run(cancelled(session))
        with pytest.raises(ReconcileError, match="an earlier write failed"):
            session.record([Drop(address="alarm.c")])
    assert (tmp_path / "state.errored.state.json").exists()
