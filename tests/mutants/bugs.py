"""The twelve seeded bugs: each is switched on for a while, and a check has to see it. The code itself has no such switch."""

from __future__ import annotations

import fcntl
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest import mock

from reconcile.applier import triggers
from reconcile.applier.run import Run
from reconcile.applier.together import together
from reconcile.model.change import Trigger
from reconcile.model.facts import Opened
from reconcile.ports import HistoryRow
from reconcile.state import lock, session
from reconcile.targets import coc
from reconcile.targets.http import retrying
from tests.mutants import checks
from tests.state import checks as state_checks
from tests.state.mutants import MUTANTS as OF_THE_STATE
from tests.state.mutants import caught as caught_in_the_state

Check = Callable[[Path], list[str]]


@dataclass(frozen=True)
class Bug:
    """A bug, how it is switched on, and the check that has to see it."""

    name: str
    check: Check
    switched_on: Callable[[], AbstractContextManager[Any]]

    def caught(self, folder: Path) -> list[str]:
        """What the check says with the bug in place."""
        with self.switched_on():
            try:
                return self.check(folder)
            except Exception as error:
                return [f"the check itself broke: {error!r}"]


def _waves_with(order: Callable[[Run, Sequence[triggers.Start]], Any]) -> Callable[[], AbstractContextManager[Any]]:
    async def waves(run: Run, changes: Sequence[Trigger]) -> None:
        for wave in triggers._waves(changes):
            starts = [start for start in [await triggers._prepared(run, change) for change in wave] if start is not None]
            await order(run, starts)

    return lambda: mock.patch("reconcile.applier.apply.trigger_waves", waves)


async def _intent_last(run: Run, starts: Sequence[triggers.Start]) -> None:
    await together(triggers._start(run, start) for start in starts)
    run.session.publish()


async def _published_last(run: Run, starts: Sequence[triggers.Start]) -> None:
    run.session.record([Opened(intent=start.intent) for start in starts])
    await together(triggers._start(run, start) for start in starts)
    run.session.publish()


@contextmanager
def _unlocked_before_saved() -> Iterator[None]:
    handles: list[int] = []
    take, settle = lock.FileLock._take, session.Session._settle

    def noted(self: lock.FileLock, timeout: float) -> int:
        handles[:] = [take(self, timeout)]
        return handles[0]

    def unlocked(self: session.Session, whole: Any) -> None:
        fcntl.flock(handles[0], fcntl.LOCK_UN)
        time.sleep(0.02)  # long enough for another one to come in
        settle(self, whole)

    with mock.patch.object(lock.FileLock, "_take", noted), mock.patch.object(session.Session, "_settle", unlocked):
        yield


async def _first_page(self: coc.CocTarget, alarm_id: str) -> list[HistoryRow]:
    page, _ = await self._histories_page(alarm_id, 0)
    return [row for row in map(coc.history_row, page) if row is not None]


def _of_the_state(name: str) -> Check:
    mutant = next(mutant for mutant in OF_THE_STATE if mutant.name == name)
    return lambda folder: caught_in_the_state(mutant, folder)


def _as_it_is() -> AbstractContextManager[Any]:
    """A bug that its own check switches on."""
    return nullcontext()


BUGS = (
    Bug("no fsync", _of_the_state("no fsync at all"), _as_it_is),
    Bug("no fsync of the folder", _of_the_state("no fsync of the folder"), _as_it_is),
    Bug("rename before fsync", _of_the_state("renamed before fsync"), _as_it_is),
    Bug("truncate in place", _of_the_state("state written in place"), _as_it_is),
    Bug("intent after the POST", checks.deaths, _waves_with(_intent_last)),
    Bug("published after the POST", checks.deaths, _waves_with(_published_last)),
    Bug("journal truncated before the state", _of_the_state("journal dropped before the state is written"), _as_it_is),
    Bug("unlocked before saved", lambda folder: state_checks.overlaps(folder)[1], _unlocked_before_saved),
    Bug(
        "sent again after a read time-out",
        checks.lost_answer,
        lambda: mock.patch.object(retrying, "_may_repeat", lambda request, error: error.transient),
    ),
    Bug("baseline of the first page only", checks.many_pages, lambda: mock.patch.object(coc.CocTarget, "histories", _first_page)),
    Bug("torn line in the middle ignored", _of_the_state("damage in the middle passed over"), _as_it_is),
    Bug("a full disk swallowed", _of_the_state("a full disk not told"), _as_it_is),
)
SOUND: tuple[Check, ...] = (
    checks.deaths, checks.lost_answer, checks.many_pages, lambda folder: state_checks.overlaps(folder)[1],
)  # fmt: skip
