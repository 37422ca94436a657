"""Measure everything in one go and write `results.md`, `results.json` and `chart.svg` beside this file.

`python benchmarks/run.py [--sizes 1000,10000,100000] [--peer-size 250] [--peers PYTHON]`. PYTHON has the extra `bench` installed;
what it lacks is skipped with a word. Ratios are of processor time, which another load on the machine disturbs least.
"""

from __future__ import annotations

import argparse
import json
import platform
import sys
import tempfile
import time
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from chart import draw
from measure import PYTHON, ROOT, Failed, Took, median, once
from ours import KEYS, TOKEN, Stack, emulator

HERE = Path(__file__).parent
Figures = dict[str, dict[str, Took]]


def start_up() -> dict[str, Took]:
    """The process floor, and the commands that need nothing."""
    pass_ = median(9, lambda: [PYTHON, "-c", "pass"])
    return {
        "python -c pass": pass_,
        "--help": median(9, lambda: [PYTHON, "-m", "reconcile", "--help"]),
        "version": median(9, lambda: [PYTHON, "-m", "reconcile", "version"]),
    }


def push_floor(count: int) -> Took:
    """httpx alone, the batches of an apply and the list."""
    with emulator() as url:
        return once([PYTHON, str(HERE / "floors.py"), "push", url, str(count), "100", "8", TOKEN])


def peers(python: str, count: int, folder: Path) -> dict[str, Took | str]:
    """What is installed of the peers, at a size that ends soon."""
    script = [python, str(HERE / "peers.py")]
    found: dict[str, Took | str] = {}

    def take(name: str, *arguments: str) -> None:
        try:
            found[name] = once([*script, *arguments], environ=KEYS)
        except Failed as error:
            found[name] = "skipped: " + str(error).strip().splitlines()[-1][:120]

    take("Terraform, first apply", "terraform", str(folder / "terraform"), "apply", str(count))
    take("Terraform, plan", "terraform", str(folder / "terraform"), "plan", str(count))
    take("octoDNS, plan", "octodns", str(folder / "octodns"), str(count))
    with emulator() as url:
        take("vendor SDK, one alarm a request", "sdk", url, str(count))
    return found


def versions() -> dict[str, str]:
    """What was measured, and on what."""
    found = {"python": platform.python_version(), "machine": f"{platform.machine()}, {platform.system()}"}
    for name in ("reconcile", "pyyaml", "pydantic", "httpx"):
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = "not installed"
    return found


def table(start: dict[str, Took], sizes: Figures, others: dict[str, Took | str], peer_size: int) -> str:
    """The results as markdown: ratios first, then what they were made of."""
    lines = ["| figure | N | of its floor | processor s | clock s | peak MB |", "|---|--:|--:|--:|--:|--:|"]

    def row(name: str, count: str, took: Took, floor: Took | None) -> None:
        ratio = "" if floor is None else f"{took.cpu / floor.cpu:.3g}× "
        lines.append(f"| {name} | {count} | {ratio} | {took.cpu:.3g} | {took.wall:.3g} | {took.peak:.0f} |")

    for name, took in start.items():
        row(name, "", took, start["python -c pass"])
    for size, figures in sizes.items():
        floors = {"apply": figures["push and list, bare httpx"]}
        for name, took in figures.items():
            is_floor = name in ("parse", "push and list, bare httpx")
            row(name, f"{int(size):,}", took, None if is_floor else floors.get(name, figures["parse"]))
    for name, result in others.items():
        if isinstance(result, Took):
            row(name, f"{peer_size:,}", result, None)
        else:
            lines.append(f"| {name} | {peer_size:,} | {result} | | | |")
    return "\n".join(lines) + "\n"


def main() -> None:
    """Measure and write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", default="1000,10000,100000")
    parser.add_argument("--peer-size", type=int, default=250)
    parser.add_argument("--peers", default=PYTHON)
    given = parser.parse_args()
    start, sizes = start_up(), {}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for count in map(int, given.sizes.split(",")):
            runs = 5 if count <= 1_000 else 3 if count <= 10_000 else 1
            figures = Stack(folder / str(count), count, runs).figures()
            sizes[str(count)] = figures | {"push and list, bare httpx": push_floor(count)}
            print(count, {name: tuple(round(f, 2) for f in took) for name, took in sizes[str(count)].items()}, file=sys.stderr)
        others = peers(given.peers, given.peer_size, folder)
    document = {
        "at": time.strftime("%Y-%m-%d", time.gmtime()),
        "versions": versions(),
        "start_up": start,
        "sizes": sizes,
        "peers": others,
        "peer_size": given.peer_size,
    }
    (HERE / "results.json").write_text(json.dumps(document, indent=2, default=lambda took: took._asdict()) + "\n")
    (HERE / "results.md").write_text(table(start, sizes, others, given.peer_size))
    (ROOT / "docs" / "performance.svg").write_text(draw(sizes, others, given.peer_size))
    print((HERE / "results.md").read_text())


if __name__ == "__main__":
    main()
