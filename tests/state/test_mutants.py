"""The checks can fail: each seeded bug turns one red."""

from __future__ import annotations

from pathlib import Path

import pytest

from .mutants import MUTANTS, Mutant, caught


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.name)
def test_a_seeded_bug_is_caught(mutant: Mutant, tmp_path: Path) -> None:
    """A check that no bug can turn red proves nothing."""
    assert caught(mutant, tmp_path) != []
