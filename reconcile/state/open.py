"""Open: from the config's `state:` to a store. The only module that chooses a backend."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping
from pathlib import Path

from reconcile.model.config import StateConfig
from reconcile.ports import Clock
from reconcile.state.local import LocalStore


def new_lineage() -> str:
    """A name no other state has."""
    return str(uuid.uuid4())


def open_store(
    config: StateConfig,
    directory: Path,
    *,
    environ: Mapping[str, str],
    clock: Clock,
    tool_version: str,
    entropy: Callable[[], str] = new_lineage,
) -> LocalStore:
    """The store that the config names; a relative path counts from `directory`. Touches nothing yet."""
    return LocalStore(directory / config.path, tool_version=tool_version, clock=clock, entropy=entropy, environ=environ)
