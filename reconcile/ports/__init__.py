"""What the verbs need, as small Protocols with their promises in prose. Adapters fulfil them, `cli` connects them."""

from reconcile.model.live import CocAlarm, LiveAlarm
from reconcile.model.snapshot import AnyFact
from reconcile.ports.alarms import AlarmTarget, Sending, Stamp
from reconcile.ports.run import Clock, Observer, Progress, Targets
from reconcile.ports.state import StateSession, StateStore
from reconcile.ports.tasks import HistoryRow, TaskStatus, TaskTarget

__all__ = [
    "AlarmTarget",
    "AnyFact",
    "Clock",
    "CocAlarm",
    "HistoryRow",
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
]
