"""The kept versions of a state, as text and as a document. Pure."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Protocol

from reconcile.model.instants import to_seconds
from reconcile.model.snapshot import LastRun
from reconcile.views.inert import inert
from reconcile.views.units import counted


class Version(Protocol):
    """One kept version; `place` is where it lies."""

    @property
    def serial(self) -> int:
        """Grows with every write."""
        ...

    @property
    def place(self) -> str:
        """Where."""
        ...

    @property
    def last_run(self) -> LastRun | None:
        """What wrote it."""
        ...

    @property
    def resources(self) -> int:
        """How many it holds."""
        ...


def render_history(versions: Sequence[Version]) -> str:
    """A line per version."""
    width = max((len(str(version.serial)) for version in versions), default=0)
    return "".join(_line(version, width) + "\n" for version in versions) or "No state yet.\n"


def _line(version: Version, width: int) -> str:
    last = version.last_run
    words = f"{to_seconds(last.at)}  {last.command} by {last.who}" if last else "nobody knows when"
    return inert(f"serial {version.serial:>{width}}  {words}  {counted(version.resources, 'resource')}  {version.place}")


def history_document(versions: Sequence[Version]) -> str:
    """The same as a JSON list."""
    rows = [
        {
            "serial": version.serial,
            "place": version.place,
            "resources": version.resources,
            "last_run": version.last_run.model_dump(mode="json") if version.last_run else None,
        }
        for version in versions
    ]
    return json.dumps(rows, indent=2) + "\n"
