"""The one place that chooses adapters: from the command line and the environment to config, specs, state and targets.

Adapters are imported where they are needed, so that `validate` never loads what only an apply uses.
"""

from __future__ import annotations

import getpass
import os
import socket
import time
from collections.abc import Callable, Mapping
from contextlib import AbstractAsyncContextManager
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from reconcile import __version__
from reconcile.cli.collecting import uncollected
from reconcile.cli.given import Given

if TYPE_CHECKING:
    from reconcile.kept import Kept
    from reconcile.model.config import Config
    from reconcile.model.desired import Desired
    from reconcile.ports import Targets
    from reconcile.state.open import Store


class SystemClock:
    """The machine's clock."""

    def now(self) -> int:
        """Milliseconds since the epoch, UTC."""
        return time.time_ns() // 1_000_000

    async def sleep(self, seconds: float) -> None:
        """Wait; cancellable."""
        import asyncio

        await asyncio.sleep(seconds)


def who() -> str:
    """user@host, as far as the machine knows."""
    try:
        return f"{getpass.getuser()}@{socket.gethostname()}"
    except (KeyError, OSError):
        return f"uid {os.getuid()}@{socket.gethostname()}"


class Session:
    """What one run of the tool works with; each part is read when first asked for.

    `copy` is a file with the state, looked at in place of the configured one; a run that writes is never given one.
    """

    def __init__(self, given: Given, environ: Mapping[str, str] = os.environ, *, copy: Path | None = None) -> None:
        self.given = given
        self.copy = copy
        self.environ = environ
        self.clock = SystemClock()

    @cached_property
    def config(self) -> Config:
        """The checked config. Raises InputInvalid."""
        from reconcile.specs.load import load_config

        given = self.given
        return load_config(given.chdir, given.config, var=given.var, var_files=given.var_file, environ=self.environ)

    @cached_property
    def desired(self) -> Desired:
        """The checked specs. Raises InputInvalid."""
        from reconcile.specs.load import load_specs

        config = self.config
        with uncollected():
            return load_specs(config, self.given.chdir, environ=self.environ, kept=self.kept)

    @cached_property
    def kept(self) -> Kept:
        """What earlier runs left to save time: RECONCILE_CACHE_DIR, or `.reconcile/cache`. Deleting it changes nothing else."""
        from reconcile.kept import Kept

        folder = self.environ.get("RECONCILE_CACHE_DIR")
        return Kept(Path(folder) if folder else self.given.chdir / ".reconcile" / "cache")

    @cached_property
    def store(self) -> Store:
        """Where the state is kept."""
        from reconcile.model.config import StateConfig
        from reconcile.state.open import open_store

        return open_store(
            self.config.state if self.copy is None else StateConfig(path=str(self.copy)),
            self.given.chdir,
            environ=self.environ,
            clock=self.clock,
            tool_version=__version__,
            kept=self.kept,
        )

    def targets(self, log: Callable[[str], None]) -> AbstractAsyncContextManager[Targets]:
        """The configured targets, each opened when first used."""
        from reconcile.targets.open import open_targets

        return open_targets(
            self.config,
            environ=self.environ,
            embedded=self._embedded,
            clock=self.clock,
            log=log,
            directory=self.given.chdir,
            secrets=self.sent_secrets(),
        )

    def sent_secrets(self) -> list[str]:
        """The values behind the `${secret.env.X}` of the specs, where these were read: whatever the variables are called."""
        from reconcile.model.template import references

        read: Desired | None = self.__dict__.get("desired")
        templates = [text for declared in read.with_secrets() for text in declared.secrets.values()] if read else []
        return [self.environ[named.name] for text in templates for named in references(text) if named.name in self.environ]

    def _embedded(self) -> Any:
        """The emulator inside the tool, its world kept beside the state."""
        from reconcile.emulator.app import make_app
        from reconcile.emulator.settings import Settings

        state = self.config.state
        folder = self.given.path(Path(state.path)).parent if state.backend == "local" else self.given.path(Path("state"))
        folder.mkdir(parents=True, exist_ok=True)
        return make_app(folder / "emulator.sqlite", Settings(auth_required=False), self.environ)

    def exported(self) -> str:
        """The state as its file would be, journal folded in, safe for a terminal. Raises StateUnusable when there is none."""
        from reconcile.state.exchange import export
        from reconcile.views.inert import inert_json

        return inert_json(export(self.store.read()).decode("utf-8"))


def opened(session: Session, to: Path) -> Store:
    """The store of another config, or of a state file named as such."""
    from reconcile.model.config import StateConfig
    from reconcile.specs.load import load_config
    from reconcile.state.open import open_store

    given, environ = session.given, session.environ
    if to.suffix == ".json":
        state = StateConfig(path=str(to))
    else:
        state = load_config(given.chdir, to, var=given.var, var_files=given.var_file, environ=environ).state
    return open_store(state, given.chdir, environ=environ, clock=session.clock, tool_version=__version__)
