"""A small shop: three alarms and a task, against an emulator over HTTP."""

from __future__ import annotations

from pathlib import Path

from tests.emulator_fixture import control

SECRETS = {
    "HUAWEICLOUD_SDK_AK": "RECONCILEEMULATORAK1",
    "HUAWEICLOUD_SDK_SK": "reconcile-emulator-secret-key-not-a-real-one",
    "HUAWEICLOUD_SDK_PROJECT_ID": "e0e0e0e0e0e0e0e0e0e0e0e0e0e0e0e0",
}
SPEC = """\
alarms:
  web-1-cpu-high:
    severity: Major
    resource: {provider: ECS, type: CLOUDSERVERS, id: ecs-web-1}
    message: CPU above 90 %
  web-2-unreachable:
    severity: Critical
    resource: {provider: ECS, type: CLOUDSERVERS, id: ecs-web-2}
    message: no answer on port 443
handlings:
  web-1-restart:
    alarm: web-1-cpu-high
    alarm_id: ALM2025071417361705s6mUUrF
    task_type: SCRIPT
    associated_task_id: SC2025071006154101b779eb7
    associated_task_type: CUSTOMIZATION
    associated_task_name: restart-agent
"""
DISK = """\
alarms:
  disk-filling:
    severity: Minor
    resource: {provider: ECS, type: CLOUDSERVERS, id: "ecs-web-1:data"}
    message: 85 % full
"""
CONFIG = """\
version: 1
stack: shop
state: %s
targets:
  aom:
    type: aom
    endpoint: %s
    project_id: ${env.HUAWEICLOUD_SDK_PROJECT_ID}
  coc:
    type: coc
    endpoint: %s
"""


def open_shop(folder: Path, *, emulator: str, state: str) -> None:
    """Write config and specs."""
    (folder / "specs").mkdir(parents=True, exist_ok=True)
    (folder / "reconcile.yaml").write_text(CONFIG % (state, emulator, emulator), "utf-8")
    (folder / "specs" / "web.yaml").write_text(SPEC, "utf-8")


def add_disk(folder: Path) -> None:
    """What a pull request brings: one alarm more."""
    (folder / "specs" / "disk.yaml").write_text(DISK, "utf-8")


def active(emulator: str) -> list[str]:
    """The names of the alarms that are active, sorted."""
    return sorted(row["metadata"]["event_name"] for row in control(emulator, "alarms?state=active"))


def requests(emulator: str) -> int:
    """How many requests the APIs have had."""
    return len(control(emulator, "log"))


def triggered(emulator: str) -> int:
    """How often a task was started."""
    return sum(row["count"] for row in control(emulator, "triggers"))
