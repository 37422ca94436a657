"""A project against an emulator that is a process of its own, with two alarms and a task; and what the task did there."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.emulator_fixture import control, running_emulator

PROJECT = "0123456789abcdef0123456789abcdef"
TOKEN = "t" * 40
CONFIG = f"""\
version: 1
stack: demo
targets:
  aom: {{type: aom, endpoint: "URL", project_id: {PROJECT}, confirm_timeout: 2s}}
  coc: {{type: coc, endpoint: "URL", settle_time: 1s, request_timeout: 2s}}
"""


@contextmanager
def cloud(project: Path, monkeypatch: pytest.MonkeyPatch, **settings: Any) -> Iterator[str]:
    """Point the project's config at a fresh emulator, whose URL is given."""
    monkeypatch.setenv("HW_AUTH_TOKEN", TOKEN)
    with running_emulator(environ={"HW_AUTH_TOKEN": TOKEN}, **settings) as url:
        (project / "reconcile.yaml").write_text(CONFIG.replace("URL", url), encoding="utf-8")
        yield url


def started(url: str) -> int:
    """How often tasks were started there."""
    return sum(row["count"] for row in control(url, "triggers"))
