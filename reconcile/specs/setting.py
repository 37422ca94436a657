"""What every resource of a run is read against: the config's targets, the scope of references, the report. Reads no files."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from reconcile.model.address import Kind
from reconcile.model.config import Config, Target, TargetType
from reconcile.specs import codes
from reconcile.specs.closest import did_you_mean
from reconcile.specs.interpolate import Scope
from reconcile.specs.source import Report, Spot

ALLOWED: dict[Kind, tuple[TargetType, ...]] = {"alarm": ("aom", "coc-events"), "event": ("aom",), "handling": ("coc",)}
_WHY: dict[Kind, str] = {
    "alarm": "alarms go to targets of type aom or coc-events",
    "event": "events go to targets of type aom; COC knows only alarms",
    "handling": "handlings go to targets of type coc",
}


@dataclass(slots=True)
class Setting:
    """Shared by all resources of one load. `notes` gathers warnings."""

    config: Config
    scope: Scope
    report: Report
    notes: list[str] = field(default_factory=list)

    def note(self, spot: Spot, line: int, text: str) -> None:
        """Gather a warning about a resource."""
        self.notes.append(f"{spot.file.name}:{line}: {text}")

    def target(self, kind: Kind, body: dict[str, Any], spot: Spot) -> Target | None:
        """The target a resource names or falls to; None when there is a problem with it, which is then reported."""
        targets = self.config.targets
        name: Any = body.get("target")
        if name is None:
            name = self._default(kind)
            if name is None or name not in targets:
                hint = "give `target`, or `default_target` in the config"
                spot.problem(("target",), codes.TARGET, f"no `target`, and the config has no default: {_WHY[kind]}", hint)
                return None
        if not isinstance(name, str):
            return None  # the types are told apart later
        if name not in targets:
            names = f"the config has {', '.join(sorted(targets))}"
            match = did_you_mean(name, targets, otherwise=names)
            spot.problem(("target",), codes.TARGET, f"there is no target `{name[:80]}`", match)
            return None
        target = targets[name]
        if target.type not in ALLOWED[kind]:
            spot.problem(("target",), codes.TARGET, f"the target `{name}` is of type {target.type}, and {_WHY[kind]}")
            return None
        return target

    def _default(self, kind: Kind) -> str | None:
        default = self.config.default_target
        if kind != "handling" or (default in self.config.targets and self.config.targets[default].type == "coc"):
            return default
        tasks = [name for name, target in self.config.targets.items() if target.type == "coc"]
        return tasks[0] if len(tasks) == 1 else None
