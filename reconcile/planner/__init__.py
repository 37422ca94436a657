"""Pure: desired + snapshot -> plan. The same input gives the same bytes; no I/O, no clock, no randomness."""

from reconcile.planner.options import PlanOptions
from reconcile.planner.plan import make_plan

__all__ = ["PlanOptions", "make_plan"]
