"""The tool as a process, on stacks made for the measurement: what it takes to plan, to look at the state, and to show a plan."""

from __future__ import annotations

import shutil
from pathlib import Path

from generate import write_stack
from live import apply, tool
from measure import PYTHON, ROOT, RUNS, Took, in_turns, median, once

FLOOR = "parse, PyYAML alone"


def forget(folder: Path) -> None:
    """Throw away what is kept to save time."""
    shutil.rmtree(folder / ".reconcile", ignore_errors=True)


def touch(folder: Path) -> None:
    """Change an alarm in one file of a hundred, at least one; each call writes other words."""
    files = sorted((folder / "specs").glob("*.yaml"))
    for path in files[::100]:
        text = path.read_text()
        path.write_text(text.replace("minutes", "minutes or so", 1) if "or so" not in text else text.replace(" or so", ""))


class Stack:
    """One stack of N alarms and the figures taken on it, by part. It is applied when a part first needs that."""

    def __init__(self, folder: Path, count: int) -> None:
        self.folder, self.count = folder, count
        self.runs = 5 if count <= 1_000 else 3 if count <= 10_000 else 1
        if not (folder / "reconcile.yaml").exists():
            write_stack(folder, count)

    def parse(self) -> list[str]:
        """PyYAML's C loader on the same files."""
        return [PYTHON, str(ROOT / "benchmarks" / "floors.py"), "parse", str(self.folder / "specs")]

    def floor(self) -> dict[str, Took]:
        """What it takes."""
        return {FLOOR: median(self.runs, self.parse)}

    def applied(self) -> Path:
        """The stack, with a state that has it all."""
        if not (self.folder / "state" / "default.json").exists():
            apply(self.folder)
        return self.folder

    def planning(self) -> dict[str, Took]:
        """Plans with nothing to do, and `validate`."""
        plan, validate = tool(self.applied(), "plan", "-q"), tool(self.folder, "validate", "-q")
        once(plan)
        found = in_turns(RUNS, {FLOOR: self.parse(), "plan, warm": plan})
        found["plan, cold"] = median(RUNS, lambda: plan, before=lambda: forget(self.folder))
        found["plan, 1 % of the files changed"] = median(RUNS, lambda: plan, before=lambda: touch(self.folder))
        found["validate, cold"] = median(RUNS, lambda: validate, before=lambda: forget(self.folder))
        found["validate, warm"] = median(RUNS, lambda: validate)
        return found

    def state(self) -> dict[str, Took]:
        """Looking at the state, and changing it by hand."""
        folder = self.applied()
        once(tool(folder, "plan", "-q"))
        first = "alarm.host-000000-cpu-high"
        there, back = tool(folder, "state", "mv", first, "alarm.elsewhere"), tool(folder, "state", "mv", "alarm.elsewhere", first)
        found = self.floor()
        found["state list"] = median(self.runs, lambda: tool(folder, "state", "list"))
        found["state show, one"] = median(self.runs, lambda: tool(folder, "state", "show", first))
        found["state mv, one"] = once(there)
        once(back)
        return found

    def views(self) -> dict[str, Took]:
        """A plan that clears everything, so one change a row, in each form; the plan itself is part of every figure."""
        folder, out = self.applied(), self.folder / "out"
        out.mkdir(exist_ok=True)
        plan = tool(folder, "plan", "--destroy", "--allow", "empty")
        once([*plan, "-q"])
        forms = {"json": ["--json"], "html": ["--html", str(out / "plan.html")], "markdown": ["--markdown", str(out / "plan.md")]}
        found = self.floor() | {"plan of N changes, text": median(self.runs, lambda: plan)}
        for name, options in forms.items():
            found[f"plan of N changes, {name}"] = median(self.runs, lambda options=options: [*plan, *options])  # type: ignore[misc]
        return found
