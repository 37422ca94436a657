"""One step of a plan: a closed union. Each variant carries exactly what it needs (contract section 1, the verbs)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, ClassVar, TypeAlias

from reconcile.model.address import Address, Kind
from reconcile.model.desired import Declared
from reconcile.model.snapshot import AnyRecorded, Confirmation, RecordedAlarm, RecordedEvent, RecordedHandling


@dataclass(frozen=True, slots=True)
class Difference:
    """One changed path. `before`/`after` are None where the path was absent. A changed secret shows as `(secret)`."""

    path: str
    before: Any
    after: Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """What every change has. `reason` is one stable word or short phrase; `note` a sentence for people."""

    address: Address
    kind: Kind
    target: str
    reason: str
    note: str | None = None
    moved_from: Address | None = None
    action: ClassVar[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Report(Step):
    """A new alarm or event; or one that expired or was cleared outside (`before` is then what we recorded)."""

    action: ClassVar[str] = "report"
    after: Declared
    before: RecordedAlarm | RecordedEvent | None = None
    diff: tuple[Difference, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Update(Step):
    """Same identity, other content. `sends` is False where only the state changes (lifecycle, an edited handling)."""

    action: ClassVar[str] = "update"
    after: Declared
    before: AnyRecorded
    diff: tuple[Difference, ...] = ()
    sends: bool = True
    confirmation: Confirmation | None = None  # what the state then says, where only the state changes


@dataclass(frozen=True, slots=True, kw_only=True)
class Replace(Step):
    """Other identity: the new one is reported and confirmed, then the old cleared; with `clear_first` the other way round."""

    action: ClassVar[str] = "replace"
    after: Declared
    before: RecordedAlarm
    diff: tuple[Difference, ...] = ()
    clear_first: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Renew(Step):
    """Unchanged, but its timeout runs out soon. Never a new occurrence."""

    action: ClassVar[str] = "renew"
    after: Declared
    before: RecordedAlarm


@dataclass(frozen=True, slots=True, kw_only=True)
class Clear(Step):
    """Removed from the specs. `first` when this plan reports its identity again under another address."""

    action: ClassVar[str] = "clear"
    before: RecordedAlarm
    first: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Trigger(Step):
    """Start the task of a handling. `after_alarm` is the alarm whose own change must succeed first."""

    action: ClassVar[str] = "trigger"
    after: Declared
    before: RecordedHandling | None = None
    after_alarm: Address | None = None
    diff: tuple[Difference, ...] = ()
    forced: bool = False  # --rerun: a row with its task id in the baseline does not hold it back


@dataclass(frozen=True, slots=True, kw_only=True)
class Adopt(Step):
    """Take over an active record instead of reporting a second one. `record` is what the state will hold of it; with `sends`
    the declared content is reported over it at once.
    """

    action: ClassVar[str] = "adopt"
    after: Declared
    record: RecordedAlarm
    before: RecordedAlarm | None = None
    diff: tuple[Difference, ...] = ()
    sends: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Move(Step):
    """Other address, same resource, nothing sent. `moved_from` is set."""

    action: ClassVar[str] = "move"
    before: AnyRecorded
    after: Declared | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Forget(Step):
    """Drop from the state, nothing sent."""

    action: ClassVar[str] = "forget"
    before: AnyRecorded


@dataclass(frozen=True, slots=True, kw_only=True)
class Defer(Step):
    """Cannot or must not be done now; `note` says what to do."""

    action: ClassVar[str] = "defer"
    after: Declared | None = None
    before: AnyRecorded | None = None


Change: TypeAlias = Report | Update | Replace | Renew | Clear | Trigger | Adopt | Move | Forget | Defer
ACTIONS = ("report", "update", "replace", "renew", "clear", "trigger", "adopt", "move", "forget", "defer", "none")


@dataclass(frozen=True, slots=True)
class Violation:
    """Something a guard or a protection forbids. `kind` is clears | triggers | empty | protect | foreign | external | check."""

    kind: str
    message: str
    hint: str
    address: Address | None = None


@dataclass(frozen=True, slots=True)
class Drift:
    """Live differs from recorded. `kind`: missing | changed | twin | expired | unconfirmed | orphan."""

    address: Address | None
    kind: str
    target: str
    note: str
    diff: tuple[Difference, ...] = ()
    remote_id: str | None = None
    extra: dict[str, Any] = field(default_factory=dict)
