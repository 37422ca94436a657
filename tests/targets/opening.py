"""Opens targets against a server of the test, as a run would."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

from reconcile.model.config import Auth, Config, Target
from reconcile.targets.open import OpenTargets, open_targets
from tests.targets.server import SteppingClock

PROJECT = "0123456789abcdef0123456789abcdef"
TOKEN = "MIIC-ready-made-token"
KEY = "abcdefghij0123456789ABCDEFGHIJ01"


def no_embedded() -> Any:
    raise AssertionError("no target of this test is embedded")


def config_of(*targets: Target) -> Config:
    """A config of these targets alone."""
    return Config(targets={target.name: target for target in targets})


def aom(url: str, **changes: Any) -> Target:
    """An AOM target."""
    return Target(name="aom", type="aom", endpoint=url, **{"project_id": PROJECT, **changes})


def coc(url: str, **changes: Any) -> Target:
    """A COC alarm management target."""
    return Target(name="coc", type="coc", endpoint=url, **changes)


def coc_events(url: str, **changes: Any) -> Target:
    """A custom-event target."""
    given = {"integration_key": "${env.COC_INTEGRATION_KEY}", "namespace": "shanghai", "application_id": "app-1", "source": "coc"}
    return Target(name="coc-events", type="coc-events", endpoint=url, **{**given, **changes})


ENVIRON: Mapping[str, str] = {"HW_AUTH_TOKEN": TOKEN, "COC_INTEGRATION_KEY": KEY}


@asynccontextmanager
async def opened(
    *targets: Target, environ: Mapping[str, str] = ENVIRON, clock: SteppingClock | None = None, log: list[str] | None = None
) -> AsyncIterator[OpenTargets]:
    """These targets, open."""
    lines = [] if log is None else log
    async with open_targets(
        config_of(*targets),
        environ=environ,
        embedded=no_embedded,
        clock=clock or SteppingClock(),
        log=lines.append,
    ) as found:
        yield found


__all__ = ["ENVIRON", "KEY", "PROJECT", "TOKEN", "Auth", "aom", "coc", "coc_events", "config_of", "opened"]
