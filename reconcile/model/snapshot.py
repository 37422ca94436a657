"""What we last recorded: the nouns of the state file and of the journal beside it (contract section 5)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal, TypeAlias

from pydantic import Field, SerializeAsAny

from reconcile.model.address import Address
from reconcile.model.base import Value, digest

Confirmation: TypeAlias = Literal["confirmed", "unconfirmed", "assumed", "cleared"]
"""confirmed: seen in the list · unconfirmed: reported, not seen yet · assumed: no read-back exists (COC events) ·
cleared: cleared by somebody else and accepted (`on_external_clear: accept`)"""


class RecordedAlarm(Value):
    """One alarm we reported. Instants in ms.

    `digest` and `content` are of the declaration as last sent; an empty digest says "sent, but not known whether it
    arrived": the next plan sends again. `metadata` is replayed byte for byte by a clear. `alarm_id` is COC's.
    `secrets` maps a variable to the salted digest of its value.
    """

    kind: Literal["alarm"] = "alarm"
    target: str
    digest: str
    content: dict[str, Any]
    occurrence: str
    starts_at: int
    reported_at: int
    expires_at: int | None = None
    confirmation: Confirmation = "unconfirmed"
    remote_id: str | None = None
    alarm_id: str | None = None
    metadata: dict[str, str] = Field(default_factory=dict)
    secrets: dict[str, str] = Field(default_factory=dict)
    protect: bool = False


class RecordedEvent(Value):
    """One event we reported, once, with this content."""

    kind: Literal["event"] = "event"
    target: str
    digest: str
    content: dict[str, Any]
    reported_at: int
    metadata: dict[str, str] = Field(default_factory=dict)
    alarm_id: str | None = None
    secrets: dict[str, str] = Field(default_factory=dict)


class Run(Value):
    """One start of a handling's task. `occurrence` is empty for a handling without `alarm`; `task_digest` is of its text.

    `outcome`: started (the server gave a work order) · unknown (it may have started). `status` is the server's last word.
    """

    occurrence: str
    alarm_id: str
    task_id: str
    task_digest: str
    at: int
    outcome: Literal["started", "unknown"]
    ticket: str | None = None
    status: str | None = None
    how: str | None = None  # answered | history | person


class RecordedHandling(Value):
    """One handling and the runs of its task, oldest first."""

    kind: Literal["handling"] = "handling"
    target: str
    digest: str
    content: dict[str, Any]
    runs: tuple[Run, ...] = Field(default=(), strict=False)
    retrigger: bool = False  # a person said: run it again although it may have run
    secrets: dict[str, str] = Field(default_factory=dict)


Recorded: TypeAlias = Annotated[RecordedAlarm | RecordedEvent | RecordedHandling, Field(discriminator="kind")]
AnyRecorded: TypeAlias = RecordedAlarm | RecordedEvent | RecordedHandling
AsItIs: TypeAlias = SerializeAsAny[Recorded]  # spelled by what it is: which of the union is not asked again


class Intent(Value):
    """What is about to be sent, made durable before it leaves. `record` is what the state holds once it succeeded.

    `changes_entry` says that the state has an entry, as sent before, which stays until then. For triggers `baseline` holds
    the work orders that were there before, `run` what is about to start. `phase` grows: opened -> unknown; a settled intent
    is gone.
    """

    id: str
    op: Literal["report", "update", "renew", "clear", "trigger"]
    address: Address
    at: int
    target: str
    record: AsItIs | None = None
    changes_entry: bool = False
    run: Run | None = None
    baseline: tuple[str, ...] = Field(default=(), strict=False)
    phase: Literal["opened", "unknown"] = "opened"
    why: str | None = None


class LastRun(Value):
    """The last apply that changed the state. `plans` are the saved plans applied to it lately, the newest last."""

    at: int
    command: str
    who: str
    plan_id: str | None = None
    plans: tuple[str, ...] = Field(default=(), strict=False)
    exit_code: int
    counts: dict[str, int] = Field(default_factory=dict)


def basis_of(record: AnyRecorded | None) -> str | None:
    """A digest of what a saved plan relies on in a state entry: renewal times, ids, confirmations and secrets apart."""
    match record:
        case None:
            return None
        case RecordedAlarm():
            return digest(["alarm", record.target, record.content, record.digest, record.occurrence, record.protect])
        case RecordedEvent():
            return digest(["event", record.target, record.content, record.digest, record.reported_at])
        case RecordedHandling():
            runs = [[run.occurrence, run.alarm_id, run.ticket, run.outcome] for run in record.runs]
            return digest(["handling", record.target, record.content, record.digest, runs])


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The state as of a serial, with the journal beside it already folded in.

    `lineage` is None when there is no state yet. Treat the mappings as read-only.
    """

    stack: str | None = None
    lineage: str | None = None
    serial: int = 0
    resources: Mapping[Address, AnyRecorded] = field(default_factory=dict)
    pending: Mapping[str, Intent] = field(default_factory=dict)
    last_run: LastRun | None = None
    tool_version: str | None = None
