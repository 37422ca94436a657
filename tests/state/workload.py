"""Lives of a state, told step by step: what was begun, what was acknowledged, and what must be there afterwards."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

from reconcile.model.facts import fold
from reconcile.model.snapshot import Snapshot
from reconcile.state.files import Files
from reconcile.state.journal import AnyFact
from reconcile.state.local import LocalStore

from .samples import drop, last_run, local, opened, put, settled

Tell: TypeAlias = Callable[[str], None]
Step: TypeAlias = "list[AnyFact] | str"  # facts recorded in one call, or a word


@dataclass(frozen=True)
class Life:
    """Runs, each a list of steps."""

    runs: tuple[tuple[Step, ...], ...]

    @property
    def steps(self) -> list[Step]:
        """All of them, in order."""
        return [step for run in self.runs for step in run]

    def live(self, store: LocalStore, tell: Tell) -> None:
        """Live it; `tell` hears "begun" before and "done" after each step."""
        for run in self.runs:
            with store.session(operation="apply", timeout=0) as session:
                for step in run:
                    tell("begun")
                    if isinstance(step, list):
                        session.record(step)
                    elif step == "commit":
                        session.commit(stack="payments", last_run=last_run())
                    elif step == "publish":
                        session.publish()
                    tell("done")

    def after(self) -> list[tuple[dict[str, Any], dict[str, Any]]]:
        """Resources and open intents after 0, 1, 2 … steps."""
        resources: dict[str, Any] = {}
        pending: dict[str, Any] = {}
        found: list[tuple[dict[str, Any], dict[str, Any]]] = [({}, {})]
        for step in self.steps:
            if isinstance(step, list):
                fold(step, resources, pending)
            found.append((dict(resources), dict(pending)))
        return found

    def serial_after(self, done: int) -> int:
        """The serial once so many steps are acknowledged: what a later state must not fall below."""
        serial, dirty = 0, False
        for step in self.steps[:done]:
            dirty = dirty or isinstance(step, list)
            if step == "commit" and dirty:
                serial, dirty = serial + 1, False
        return serial

    def wrong_with(self, snapshot: Snapshot, *, begun: int, done: int) -> str | None:
        """What breaks the promise: something acknowledged is missing, or something never begun is there."""
        here = (dict(snapshot.resources), dict(snapshot.pending))
        if here not in self.after()[done : begun + 1]:
            return f"after {done} acknowledged of {begun} begun steps: {sorted(here[0])}, open {sorted(here[1])}"
        if snapshot.serial < self.serial_after(done):
            return f"serial {snapshot.serial} after {done} acknowledged steps"
        return None

    def wrong_on(self, path: Path, files: Files | None, *, begun: int, done: int) -> str | None:
        """Read a disk and say what breaks the promise; a refusal to read is a breach too."""
        try:
            return self.wrong_with(local(path, files=files).read(), begun=begun, done=done)
        except Exception as error:
            return f"unreadable: {error!r}"


LIFE = Life(
    (
        ([put(1), opened("i1")], [settled("i1"), put(2)], "commit"),
        ([put(3)], [drop(1)], "leave"),
        ([put(4), opened("i2")], "publish", [settled("i2")], "commit"),
        ("commit",),
        ([put(5, "x" * 5000)], "commit", [put(6)], "commit"),
    )
)


def any_life(dice: random.Random) -> Life:
    """Four runs of a few steps, some of them left without a commit."""
    return Life(tuple(tuple(_any_step(dice) for _ in range(dice.randint(1, 4))) for _ in range(4)))


def _any_step(dice: random.Random) -> Step:
    if dice.random() < 0.3:
        return "commit"
    facts: list[AnyFact] = []
    for _ in range(dice.choice((1, 1, 2, 12))):
        number = dice.randint(1, 6)
        facts.append(dice.choice((put(number, "y" * dice.choice((1, 40, 700))), put(number), drop(number), opened(f"i{number}"))))
    return facts
