"""Write a stack of N alarms: about 220 bytes of YAML each, files of 500, and a config. The same N gives the same bytes."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path

PER_FILE = 500
SEVERITIES = ("Critical", "Major", "Minor", "Info")
ALARM = """\
  host-{n:06}-cpu-high:
    name: CPU usage high on host {n:06}
    severity: {severity}
    resource: {{provider: ecs, type: vm, id: ecs-{n:06}}}
    message: CPU above {percent} % for 5 minutes
    probable_cause: runaway batch job
    fix_suggestion: restart the agent
"""
CONFIG = """\
version: 1
stack: bench
default_target: aom
targets:
  aom: {{type: aom, endpoint: "{endpoint}", project_id: bench{settings}}}
"""


def alarm(number: int, *, percent: int = 90) -> str:
    """One alarm as it stands in a file."""
    return ALARM.format(n=number, severity=SEVERITIES[number % 4], percent=percent)


def files(count: int, *, percent: int = 90) -> Iterator[tuple[str, str]]:
    """(name, text) of every spec file."""
    for first in range(0, count, PER_FILE):
        body = "".join(alarm(number, percent=percent) for number in range(first, min(count, first + PER_FILE)))
        yield f"group-{first // PER_FILE:04}.yaml", "alarms:\n" + body


def write_stack(folder: Path, count: int, *, endpoint: str = "embedded", settings: str = "") -> Path:
    """Write config and specs; returns the folder. `settings` are more keys of the target, each with a comma before it."""
    specs = folder / "specs"
    specs.mkdir(parents=True, exist_ok=True)
    for name, text in files(count):
        (specs / name).write_text(text, encoding="utf-8")
    (folder / "reconcile.yaml").write_text(CONFIG.format(endpoint=endpoint, settings=settings), encoding="utf-8")
    return folder


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("count", type=int)
    given = parser.parse_args()
    write_stack(given.folder, given.count)
