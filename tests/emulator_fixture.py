"""The emulator as a separate process, for whoever needs real HTTP: its request log is the truth that tests compare with."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any
from urllib.request import ProxyHandler, Request, build_opener

CREDENTIALS = ("HUAWEICLOUD_", "HW_", "COC_", "OS_")
_DIRECT = build_opener(ProxyHandler({}))


def without_credentials(environ: Mapping[str, str]) -> dict[str, str]:
    """An environment in which only the fixed credentials are valid."""
    return {name: value for name, value in environ.items() if not name.startswith(CREDENTIALS)}


@contextmanager
def running_emulator(*, environ: Mapping[str, str] | None = None, **settings: Any) -> Iterator[str]:
    """Start `python -m reconcile.emulator` and yield its URL; it is ended, and must end with 0, when the block ends.

    Settings are spelled as in `Settings` (`repeat="second"`, `listing=False`, `faults=["PUT:*:503@1"]`), and `database=PATH`.
    `environ` is added to an environment without credentials.
    """
    command = [sys.executable, "-m", "reconcile.emulator", "--json", *_arguments(settings)]
    env = without_credentials(os.environ) | dict(environ or {})
    with subprocess.Popen(command, env=env, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        try:
            yield json.loads(server.stdout.readline())["url"]
        finally:
            server.terminate()
            assert server.wait(timeout=10) == 0


def _arguments(settings: Mapping[str, Any]) -> Iterator[str]:
    for name, value in settings.items():
        if name in ("page_info", "listing"):
            if not value:
                yield {"page_info": "--no-page-info", "listing": "--no-list"}[name]
        elif name in ("faults", "refuse"):
            for one in value:
                yield from ("--fault" if name == "faults" else "--refuse", one)
        else:
            yield from ("--" + name.replace("_", "-"), str(value))


def control(url: str, path: str, body: Mapping[str, Any] | None = None) -> Any:
    """Ask `/_emulator/PATH`: GET without a body, POST with one."""
    request = Request(f"{url}/_emulator/{path}", None if body is None else json.dumps(body).encode())
    with _DIRECT.open(request, timeout=10) as answer:
        return json.load(answer)
