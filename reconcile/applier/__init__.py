"""The only verb that acts, through ports: waves, read-back, triggers."""

from reconcile.applier.account import Account
from reconcile.applier.apply import carry_out, check_secrets
from reconcile.applier.look import Look, look
from reconcile.applier.run import Run
from reconcile.applier.settle import settle_pending

__all__ = ["Account", "Look", "Run", "carry_out", "check_secrets", "look", "settle_pending"]
