"""Measure, in parts; each run takes the place of what an earlier one found of the same part and size, and writes all figures
anew: `results.md`, `results.json` beside this file, and the chart in `docs/`.

    python benchmarks/run.py [--only start,plan,state,views,apply,peers,latency] [--sizes 1000,10000,100000]
                             [--folder DIR] [--peers PYTHON] [--peer-sizes 1000,10000]

DIR keeps the stacks, so that a later part need not apply them again. PYTHON has the extra `bench` installed; what it lacks is
skipped with a word. Ratios are of processor time, which another load on the machine disturbs least; both sides of a ratio are
measured in one run.
"""

from __future__ import annotations

import argparse
import compileall
import json
import platform
import shutil
import sys
import tempfile
import time
from collections.abc import Callable
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from chart import draw
from generate import write_stack
from live import FAR, KEYS, LATE, apply, applying, emulator, with_latency
from live import tool as tool_on
from measure import PYTHON, ROOT, RUNS, Failed, Took, in_turns, median, middle, once
from ours import Stack, forget
from tables import markdown

HERE = Path(__file__).parent
RESULTS = HERE / "results.json"
FIRST_APPLY = 1_000  # Terraform rewrites its whole state for each resource: more takes hours
PARTS = ("start", "plan", "state", "views", "apply", "peers", "latency")  # last what grows: children are charged our memory


def start_up(folder: Path) -> dict[str, Took]:
    """The process floor, libraries alone, the commands that need nothing, and small plans."""
    stack = Stack(folder / "1000", 1_000)
    once(tool_on(stack.applied(), "plan"))
    libraries = "import click, yaml; from pydantic import BaseModel; type('M', (BaseModel,), {'__annotations__': {'x': int}})"
    return in_turns(
        15,
        {
            "python -c pass": [PYTHON, "-c", "pass"],
            "import click": [PYTHON, "-c", "import click"],
            "--help": [PYTHON, "-m", "reconcile", "--help"],
            "version": [PYTHON, "-m", "reconcile", "version"],
            "import click, yaml, pydantic; one model": [PYTHON, "-c", libraries],
            "plan of 1,000, warm": tool_on(stack.folder, "plan", "-q"),
        },
    )


def peers(python: str, count: int, folder: Path) -> dict[str, Took | str]:
    """What is installed of the peers, and ours beside them; the first applies and the SDK's loop at the smallest size only."""
    script = [python, str(HERE / "peers.py")]
    found: dict[str, Took | str] = {}

    def take(name: str | None, *arguments: str) -> None:
        try:
            rounds = [[part.replace("ROUND", str(n)) for part in arguments] for n in range(1 if name is None else RUNS)]
            took = middle([once([*script, *parts], environ=KEYS) for parts in rounds])
        except Failed as error:
            found[name or arguments[0]] = "skipped: " + str(error).strip().splitlines()[-1][:120]
        else:
            if name is not None:
                found[name] = took

    folder.mkdir(parents=True, exist_ok=True)
    stack = Stack(folder / "ours", count)
    if count <= FIRST_APPLY:
        take("Terraform, first apply", "terraform", str(folder / "applied-ROUND"), "apply", str(count))
        with emulator() as url:
            take("vendor SDK, one alarm a request", "sdk", url, str(count))
        live = write_stack(folder / "live", count)
        found["ours, first apply"] = middle([apply(live) for _ in range(RUNS)])
        with emulator(*LATE) as url:
            take(f"vendor SDK, one alarm a request{FAR}", "sdk", url, str(count))
        found[f"ours, first apply{FAR}"] = middle([apply(live, *LATE) for _ in range(RUNS)])
    take(None, "terraform", str(folder / "terraform"), "write", str(count))
    take("Terraform, plan", "terraform", str(folder / "terraform"), "plan", str(count))
    take(None, "octodns", str(folder / "octodns"), "write", str(count))
    take("octoDNS, plan", "octodns", str(folder / "octodns"), "plan", str(count))
    plan = tool_on(stack.applied(), "plan", "-q")
    found["ours, plan, cold"] = median(RUNS, lambda: plan, before=lambda: forget(stack.folder))
    found["ours, plan, warm"] = median(RUNS, lambda: plan)
    return found


def versions() -> dict[str, str]:
    """What was measured, and on what."""
    found = {"python": platform.python_version(), "machine": f"{platform.machine()}, {platform.system()}"}
    for name in ("reconcile", "click", "pyyaml", "pydantic", "httpx"):
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = "not installed"
    return found


def measure(part: str, count: int, folder: Path, python: str) -> Any:
    """One part at one size."""
    stack = Stack(folder / str(count), count) if part in ("plan", "state", "views") else None
    works: dict[str, Callable[[], Any]] = {
        "apply": lambda: applying(folder / f"live-{count}", count),
        "latency": lambda: with_latency(folder / f"late-{count}", count),
        "peers": lambda: peers(python, count, folder / f"peers-{count}"),
    }
    if stack is not None:
        works |= {"plan": stack.planning, "state": stack.state, "views": stack.views}
    try:
        return works[part]()
    finally:
        for name in ("live", "late", "peers"):
            shutil.rmtree(folder / f"{name}-{count}", ignore_errors=True)


def write(document: dict[str, Any]) -> None:
    """Everything that is known so far."""
    RESULTS.write_text(json.dumps(document, indent=1) + "\n")
    (HERE / "results.md").write_text(markdown(document))
    (ROOT / "docs" / "performance.svg").write_text(draw(document["sizes"], document["peers"]))


def main() -> None:
    """Measure and write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", default=",".join(PARTS))
    parser.add_argument("--sizes", default="1000,10000,100000")
    parser.add_argument("--folder", type=Path)
    parser.add_argument("--peers", default=PYTHON)
    parser.add_argument("--peer-sizes", default="1000,10000")
    given = parser.parse_args()
    compileall.compile_dir(ROOT / "reconcile", quiet=1)
    document: dict[str, Any] = {"start_up": {}, "sizes": {}, "peers": {}, "latency": {}}
    if RESULTS.exists():
        document |= json.loads(RESULTS.read_text())
    document["versions"] = versions()
    with tempfile.TemporaryDirectory() as name:
        folder = given.folder or Path(name)
        for part in given.only.split(","):
            if part == "start":
                document["start_up"] = start_up(folder)
            sizes = {"start": "", "peers": given.peer_sizes}.get(part, given.sizes)
            for count in map(int, filter(None, sizes.split(","))):
                found = measure(part, count, folder, given.peers)
                if part in ("peers", "latency"):
                    document[part][str(count)] = found
                else:
                    document["sizes"].setdefault(str(count), {})[part] = found
                print(part, count, json.dumps(found), file=sys.stderr, flush=True)
                write(document | {"at": time.strftime("%Y-%m-%d", time.gmtime())})
            write(document | {"at": time.strftime("%Y-%m-%d", time.gmtime())})
    print((HERE / "results.md").read_text())


if __name__ == "__main__":
    main()
