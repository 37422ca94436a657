"""Crashes, faults, power cuts and neighbours: what was acknowledged is there afterwards, and the next run goes on."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from .checks import faults, flips, kills, overlaps, power_cuts, recorded
from .disks import Counted
from .samples import local
from .workload import LIFE, any_life


def test_a_whole_life_ends_where_the_model_says(tmp_path: Path) -> None:
    """Without any fault the state equals the model, and no step is silent."""
    words: list[str] = []
    LIFE.live(local(tmp_path / "state.json"), words.append)
    after = local(tmp_path / "state.json").read()
    assert (after.resources, after.pending, after.serial) == (*LIFE.after()[-1], 4)
    assert words.count("done") == len(LIFE.steps)


def test_a_power_cut_loses_nothing_acknowledged(tmp_path: Path) -> None:
    """The legal disks after each operation of some lives: at least 1,000 disk states, no violation."""
    disks, wrong = power_cuts(tmp_path, lives=6)
    assert wrong == []
    assert disks >= 1_000


@pytest.mark.full
def test_fifty_thousand_power_cuts_lose_nothing_acknowledged(tmp_path: Path) -> None:
    """Many more lives."""
    disks, wrong = power_cuts(tmp_path, lives=220)
    assert wrong == []
    assert disks >= 50_000


def test_kill_9_at_any_operation_loses_nothing_acknowledged(tmp_path: Path) -> None:
    """Every fourth point here; all of them with `-m full`."""
    counted = Counted()
    LIFE.live(local(tmp_path / "dry" / "state.json", files=counted), lambda word: None)
    every = [(n + 1, m) for n, name in enumerate(counted.names) for m in ("before", "middle" if name == "write" else "after")]
    points, wrong = kills(tmp_path, points=every[::4])
    assert wrong == []
    assert points >= 30


@pytest.mark.full
def test_kill_9_at_every_operation_of_many_lives_loses_nothing_acknowledged(tmp_path: Path) -> None:
    """Before and after each operation, and in the middle of each write: at least 1,000 points."""
    lives = [LIFE, *(any_life(random.Random(seed)) for seed in range(8))]
    points = 0
    for number, life in enumerate(lives):
        more, wrong = kills(tmp_path / str(number), life=life)
        assert wrong == []
        points += more
    assert points >= 1_000


def test_a_full_or_broken_disk_is_told_and_loses_nothing_acknowledged(tmp_path: Path) -> None:
    """ENOSPC and EIO, once and for good, at a sample of the operations: never silent."""
    cases, wrong = faults(tmp_path, every=7)
    assert wrong == []
    assert cases >= 40


@pytest.mark.full
def test_a_disk_full_or_broken_at_any_operation_is_told_and_loses_nothing_acknowledged(tmp_path: Path) -> None:
    """ENOSPC and EIO at each operation, once and for good."""
    cases, wrong = faults(tmp_path)
    assert wrong == []
    assert cases >= 300


def test_a_journal_cut_or_changed_anywhere_is_repaired_or_refused(tmp_path: Path) -> None:
    """Only the last line may be torn; any other damage is refused."""
    _, wrong = flips(tmp_path)
    assert wrong == []


def test_eight_processes_at_once_lose_no_update(tmp_path: Path) -> None:
    """The lock holds between processes."""
    _, wrong = overlaps(tmp_path)
    assert wrong == []


def test_the_recording_disk_sees_every_operation(tmp_path: Path) -> None:
    """If an operation went past the disk, the crash tests would be blind to it."""
    steps = {step[0] for step in recorded(tmp_path).steps}
    assert {"create", "append", "write", "sync", "sync_content", "close", "link", "replace", "remove", "sync_folder"} <= steps
