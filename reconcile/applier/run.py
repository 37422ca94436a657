"""What one apply carries along: its ports, its account, and what it learnt about the targets."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from reconcile.applier.account import Account
from reconcile.errors import TargetError
from reconcile.model.address import Address
from reconcile.model.change import Change
from reconcile.model.dialects import LOOK_BACK
from reconcile.model.snapshot import AnyRecorded, RecordedAlarm
from reconcile.ports import AlarmTarget, Clock, Lean, LiveAlarm, Observer, Progress, StateSession, Targets, as_listed


@dataclass(slots=True)
class Run:
    """The ports and the account of one apply. `salt` gives a fresh random salt; `halted` says a signal asked to stop."""

    session: StateSession
    targets: Targets
    clock: Clock
    environ: Mapping[str, str]
    observer: Observer
    stack: str
    salt: Callable[[], str]
    halted: Callable[[], bool] = lambda: False
    account: Account = field(default_factory=Account)
    failed: set[Address] = field(default_factory=set)
    unlistable: set[str] = field(default_factory=set)
    started: dict[Address, str] = field(default_factory=dict)  # handling -> work order of this run
    adopting: bool = False  # unstamped records matter, too
    foreign: dict[Address, LiveAlarm] = field(default_factory=dict)  # other stacks' records of our identities
    taken: set[str] = field(default_factory=set)  # stamp keys and alarmIds in use

    def ended(self, change: Change, outcome: str, detail: str = "", hint: str | None = None) -> None:
        """Enter the end of a step in the account, and tell the observer."""
        if outcome in ("failed", "unknown", "skipped"):
            self.failed.add(change.address)
        progress = Progress(change.address, change.action, outcome, detail, hint)
        self.account.outcomes.append(progress)
        self.observer.progressed(progress)

    def failed_with(self, change: Change, error: TargetError) -> None:
        """Enter a step that failed, with the server's own words."""
        self.ended(change, "failed", describe(error), error.hint)

    def record_of(self, address: Address) -> AnyRecorded | None:
        """What the state holds at this address now."""
        return self.session.snapshot.resources.get(address)

    async def active(
        self, target: AlarmTarget, records: Mapping[Address, RecordedAlarm], lean: Lean = as_listed
    ) -> list[LiveAlarm] | None:
        """One bulk listing wide enough for these records; None where there is no read-back or it is not granted."""
        if not target.readable or target.name in self.unlistable:
            return None
        reach = self.clock.now() - LOOK_BACK
        since = min([reach, *(min(r.starts_at, r.reported_at) for r in records.values())])
        stamped = all("reconcile_key" in record.metadata for record in records.values()) and not self.adopting
        try:
            return await target.active(since=since, stamped=stamped, lean=lean)
        except TargetError as error:
            if error.answer.status != 403:
                self.observer.told(f"target {target.name}: the list of active alarms could not be read: {describe(error)}")
                return None
            self.unlistable.add(target.name)
            self.observer.told(f"target {target.name}: listing is not granted (aom:alarm:list), so nothing is confirmed there")
            return None


def describe(error: TargetError) -> str:
    """The error in one line: what failed, the server's code and words, and the trace id."""
    answer = error.answer
    parts = [error.message]
    if answer.trace_id:
        parts.append(f"(trace {answer.trace_id})")
    return " ".join(parts)
