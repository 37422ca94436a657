"""The use cases, in the order the data flows. Knows no adapter: `cli` hands in stores, targets and clocks.

What acts is imported on first use: a plan needs none of it.
"""

from typing import TYPE_CHECKING, Any

from reconcile.engine.plan import Base, drift, plan, refreshed_plan, stack_of

if TYPE_CHECKING:
    from reconcile.engine.apply import Applying, ViolationsFound, apply
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


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(name)
    from reconcile.engine.apply import Applying, ViolationsFound, apply
    from reconcile.engine.surgery import edit_state, find_unmanaged, import_one

    found = (Applying, ViolationsFound, apply, edit_state, find_unmanaged, import_one)
    globals().update({one.__name__: one for one in found})
    return globals()[name]
