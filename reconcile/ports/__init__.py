"""What the verbs need, as small Protocols with their promises in prose. Adapters fulfil them, `cli` connects them."""

from reconcile.model.facts import AnyFact
from reconcile.model.live import CocAlarm, LiveAlarm
from reconcile.ports.alarms import AlarmTarget, Lean, Sending, Stamp, as_listed
from reconcile.ports.run import Clock, Observer, Progress, Targets
from reconcile.ports.state import StateSession, StateStore
from reconcile.ports.tasks import HistoryRow, TaskStatus, TaskTarget

__all__ = [
    "AlarmTarget",
    "AnyFact",
    "Clock",
    "CocAlarm",
    "HistoryRow",
    "Lean",
    "LiveAlarm",
    "Observer",
    "Progress",
    "Sending",
    "Stamp",
    "StateSession",
    "StateStore",
    "Targets",
    "TaskStatus",
    "TaskTarget",
    "as_listed",
]
