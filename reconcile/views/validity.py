"""The good answer of `validate`. Pure: Desired -> str."""

from __future__ import annotations

from reconcile.model.desired import Desired
from reconcile.views.problems import render_problems
from reconcile.views.style import PLAIN
from reconcile.views.units import counted


def render_valid(desired: Desired, *, form: str) -> str:
    """`Valid: 11 resources in 4 files.`; machines get their empty list of problems."""
    if form in ("json", "sarif"):
        return render_problems([], files=0, form=form, style=PLAIN)
    return f"Valid: {counted(len(desired.declared), 'resource')} in {counted(desired.files, 'file')}.\n"
