"""What can be switched: where the documents are silent, one hypothesis each. Knows no server, no database, no wire."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Any, Literal

from reconcile.emulator.faults import Fault, parse_fault

CHOICES: dict[str, tuple[str, ...]] = {
    "identity": ("core", "metadata"),
    "repeat": ("update", "ignore", "second"),
    "clear_by": ("id", "metadata"),
    "dialect": ("any", "current", "legacy", "cn-2021"),
    "expiry_from": ("starts_at", "arrival"),
    "range_on": ("starts_at", "arrives_at"),
    "unknown_clear": ("accept", "refuse"),
    "task_outcome": ("succeed", "fail"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """One server's behaviour. Every field can also be changed at run time by `POST /_emulator/settings`.

    identity       what makes two reports the same alarm: name and resource (core), or all metadata
    repeat         what a report of an active alarm does: update in place, nothing (ignore), or a second record
    clear_by       how a clear finds its record; without an id in it, always by metadata (dialect current refuses that)
    dialect        whose rules bind; `any` keeps to what all three documents demand
    lag            seconds until a change shows in ListEvents
    page_info      off: the old editions, which answer everything at once, without a page_info
    listing        off: ListEvents is not granted (403)
    expiry_from    what the timeout is counted from
    range_on       which instant the time_range of ListEvents is laid on
    unknown_clear  what a clear of nothing active is: accepted, or a 400
    max_batch      events a push may hold, else 413; 0 is no bound
    refuse         globs of resource ids whose reports are a 400: a poisoned event within a batch
    history_lag    seconds until a work order shows in handle-histories
    task_seconds   how long a work order runs, and task_outcome how it ends
    auth_required  off when embedded: no credentials are asked for
    keep_bodies    whether the request log keeps bodies, which may hold secrets
    """

    identity: Literal["core", "metadata"] = "core"
    repeat: Literal["update", "ignore", "second"] = "update"
    clear_by: Literal["id", "metadata"] = "id"
    dialect: Literal["any", "current", "legacy", "cn-2021"] = "any"
    lag: float = 0.0
    page_info: bool = True
    listing: bool = True
    expiry_from: Literal["starts_at", "arrival"] = "starts_at"
    range_on: Literal["starts_at", "arrives_at"] = "starts_at"
    unknown_clear: Literal["accept", "refuse"] = "accept"
    max_batch: int = 0
    refuse: tuple[str, ...] = ()
    history_lag: float = 0.0
    task_seconds: float = 1.0
    task_outcome: Literal["succeed", "fail"] = "succeed"
    faults: tuple[Fault, ...] = ()
    auth_required: bool = False
    keep_bodies: bool = False

    def __post_init__(self) -> None:
        for name, allowed in CHOICES.items():
            if getattr(self, name) not in allowed:
                raise ValueError(f"{name} must be one of {', '.join(allowed)}, not {getattr(self, name)!r}")
        for name in ("lag", "max_batch", "history_lag", "task_seconds"):
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, int | float) or value < 0:
                raise ValueError(f"{name} must be a number from 0 up, not {value!r}")
        for name in ("page_info", "listing", "auth_required", "keep_bodies"):
            if not isinstance(getattr(self, name), bool):
                raise ValueError(f"{name} must be true or false, not {getattr(self, name)!r}")


def changed(settings: Settings, wanted: Mapping[str, Any]) -> Settings:
    """The settings with some replaced, as JSON spells them: `-` or `_` in names, faults as text. Raises ValueError."""
    known = {f.name for f in fields(Settings)}
    values = {name.replace("-", "_"): value for name, value in wanted.items()}
    if strangers := sorted(set(values) - known):
        raise ValueError(f"unknown setting {', '.join(strangers)}; there are {', '.join(sorted(known))}")
    if "faults" in values:
        values["faults"] = tuple(f if isinstance(f, Fault) else parse_fault(f) for f in values["faults"])
    if "refuse" in values:
        values["refuse"] = tuple(values["refuse"])
    return replace(settings, **values)


def shown(settings: Settings) -> dict[str, Any]:
    """The settings as JSON, readable by `changed`."""
    values: dict[str, Any] = {f.name: getattr(settings, f.name) for f in fields(Settings)}
    return values | {"faults": [f.text for f in settings.faults], "refuse": list(settings.refuse)}
