"""The tool against its emulator, both processes of their own: apply, drift, import, and what latency adds."""

from __future__ import annotations

import json
import math
import shutil
import subprocess
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from generate import write_stack
from measure import PYTHON, ROOT, RUNS, Took, environment, middle, once

TOKEN = "bench-token"
KEYS = {"HUAWEICLOUD_SDK_AK": "bench-ak", "HUAWEICLOUD_SDK_SK": "bench-sk"}
TOOL = [PYTHON, "-m", "reconcile"]
PUSH_FLOOR = "push and list, httpx alone"
BATCH, CONCURRENCY = 100, 8
LATENCY = 0.03
LATE = ["--fault", f"PUT:*/push/events*:delay={LATENCY}"]
FAR = ", pushes answered 30 ms late"
Figures = dict[str, Took]


@contextmanager
def emulator(*options: str) -> Iterator[str]:
    """The emulator as a process of its own, its world in memory; yields its URL."""
    environ = environment({**KEYS, "HW_AUTH_TOKEN": TOKEN})
    command = [*TOOL, "emulator", "--json", *options]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=environ, cwd=ROOT, text=True)
    assert process.stdout is not None
    try:
        yield json.loads(process.stdout.readline())["url"]
    finally:
        process.terminate()
        process.wait()
        process.stdout.close()


def tool(folder: Path, *arguments: str) -> list[str]:
    """A command of the tool on a stack."""
    return [*TOOL, "-C", str(folder), *arguments]


@contextmanager
def pointed(folder: Path, url: str) -> Iterator[None]:
    """The stack's target is this server, while it runs."""
    config = folder / "reconcile.yaml"
    config.write_text(config.read_text().replace('"embedded"', f'"{url}"'))
    try:
        yield
    finally:
        config.write_text(config.read_text().replace(url, "embedded"))


def run(folder: Path, *arguments: str, okay: Sequence[int] = (0,)) -> Took:
    """One command that asks the server."""
    return once(tool(folder, *arguments), environ={"HW_AUTH_TOKEN": TOKEN}, okay=okay)


def apply(folder: Path, *options: str) -> Took:
    """Apply a stack to an emulator of its own, from nothing, after the plan that a pipeline makes before."""
    shutil.rmtree(folder / "state", ignore_errors=True)
    with emulator(*options) as url, pointed(folder, url):
        once(tool(folder, "plan", "-q"))
        return run(folder, "apply", "--auto-approve", "-q")


def push_command(url: str, count: int) -> list[str]:
    """httpx alone, pushing and listing."""
    return [PYTHON, str(ROOT / "benchmarks" / "floors.py"), "push", url, str(count), str(BATCH), str(CONCURRENCY), TOKEN]


def push_floor(count: int, *options: str) -> Took:
    """httpx alone: the batches of an apply, and the list."""
    with emulator(*options) as url:
        return once(
            [PYTHON, str(ROOT / "benchmarks" / "floors.py"), "push", url, str(count), str(BATCH), str(CONCURRENCY), TOKEN]
        )


def applying(folder: Path, count: int) -> Figures:
    """All that asks the server, one after the other, on a new stack."""
    write_stack(folder, count)
    rounds = [(push_floor(count), apply(folder)) for _ in range(RUNS)]
    found = {PUSH_FLOOR: middle([floor for floor, _ in rounds])}
    shutil.rmtree(folder / "state", ignore_errors=True)
    with emulator() as url, pointed(folder, url):
        once(tool(folder, "plan", "-q"))
        run(folder, "apply", "--auto-approve", "-q")
        found["apply, all new"] = middle([ours for _, ours in rounds])
        once(tool(folder, "plan", "-q"))
        found["apply, nothing to do"] = run(folder, "apply", "--auto-approve", "-q")
        for path in sorted((folder / "specs").glob("*.yaml")):
            path.write_text(
                path.read_text().replace("minutes", "minutes or so", max(1, path.read_text().count("minutes") // 100))
            )
        once(tool(folder, "plan", "-q"))
        found["apply, 1 % of the alarms changed"] = run(folder, "apply", "--auto-approve", "-q")
        found["drift, none"] = run(folder, "drift", "-q")
        run(folder, "state", "rm", "alarm.host-000000-cpu-high")
        found["import, one"] = run(folder, "import", "alarm.host-000000-cpu-high", _id_of(url))
    found["import, all that is nobody's"] = _importing(folder, count)
    return found


def _importing(folder: Path, count: int) -> Took:
    """Write specs for alarms that somebody else reported."""
    shutil.rmtree(folder / "state")
    shutil.rmtree(folder / "specs")
    (folder / "specs").mkdir()
    config = folder / "reconcile.yaml"
    config.write_text(config.read_text().replace("project_id: bench", "project_id: floor"))
    with emulator() as url, pointed(folder, url):
        once([*push_command(url, count), "nobodys"])
        took = run(folder, "import", "--unmanaged", "--out", str(folder / "all.yaml"))
    assert (folder / "all.yaml").stat().st_size > 100 * count
    return took


def _id_of(url: str) -> str:
    """What the list calls the first alarm."""
    with urllib.request.urlopen(f"{url}/_emulator/alarms?state=active") as answer:
        rows = json.load(answer)
    return str(next(row["id"] for row in rows if row["metadata"]["resource_id"] == "ecs-000000"))


def with_latency(folder: Path, count: int) -> dict[str, float]:
    """The push phase of an apply where every push is answered 30 ms late: seconds on the clock, from the first to the last
    answer, beside the same of httpx alone and the least that so many batches can take.
    """
    write_stack(folder, count)
    shutil.rmtree(folder / "state", ignore_errors=True)
    with emulator(*LATE) as url, pointed(folder, url):
        once(tool(folder, "plan", "-q"))
        run(folder, "apply", "--auto-approve", "-q")
        ours = _phase(url)
    with emulator(*LATE) as url:
        once(push_command(url, count))
        bare = _phase(url)
    least = math.ceil(math.ceil(count / BATCH) / CONCURRENCY) * LATENCY
    return {"ours": ours, "httpx alone": bare, "least": least}


def _phase(url: str) -> float:
    """Seconds between the first and the last push, and one latency."""
    with urllib.request.urlopen(f"{url}/_emulator/log") as answer:
        times = [row["time"] for row in json.load(answer) if row["method"] == "PUT"]
    return (max(times) - min(times)) / 1000 + LATENCY
