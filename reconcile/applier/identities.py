"""Identities that one change gives up and another one takes: none is reported again while its predecessor may be active.

A clear by metadata could else take the new alarm with the old one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

from reconcile.applier.run import Run
from reconcile.model.change import Clear, Renew, Replace, Report, Update
from reconcile.model.resources import Alarm

T = TypeVar("T", bound=Report | Update | Renew | Replace)


def hold_back(run: Run, givers: Sequence[Clear | Replace], takers: Sequence[T]) -> list[T]:
    """The takers whose identity is free; the others end as skipped. `givers` were to be cleared first."""
    kept = {_identity(giver.before.content): giver for giver in givers if giver.address in run.failed}
    free: list[T] = []
    for taker in takers:
        giver = kept.get(_identity(taker.after.content)) if isinstance(taker.after.resource, Alarm) else None
        if giver is None or giver.address == taker.address:
            free.append(taker)
        else:
            run.ended(taker, "skipped", f"{giver.address}, which has this identity, was not cleared; the next run tries again")
    return free


def _identity(content: Mapping[str, Any]) -> tuple[Any, ...]:
    about = content["resource"]
    project = content.get("enterprise_project_id") or "0"
    return (content["target"], project, content["name"], about["provider"], about["type"], about["id"])
