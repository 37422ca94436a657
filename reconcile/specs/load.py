"""The two doors of this floor: config and specs, read whole, with every problem at once. What reads specs is imported on use."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from reconcile.kept import Kept
from reconcile.model.config import Config
from reconcile.model.desired import Desired
from reconcile.specs.config import load_config

__all__ = ["load_config", "load_specs"]


def load_specs(config: Config, directory: Path, *, environ: Mapping[str, str], kept: Kept | None = None) -> Desired:
    """Everything the specs declare. Raises InputInvalid with all problems of all files.

    With `kept`, what an earlier load found in the same bytes is not found again; the result is the same.
    """
    if kept is not None:
        from reconcile.specs.recall import recall

        return recall(config, directory, environ=environ, kept=kept)
    from reconcile.specs.reading import read_whole

    return read_whole(config, directory, environ=environ)
