"""What a run knows, in the Prometheus text format, for a textfile collector. Needs the extra `metrics`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from reconcile.errors import CommandLineWrong
from reconcile.model.change import ACTIONS

if TYPE_CHECKING:
    from prometheus_client import CollectorRegistry

    from reconcile.model.change import Drift
    from reconcile.model.snapshot import Snapshot

_DRIFTS = ("missing", "changed", "twin", "expired", "unconfirmed", "orphan")
_ACTIONS = tuple(action for action in ACTIONS if action != "none")
_KINDS = ("alarm", "event", "handling")


@dataclass(frozen=True, slots=True, kw_only=True)
class Measures:
    """What is told. Instants in ms, `duration` in seconds; what is None or not there is left out of the text.

    `last_success` is when a run of this command last ended with 0 (or 2, for changes), this one included.
    """

    stack: str
    command: str
    exit_code: int
    managed: Mapping[str, int] = field(default_factory=dict)
    changes: Mapping[str, int] | None = None
    drift: Mapping[str, int] | None = None
    pending: int = 0
    next_expiry: int | None = None
    last_success: int | None = None
    duration: float | None = None


def measures_of(
    snapshot: Snapshot,
    document: Mapping[str, Any] | None = None,
    *,
    command: str,
    exit_code: int,
    now: int,
    duration: float,
    drift: Iterable[Drift] | None = None,
    earlier: str | None = None,
) -> Measures:
    """The measures of a run that ended: the state as it is now, and the plan if there was one.

    `drift` is None where nobody looked at what is live. `earlier` is the text the last run of this command left behind:
    from it a failed run takes over the last success.
    """
    good = exit_code in (0, 2)
    kinds: Counter[str] = Counter(record.kind for record in snapshot.resources.values())
    ends = [ends for record in snapshot.resources.values() if (ends := getattr(record, "expires_at", None)) is not None]
    return Measures(
        stack=snapshot.stack or (document or {}).get("stack", ""),
        command=command,
        exit_code=exit_code,
        managed={kind: kinds[kind] for kind in _KINDS},
        changes=None if document is None else document["summary"],
        drift=None if drift is None else Counter(found.kind for found in drift),
        pending=len(snapshot.pending),
        next_expiry=min(ends, default=None),
        last_success=now if good else last_success_in(earlier or "", command),
        duration=duration,
    )


def render_metrics(measures: Measures) -> str:
    """The text. Raises CommandLineWrong where the extra is not installed."""
    try:
        from prometheus_client import CollectorRegistry, generate_latest
    except ImportError as error:
        raise _missing() from error
    registry = CollectorRegistry(auto_describe=False)
    _fill(registry, measures)
    return generate_latest(registry).decode()


def _missing() -> CommandLineWrong:
    hint = "pip install '.[metrics]' in a checkout of this tool"
    return CommandLineWrong("--metrics needs a package that is not installed", hint=hint)


def _fill(registry: CollectorRegistry, measures: Measures) -> None:
    from prometheus_client import Gauge

    labels = {"stack": measures.stack.encode("utf-8", "backslashreplace").decode()}

    def tell(name: str, help_text: str, value: float | None, **more: str) -> None:
        if value is not None:
            Gauge(f"reconcile_{name}", help_text, list(labels | more), registry=registry).labels(**labels, **more).set(value)

    def tell_each(name: str, help_text: str, label: str, values: Mapping[str, int] | None) -> None:
        if values is not None:
            gauge = Gauge(f"reconcile_{name}", help_text, [*labels, label], registry=registry)
            for key in values:
                gauge.labels(**labels, **{label: key}).set(values[key])

    tell_each("managed_resources", "Resources in the state, by kind.", "kind", measures.managed)
    tell_each("plan_changes", "Resources by what the last plan does to them.", "action", _filled(_ACTIONS, measures.changes))
    tell_each("drifted_alarms", "Differences between live and state, by kind.", "kind", _filled(_DRIFTS, measures.drift))
    tell("pending_operations", "Operations without an answer.", measures.pending)
    tell("next_expiry_timestamp_seconds", "When the first alarm runs out unless renewed.", _seconds(measures.next_expiry))
    command = {"command": measures.command}
    tell("last_success_timestamp_seconds", "When this command last succeeded.", _seconds(measures.last_success), **command)
    tell("last_run_exit_code", "How this command last ended.", measures.exit_code, **command)
    tell("last_run_duration_seconds", "How long this command last took.", measures.duration, **command)


def _filled(keys: Iterable[str], counts: Mapping[str, int] | None) -> dict[str, int] | None:
    return None if counts is None else {key: counts.get(key, 0) for key in keys}


def _seconds(ms: int | None) -> float | None:
    return None if ms is None else ms / 1000


def last_success_in(text: str, command: str) -> int | None:
    """When the command last succeeded, in ms, according to what an earlier run left behind; None for anything else."""
    if not text:
        return None
    try:
        from prometheus_client.parser import text_string_to_metric_families
    except ImportError as error:
        raise _missing() from error
    try:
        for family in text_string_to_metric_families(text):
            for sample in family.samples:
                if sample.name == "reconcile_last_success_timestamp_seconds" and sample.labels.get("command") == command:
                    return round(sample.value * 1000)
    except (ValueError, KeyError, IndexError, OverflowError):
        return None
    return None
