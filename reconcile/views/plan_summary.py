"""The one line that says what a plan does. Stable: pipelines read it."""

from __future__ import annotations

from collections.abc import Mapping

from reconcile.views.units import counted

_PARTS = (("report", "update", "replace", "adopt", "clear"), ("trigger",), ("renew",), ("move", "forget"), ("defer",))


def summary_line(summary: Mapping[str, int], *, destroy: bool = False) -> str:
    """`Plan: 3 to report, 1 to clear; 1 task to trigger; 2 to renew.` or `No changes. 12 resources match the specs.`"""
    parts = [", ".join(_phrase(action, summary[action]) for action in group if summary.get(action)) for group in _PARTS]
    text = "; ".join(part for part in parts if part)
    if text and any(count for action, count in summary.items() if action not in ("none", "defer")):
        return f"Plan: {text}."
    rest = "Nothing to destroy." if destroy else f"No changes. {_matching(summary.get('none', 0))}"
    return f"{rest} {text[0].upper()}{text[1:]}." if text else rest


def _phrase(action: str, count: int) -> str:
    if action == "trigger":
        return f"{counted(count, 'task')} to trigger"
    return f"{count:,} deferred" if action == "defer" else f"{count:,} to {action}"


def _matching(count: int) -> str:
    return f"{counted(count, 'resource')} {'matches' if count == 1 else 'match'} the specs."
