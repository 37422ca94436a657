"""What the targets showed, as nouns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class LiveAlarm:
    """One record as the server lists it (AOM ListEvents). Instants in ms; `id` is opaque text; `ends_at` 0 means active."""

    id: str
    starts_at: int
    timeout: int | None
    metadata: Mapping[str, str]
    annotations: Mapping[str, Any]
    arrives_at: int | None = None
    ends_at: int = 0
    enterprise_project_id: str | None = None

    @property
    def expires_at(self) -> int | None:
        """When the timeout ends, counted from `starts_at`."""
        return None if self.timeout is None else self.starts_at + self.timeout


@dataclass(frozen=True, slots=True)
class CocAlarm:
    """What COC's ShowAlarm says; `status` is `alarming`, `resolved` or a word we do not know."""

    id: str
    name: str | None
    status: str | None
    owner: str | None = None
    extra: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Live:
    """Active records by target, ended ones where asked for, and COC alarms by (target, id).

    A target that is not in `alarms` could not be listed; a COC alarm that is None is not known to COC.
    """

    alarms: Mapping[str, Sequence[LiveAlarm]] = field(default_factory=dict)
    coc: Mapping[tuple[str, str], CocAlarm | None] = field(default_factory=dict)
    ended: Mapping[str, Sequence[LiveAlarm]] = field(default_factory=dict)
