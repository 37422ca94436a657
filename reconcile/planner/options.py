"""What shapes a plan from the command line. `as_of` in ms; None means now."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from reconcile.model.address import Address, matches
from reconcile.planner.globs import Globs


@dataclass(frozen=True, slots=True)
class PlanOptions:
    """`targets`, `excludes` and `replace`/`rerun` are globs over addresses; `on` names configured targets.

    `allow` holds the budgets of `--allow`: clears and triggers with their number, `empty` with None.
    `renew_only` keeps renewals and nothing else.
    """

    targets: tuple[str, ...] = ()
    excludes: tuple[str, ...] = ()
    on: tuple[str, ...] = ()
    replace: tuple[str, ...] = ()
    rerun: tuple[str, ...] = ()
    allow: Mapping[str, int | None] = field(default_factory=dict)
    destroy: bool = False
    refresh: bool = False
    adopt: bool = False
    renew_only: bool = False
    as_of: int | None = None
    _targets: Globs = field(init=False, repr=False, compare=False)
    _excludes: Globs = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_targets", Globs(self.targets))
        object.__setattr__(self, "_excludes", Globs(self.excludes))

    def document(self) -> dict[str, Any]:
        """What a saved plan keeps of them; only what differs from the default."""
        lists = {"targets": self.targets, "excludes": self.excludes, "on": self.on, "replace": self.replace, "rerun": self.rerun}
        kept: dict[str, Any] = {key: list(value) for key, value in lists.items() if value}
        flags = {"destroy": self.destroy, "refresh": self.refresh, "adopt": self.adopt, "renew_only": self.renew_only}
        return kept | {key: True for key, value in flags.items() if value} | ({"allow": dict(self.allow)} if self.allow else {})

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> PlanOptions:
        """The options a saved plan was made with."""
        known = {"targets", "excludes", "on", "replace", "rerun", "destroy", "refresh", "adopt", "renew_only", "allow"}
        values: dict[str, Any] = {key: tuple(v) if isinstance(v, list) else v for key, v in document.items() if key in known}
        return cls(**values)

    def selects(self, address: Address, target: str, moved_from: Address | None = None) -> bool:
        """Whether the plan looks at this resource. An address it was moved from names it too."""
        names = [address] if moved_from is None else [address, moved_from]
        if self.on and target not in self.on:
            return False
        if self._targets and not any(map(self._targets.name, names)):
            return False
        return not any(map(self._excludes.name, names))

    def wants_replaced(self, address: Address) -> bool:
        """Whether `--replace` names it."""
        return any(matches(glob, address) for glob in self.replace)

    def wants_rerun(self, address: Address) -> bool:
        """Whether `--rerun` names it."""
        return any(matches(glob, address) for glob in self.rerun)
