"""Warnings that are no errors, on stderr. Knows nothing of what they are about."""

from __future__ import annotations

from collections.abc import Iterable

from reconcile.cli.given import Given
from reconcile.cli.streams import tell


def tell_notes(notes: Iterable[str], given: Given) -> None:
    """Each note on a line of its own, unless `--quiet`."""
    from reconcile.views.inert import inert

    if not given.quiet:
        for note in notes:
            tell(f"Warning: {inert(note)}\n", "warning")
