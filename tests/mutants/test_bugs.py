"""The kit bites: each of twelve seeded bugs turns a check red, and without them the checks are silent."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.mutants.bugs import BUGS, SOUND, Bug, Check


@pytest.mark.parametrize("bug", BUGS, ids=lambda bug: bug.name)
def test_a_seeded_bug_is_caught(bug: Bug, tmp_path: Path) -> None:
    """A check that no bug can turn red proves nothing."""
    assert bug.caught(tmp_path) != []


@pytest.mark.parametrize("check", SOUND)
def test_without_a_bug_the_check_is_silent(check: Check, tmp_path: Path) -> None:
    """What is caught is the bug, not the tool."""
    assert check(tmp_path) == []
