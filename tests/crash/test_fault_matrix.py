"""What a network and a server can do to one request, for each kind of request: a documented exit code, and every promise kept.

The fault hits the first request of its kind, or all of them; then it ends, and the next runs bring everything into order.
"""

from __future__ import annotations

import itertools
import shutil
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from tests.crash.campaign import scenes
from tests.crash.scene import AFTER, BEFORE, Scene
from tests.emulator_fixture import control

KINDS = {
    "push": "PUT:*/push/events*",
    "list": "POST:/v2/*/events",
    "auto-process": "POST:*/auto-process",
    "histories": "GET:*/handle-histories",
    "log-in": "POST:*/auth/tokens",
}
FAULTS = {
    "cut before it ran": "reset-before",
    "cut after it ran": "reset-after",
    "half an answer": "truncate",
    "half an answer that looks whole": "truncate-silent",
    "silence after it ran": "timeout=4",
    "silence, and it did not run": "timeout-before=4",
    "an answer that drips": "slow=4",
    "executed late, when nobody waits": "delay=2",
    "429": "429",
    "429 with a time": "429;retry-after=1",
    "429 with a date": "429;retry-after=DATE",
    "503 with a time": "503;retry-after=1",
    "503 with a date": "503;retry-after=DATE",
    "503 with a time before now": "503;retry-after=-5",
    "503 with a time in thirty years": "503;retry-after=1000000000",
    "500 before it ran": "500",
    "500 after it ran": "500-after",
    "503 after it ran": "503-after",
    "408": "408",
    "an empty 200": "empty",
    "a page of HTML": "html",
    "a bomb": "gzip-bomb=64",
    "a redirect elsewhere": "redirect=http://127.0.0.1:9/",
    "a header of 110 kB": "503;x-long=" + "a" * 110_000,
    "delivered twice": "duplicate",
}
DOCUMENTED = {0, 1, 3, 7}
CASES = list(itertools.product(FAULTS, KINDS, ("@1", "")))
SAMPLE = [(fault, list(KINDS)[number % 5], "@1") for number, fault in enumerate(FAULTS)] + [
    ("cut after it ran", "auto-process", ""),
    ("503 after it ran", "auto-process", ""),
    ("silence after it ran", "auto-process", "@1"),
    ("429", "push", ""),
    ("500 before it ran", "histories", ""),
    ("a page of HTML", "list", ""),
    ("500 before it ran", "log-in", ""),
]


def broken(scene: Scene, fault: str, kind: str, when: str) -> str | None:
    """Apply under the fault, then without; what was not as promised."""
    scene.begin(f"{list(FAULTS).index(fault)}-{kind}-{when or 'all'}", BEFORE)
    scene.edit(AFTER)
    date = format_datetime(datetime.now(UTC) + timedelta(seconds=2), usegmt=True)
    control(scene.url, "settings", {"faults": [f"{KINDS[kind]}:{FAULTS[fault].replace('DATE', date)}{when}"]})
    name = f"{fault}, {kind}, {'once' if when else 'always'}"
    try:
        status, _ = scene.apply()
        if status not in DOCUMENTED or "Traceback" in scene.told() or "unexpected" in scene.told():
            return f"{name}: exit {status}: {scene.told()[-500:]}"
        control(scene.url, "settings", {"faults": []})
        scene.twice = fault == "delivered twice"
        scene.recover()
    except AssertionError as error:
        return f"{name}: {error}"
    finally:
        shutil.rmtree(scene.work)
    return None


@pytest.fixture(scope="module")
def stages() -> Iterator[list[Scene]]:
    """Four projects that log in with a password and lose patience after a second: most of the time they wait."""
    with scenes(4) as made:
        for scene in made:
            scene.log_in_with_password()
            scene.patience = "1s"
        yield made


def all_of(cases: list[tuple[str, str, str]], stages: list[Scene]) -> list[str]:
    """Shared among the stages."""

    def some(number: int) -> list[str]:
        return [said for case in cases[number :: len(stages)] if (said := broken(stages[number], *case))]

    with ThreadPoolExecutor(len(stages)) as pool:
        return [said for found in pool.map(some, range(len(stages))) for said in found]


def test_a_share_of_the_matrix_ends_with_documented_codes_and_promises_kept(stages: list[Scene]) -> None:
    """Each fault at one kind of request, and the worst ones more often."""
    assert all_of(SAMPLE, stages) == []


@pytest.mark.full
def test_the_whole_matrix_ends_with_documented_codes_and_promises_kept(stages: list[Scene]) -> None:
    """Each fault at each kind of request, once and always."""
    assert all_of(CASES, stages) == []
