"""Drift as a comment or an issue: the counts first, then what fits of the details. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from reconcile.model.change import Drift
from reconcile.model.instants import instant
from reconcile.model.rows import drift_row
from reconcile.model.snapshot import Snapshot
from reconcile.views.commonmark import Purse, code, fence, folded, marker
from reconcile.views.drift_views import Tasks, drift_summary, task_words
from reconcile.views.markdown_rows import drift_block
from reconcile.views.units import counted

_ROOM = 2_000


def render_drift_markdown(
    found: Sequence[Drift], snapshot: Snapshot, *, as_of: int, tasks: Tasks | None = None, max_bytes: int = 60_000
) -> str:
    """At most `max_bytes`, with a hidden marker by which a pipeline finds it again."""
    stack = snapshot.stack or ""
    head = [marker("drift", stack), f"### Alarm drift for {code(stack or '(unnamed)', 100)}", drift_summary(found, snapshot)]
    purse = Purse(max_bytes - _ROOM)
    blocks = list(purse.buy(drift_block(drift_row(drift)) for drift in found))
    parts = [fence(blocks)] if blocks else []
    if left := len(found) - len(blocks):
        parts.append(
            f"> [!NOTE]\n> Left out, so that it fits: {counted(left, 'difference')}. All of it: `reconcile drift --json`"
        )
    lines = list(purse.buy(f"- {code(address)}: {code(task_words(*task))}" for address, task in (tasks or {}).items()))
    if lines:
        parts.append(folded(f"Tasks ({len(tasks or {}):,})", "\n".join(lines)))
    foot = f"<sub>state serial {snapshot.serial:,} · as of {code(instant(as_of), 40)}</sub>"
    return "\n\n".join([*head, *parts, foot]) + "\n"
