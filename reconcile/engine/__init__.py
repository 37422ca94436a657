"""The use cases, in the order the data flows. Knows no adapter: `cli` hands in stores, targets and clocks."""

from reconcile.engine.apply import Applying, ViolationsFound, apply
from reconcile.engine.plan import Base, drift, plan, refreshed_plan, stack_of
from reconcile.engine.surgery import edit_state, find_unmanaged, import_one

__all__ = [
    "Applying",
    "Base",
    "ViolationsFound",
    "apply",
    "drift",
    "edit_state",
    "find_unmanaged",
    "import_one",
    "plan",
    "refreshed_plan",
    "stack_of",
]
