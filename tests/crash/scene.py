"""A small project against a real emulator process, before and after an edit, and what must be true once all is applied."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from reconcile.emulator.credentials import FIXED_DOMAIN, FIXED_PASSWORD, FIXED_PROJECT_ID, FIXED_TOKEN, FIXED_USER
from reconcile.state.journal import parse
from tests.crash.nest import Nest
from tests.emulator_fixture import control

STATE = "state/default.json"
KEY = "CanaryFreeIntegrationKey00000001"
CONFIG = """\
version: 1
stack: crash
guards: {max_clears: 100%}
targets:
  aom:
    {type: aom, endpoint: "URL", project_id: PROJECT, batch_size: 2, concurrency: 2, confirm_timeout: 2s, request_timeout: LONG}
  coc: {type: coc, endpoint: "URL", request_timeout: LONG}
  coc-events:
    {type: coc-events, endpoint: "URL", integration_key: "${env.COC_INTEGRATION_KEY}", application_id: a, namespace: n, source: s}
"""
ALARM = """\
  {name}:
    {{severity: {severity}, resource: {{provider: ECS, type: vm, id: "{id}"}}, message: "{message}", target: {target}}}
"""
HANDLING = """\
  {name}:
    alarm: {alarm}
    alarm_id: {alarm_id}
    task_type: SCRIPT
    associated_task_id: {task}
    associated_task_type: CUSTOMIZATION
    associated_task_name: restart
    input_param: {{timeout: 300, execute_user: root, success_rate: 100}}
"""


def alarm_id(handling: str) -> str:
    """The aggregated alarm that a handling is for."""
    return f"ALM{handling:0<23}"


@dataclass(frozen=True)
class Specs:
    """Alarms as name -> (severity, resource id, message, target), events as name -> message, handlings as name -> alarm."""

    alarms: dict[str, tuple[str, str, str, str]]
    events: dict[str, str] = field(default_factory=dict)
    handlings: dict[str, str] = field(default_factory=dict)

    def text(self) -> str:
        """As YAML."""
        text = "alarms:\n"
        for name, (severity, ident, message, target) in self.alarms.items():
            text += ALARM.format(name=name, severity=severity, id=ident, message=message, target=target)
        text += "events:\n" if self.events else ""
        for name, message in self.events.items():
            text += f"  {name}: {{severity: Info, resource: {{provider: app, type: release, id: r}}, message: {message}}}\n"
        text += "handlings:\n" if self.handlings else ""
        for name, alarm in self.handlings.items():
            text += HANDLING.format(name=name, alarm=alarm, alarm_id=alarm_id(name), task=f"SC{name}")
        return text

    def at(self, target: str) -> list[tuple[str, ...]]:
        """(name, resource id, severity, message) of what must be active there."""
        found = [(n, i, s, m) for n, (s, i, m, t) in self.alarms.items() if t == target]
        return sorted(found if target == "aom" else [(i, s, m) for _, i, s, m in found])


BEFORE = Specs(
    alarms={
        "kept": ("Major", "vm-kept", "as it was", "aom"),
        "changed": ("Major", "vm-changed", "before", "aom"),
        "elsewhere": ("Minor", "vm-old", "moves on", "aom"),
        "gone": ("Minor", "vm-gone", "over soon", "aom"),
        "pool": ("Critical", "db-pool", "before", "coc-events"),
    },
    events={"deployed": "v1"},
    handlings={"first": "kept"},
)
AFTER = Specs(
    alarms={
        "kept": ("Major", "vm-kept", "as it was", "aom"),
        "changed": ("Critical", "vm-changed", "after", "aom"),
        "elsewhere": ("Minor", "vm-new", "moves on", "aom"),
        "new": ("Info", "vm-extra", "hello", "aom"),
        "pool": ("Critical", "db-pool", "after", "coc-events"),
    },
    events={"deployed": "v2"},
    handlings={"first": "kept", "second": "new", "third": "new", "fourth": "changed"},
)
GIVEN_UP = {"vm-old", "vm-gone"}


class Broken(AssertionError):
    """A promise was broken."""


class Scene:
    """One project folder, one emulator, one nest."""

    def __init__(self, folder: Path, url: str, nest: Nest) -> None:
        self.folder, self.url, self.nest = folder, url, nest
        self.patience = "30s"
        self.twice = False  # a proxy between us and the server delivers requests twice, which nobody here can help
        self.environ = {
            "PATH": os.environ["PATH"],
            "HW_AUTH_TOKEN": FIXED_TOKEN,
            "COC_INTEGRATION_KEY": KEY,
            "PYTHONDONTWRITEBYTECODE": "1",
            "PYTHONPATH": str(Path(__file__).parents[2]),
        }

    def begin(self, name: str, specs: Specs | None) -> None:
        """An empty world in a folder of its own; with specs, one in which these were applied."""
        self.work = self.folder / name
        (self.work / "specs").mkdir(parents=True)
        (self.work / "trail").mkdir()
        config = CONFIG.replace("URL", self.url).replace("PROJECT", FIXED_PROJECT_ID).replace("LONG", self.patience)
        (self.work / "reconcile.yaml").write_text(config)
        control(self.url, "reset", {})
        for handling in {**BEFORE.handlings, **AFTER.handlings}:
            control(self.url, "coc-alarms", {"id": alarm_id(handling)})
        if specs is not None:
            self.edit(specs)
            status, _ = self.apply()
            assert status == 0, self.told()

    def edit(self, specs: Specs) -> None:
        """Declare this and nothing else."""
        self.specs = specs
        (self.work / "specs" / "all.yaml").write_text(specs.text())

    def log_in_with_password(self) -> None:
        """From now on every run asks for a token of its own first."""
        del self.environ["HW_AUTH_TOKEN"]
        named = {
            "USER_NAME": FIXED_USER,
            "USER_PASSWORD": FIXED_PASSWORD,
            "DOMAIN_NAME": FIXED_DOMAIN,
            "AUTH_URL": self.url + "/v3",
        }
        self.environ |= {f"HW_{name}": value for name, value in named.items()}

    def apply(self, kill_at: int | None = None) -> tuple[int, list[str]]:
        """One apply in a process of its own."""
        argv = ("apply", "--auto-approve")
        return self.nest.run(*argv, cwd=self.work, folder=self.work / "trail", environ=self.environ, kill_at=kill_at)

    def told(self) -> str:
        """What the last run printed."""
        return (self.work / "trail" / "out").read_text() + (self.work / "trail" / "err").read_text()

    def document(self) -> dict[str, Any]:
        """The state as it lies there; it and its journal are readable whenever one looks."""
        path = self.work / STATE
        journal = path.with_name(path.name + ".journal")
        if journal.exists():
            parse(journal.read_bytes(), where=str(journal))
        return json.loads(path.read_text()) if path.exists() else {}

    def recover(self) -> list[int]:
        """Apply until it exits with 0 or 7; no hand touches a file. Then compare with what the server knows."""
        codes: list[int] = []
        self.document()
        while not codes or (codes[-1] not in (0, 7) and len(codes) < 3):
            codes.append(self.apply()[0])
        if codes[-1] not in (0, 7):
            raise Broken(f"exit codes {codes}: {self.told()}")
        self.check(unknown=codes[-1] == 7)
        return codes

    def check(self, *, unknown: bool) -> None:
        """Everything declared is active once, nothing else was cleared, and no task ran twice."""
        active = control(self.url, "alarms?state=active")
        found = sorted((m["event_name"], m["resource_id"], m["event_severity"], a["annotations"]["message"])
                       for a in active for m in [a["metadata"]])  # fmt: skip
        _same(found, self.specs.at("aom"), "active alarms")
        cleared = {a["metadata"]["resource_id"] for a in control(self.url, "alarms?state=cleared")}
        if not cleared <= GIVEN_UP:
            raise Broken(f"cleared by mistake: {cleared - GIVEN_UP}")
        self._check_events()
        self._check_tasks(unknown=unknown)

    def _check_events(self) -> None:
        events = control(self.url, "coc-events")
        bodies = [event["body"] for event in events if event["status"] == "alarm"]
        found = sorted((body["resourceId"], body["alarmLevel"], body["alarmDesc"]) for body in bodies)
        _same(found, self.specs.at("coc-events"), "COC's alarms")

    def _check_tasks(self, *, unknown: bool) -> None:
        ran = {row["task_id"]: row["work_orders"] for row in control(self.url, "triggers")}
        document = self.document()
        open_now = {intent["address"] for intent in document["pending"]}
        if bool(open_now) is not unknown:
            raise Broken(f"pending {open_now}, unknown {unknown}")
        for name in self.specs.handlings:
            orders = ran.get(f"SC{name}", [])
            record = document["resources"].get(f"handling.{name}", {"runs": []})
            known = [run["ticket"] for run in record["runs"]]
            if self.twice and len(orders) == 2 and set(known) <= set(orders):
                continue
            if len(orders) > 1:
                raise Broken(f"{name} ran {len(orders)} times: {orders}")
            if f"handling.{name}" not in open_now and known != orders:
                raise Broken(f"{name}: the state knows {known}, the server {orders}")
            if f"handling.{name}" in open_now and orders:
                raise Broken(f"{name} stays unknown although its history shows {orders}")


def _same(found: object, expected: object, what: str) -> None:
    if found != expected:
        raise Broken(f"{what}: {found}, declared {expected}")
