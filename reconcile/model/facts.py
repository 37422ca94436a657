"""What happens to a snapshot: the records of the journal, and what they make of it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Annotated, Literal, TypeAlias

from pydantic import Field

from reconcile.model.address import Address
from reconcile.model.base import Value
from reconcile.model.snapshot import AnyRecorded, AsItIs, Intent


class Put(Value):
    """The resource at this address is now so."""

    do: Literal["put"] = "put"
    address: Address
    record: AsItIs


class Drop(Value):
    """The address is gone."""

    do: Literal["drop"] = "drop"
    address: Address


class Opened(Value):
    """An intent, before its request leaves (or again, in a later phase)."""

    do: Literal["opened"] = "opened"
    intent: Intent


class Announced(Value):
    """Pushes about to leave, an intent each: once it arrived, the state holds this record at its address. `changing` are those
    where it has another entry until then."""

    do: Literal["announced"] = "announced"
    op: Literal["report", "update", "renew"]
    at: int
    target: str
    records: dict[Address, AsItIs]
    changing: tuple[Address, ...] = Field(default=(), strict=False)

    def intents(self) -> Iterator[Intent]:
        """What is open until it is settled."""
        changing = frozenset(self.changing)
        for address, record in self.records.items():
            yield Intent.trusted(
                id=push_id(self.op, address, self.at),
                op=self.op,
                address=address,
                at=self.at,
                target=self.target,
                record=record,
                changes_entry=address in changing,
                run=None,
                baseline=(),
                phase="opened",
                why=None,
            )


def push_id(op: str, address: Address, at: int) -> str:
    """The intent's id: there is one push of an address at an instant."""
    return f"{op}:{address}:{at}"


class Settled(Value):
    """The intent is answered; `how` says in what way, for people who read the journal."""

    do: Literal["settled"] = "settled"
    intent_id: str
    how: str


class Accepted(Value):
    """These pushes arrived: each entry is now what its intent announced, and the intents are gone."""

    do: Literal["accepted"] = "accepted"
    intent_ids: tuple[str, ...] = Field(strict=False)


class Confirmed(Value):
    """These entries were seen in the list, each with this id."""

    do: Literal["confirmed"] = "confirmed"
    ids: dict[Address, str]


AnyFact: TypeAlias = Put | Drop | Opened | Announced | Settled | Accepted | Confirmed
Fact: TypeAlias = Annotated[AnyFact, Field(discriminator="do")]


def fold(
    facts: Iterable[AnyFact],
    resources: dict[Address, AnyRecorded],
    pending: dict[str, Intent],
) -> None:
    """Apply facts, in order, to the two mappings of a snapshot, in place. Raises KeyError for one about what is not there."""
    for fact in facts:
        match fact:
            case Put():
                resources[fact.address] = fact.record
            case Drop():
                resources.pop(fact.address, None)
            case Opened():
                pending[fact.intent.id] = fact.intent
            case Announced():
                pending.update((intent.id, intent) for intent in fact.intents())
            case Settled():
                pending.pop(fact.intent_id, None)
            case Accepted():
                _accept([pending.pop(id) for id in fact.intent_ids], resources)
            case Confirmed():
                resources.update((a, resources[a].but(confirmation="confirmed", remote_id=id)) for a, id in fact.ids.items())


def _accept(intents: Iterable[Intent], resources: dict[Address, AnyRecorded]) -> None:
    for intent in intents:
        if intent.record is not None:
            resources[intent.address] = intent.record
