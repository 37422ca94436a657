"""The only verb that acts, through ports: waves, read-back, triggers."""

from reconcile.applier.account import Account
from reconcile.applier.apply import carry_out, check_secrets
from reconcile.applier.follow import follow_tasks, task_statuses
from reconcile.applier.foreign import foreign_holders
from reconcile.applier.look import Look, look
from reconcile.applier.run import Run
from reconcile.applier.settle import settle_pending

__all__ = [
    "Account",
    "Look",
    "Run",
    "carry_out",
    "check_secrets",
    "follow_tasks",
    "foreign_holders",
    "look",
    "settle_pending",
    "task_statuses",
]
