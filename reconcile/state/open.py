"""Open: from the config's `state:` to a store. The only module that chooses a backend."""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TypeAlias, assert_never

from reconcile.kept import Kept
from reconcile.model.config import StateConfig
from reconcile.ports import Clock
from reconcile.state.local import LocalStore
from reconcile.state.remote import RemoteStore

Store: TypeAlias = LocalStore | RemoteStore


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
    kept: Kept | None = None,
) -> Store:
    """The store that the config names; a relative path counts from `directory`. Touches nothing yet.

    Raises InputInvalid for options that the backend does not have, SecretMissing for a variable that is not set.
    """
    options = config.options
    match config.backend:
        case "local":
            return LocalStore(
                directory / config.path, tool_version=tool_version, clock=clock, entropy=entropy, environ=environ, kept=kept
            )
        case "http":
            from reconcile.state.http import http_place

            place = http_place(options, environ)
        case "s3":
            from reconcile.state.s3 import s3_place

            place = s3_place(options, environ)
        case "postgres":
            from reconcile.state.postgres import postgres_place

            place = postgres_place(options, environ)
        case _:
            assert_never(config.backend)
    name = hashlib.sha256(place.where.encode()).hexdigest()[:8]
    desk = directory / "state" / f"{config.backend}-{name}"
    return RemoteStore(place, desk=desk, tool_version=tool_version, clock=clock, entropy=entropy, environ=environ)
