"""Machines that come and go: each run has a folder of its own, thrown away when the run is killed; only the place is shared."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from reconcile.emulator.credentials import FIXED_PROJECT_ID
from tests.crash.nest import Nest
from tests.crash.scene import Scene, Specs
from tests.emulator_fixture import control
from tests.shared_state.places import Place

CONFIG = """\
version: 1
stack: shared
guards: {max_clears: 100%}
targets:
  aom: {type: aom, endpoint: "URL", project_id: PROJECT, batch_size: 2, concurrency: 2, confirm_timeout: 1s}
  coc: {type: coc, endpoint: "URL"}
  coc-events:
    {type: coc-events, endpoint: "URL", integration_key: "${env.COC_INTEGRATION_KEY}", application_id: a, namespace: n, source: s}
"""


class Machines(Scene):
    """A scene whose state lies in a place; `work` is the machine at hand."""

    def __init__(self, folder: Path, url: str, nest: Nest, place: Place, name: str) -> None:
        super().__init__(folder, url, nest)
        self.place, self.name = place, name
        self.environ |= place.environ
        self.count = 0
        self.begin(f"{name}-0", None)
        self.configure(place.config(name))

    def configure(self, state: str) -> None:
        """The config with this `state:`."""
        self.config = CONFIG.replace("URL", self.url).replace("PROJECT", FIXED_PROJECT_ID) + state
        (self.work / "reconcile.yaml").write_text(self.config)

    def elsewhere(self) -> None:
        """The machine is gone with its disk; go on at another."""
        specs = (self.work / "specs" / "all.yaml").read_text()
        shutil.rmtree(self.work)
        self.count += 1
        self.work = self.folder / f"{self.name}-{self.count}"
        (self.work / "specs").mkdir(parents=True)
        (self.work / "trail").mkdir()
        (self.work / "reconcile.yaml").write_text(self.config)
        (self.work / "specs" / "all.yaml").write_text(specs)

    def another(self) -> Path:
        """One more machine with the same config and specs, beside the one at hand."""
        self.count += 1
        folder = self.folder / f"{self.name}-{self.count}"
        shutil.copytree(self.work, folder)
        return folder

    def run(self, *argv: str) -> tuple[int, str]:
        """Any command: its exit code and what it printed."""
        status, _ = self.nest.run(*argv, cwd=self.work, folder=self.work / "trail", environ=self.environ)
        return status, self.told()

    def document(self) -> dict[str, Any]:
        """The state as the place has it."""
        return self.place.document(self.name)

    def recover(self) -> list[int]:
        """Break the lock that outlived its holder, as a person does who is told its id; then as on one machine."""
        status, _ = self.apply()
        if status == 4 and self.place.kind == "postgres":
            time.sleep(0.5)  # the server is about to notice that the connection is gone
        elif status == 4:
            found = re.search(r"lock id ([\w-]+)", self.told())
            assert found is not None, self.told()
            status, said = self.run("state", "unlock", found[1])
            assert status == 0, said
        return super().recover()

    def unasked(self) -> dict[str, int]:
        """How often each task ran, declared or not."""
        return {row["task_id"]: len(row["work_orders"]) for row in control(self.url, "triggers")}

    def check_live(self) -> None:
        """What is declared now is active, once and with its content, and nothing else of ours is; no task ran twice."""
        active = [alarm["metadata"] | alarm["annotations"] for alarm in control(self.url, "alarms?state=active")]
        found = sorted((a["event_name"], a["resource_id"], a["event_severity"], a["message"]) for a in active)
        assert found == self.specs.at("aom"), self.told()
        self._check_events()
        assert all(count == 1 for count in self.unasked().values()), self.unasked()

    def start(self, *argv: str) -> subprocess.Popen[str]:
        """`python -m reconcile` on this machine, not waited for."""
        return subprocess.Popen(
            [sys.executable, "-m", "reconcile", *argv],
            cwd=self.work,
            env=self.environ,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def slow(self, seconds: float) -> None:
        """From now on every push is answered late; 0 ends that."""
        faults = [f"PUT:*/push/events*:delay={seconds}"] if seconds else []
        control(self.url, "settings", {"faults": faults})

    def wait_until_it_sends(self) -> None:
        """Until the place knows what is about to be sent: the run holds the lock, and its first push is on its way."""
        end = time.monotonic() + 30
        while not self.document().get("pending"):
            assert time.monotonic() < end
            time.sleep(0.02)
        time.sleep(0.2)  # the run has its answer about that, too; its pushes are answered late


def ended(run: subprocess.Popen[str]) -> tuple[int, str, str]:
    """Its exit code and what it printed."""
    out, err = run.communicate(timeout=120)
    return run.returncode, out, err


__all__ = ["Machines", "Specs", "ended"]
