"""What makes two reports the same alarm (contract section 1)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from reconcile.model.address import Address
from reconcile.model.config import Target

Identity = tuple[str, ...]


def identity_of(target: str, content: Mapping[str, Any], address: Address, targets: Mapping[str, Target]) -> Identity:
    """AOM: target, enterprise project, name, provider, type, id. COC events: the alarmId, one address for life."""
    configured = targets.get(target)
    if configured is not None and configured.type == "coc-events":
        return (target, address)
    resource = content["resource"]
    project = content.get("enterprise_project_id") or "0"
    return (target, project, content["name"], resource["provider"], resource["type"], resource["id"])
