"""The wording of problems, and the example, as they are."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

from reconcile.model.resources import Handling
from reconcile.specs import codes
from reconcile.specs.load import load_config, load_specs
from tests.specs.writing import config_problems, problems, shown

HERE = Path(__file__).parent / "golden"
ROOT = Path(__file__).parents[2]


def test_all_problems_of_all_files_come_at_once_in_these_words(tmp_path: Path) -> None:
    """Sorted by place; each with its code, its line, its caret and what to do."""
    shutil.copytree(HERE / "wrong" / "specs", tmp_path / "specs")
    found = "\n\n".join(shown(problem) for problem in problems(tmp_path)) + "\n"
    assert found == (HERE / "wrong" / "specs.txt").read_text()


def test_all_problems_of_a_config_come_at_once_in_these_words(tmp_path: Path) -> None:
    """Likewise for the config."""
    found = config_problems(tmp_path, (HERE / "wrong" / "reconcile.yaml").read_text())
    assert "\n\n".join(shown(problem) for problem in found) + "\n" == (HERE / "wrong" / "reconcile.txt").read_text()


def test_every_code_has_a_meaning_and_is_used() -> None:
    """The table and the code say the same."""
    sources = "\n".join(path.read_text() for path in (ROOT / "reconcile" / "specs").glob("*.py") if path.name != "codes.py")
    used = {getattr(codes, name) for name in re.findall(r"codes\.([A-Z_]+)", sources) if name != "CODES"}
    assert used == {code[1:] for code in codes.CODES}


def test_the_example_is_valid_small_and_shows_everything() -> None:
    """Without an account, a variable or the environment."""
    config = load_config(ROOT, None, environ={})
    desired = load_specs(config, ROOT, environ={})
    assert config.stack == "shop-demo"
    assert all(target.embedded for target in config.targets.values())
    assert desired.notes == ()
    assert 8 <= len(desired.declared) <= 12
    handlings = [one.resource for one in desired.declared.values() if isinstance(one.resource, Handling)]
    assert {handling.task_type for handling in handlings} == {"PLAN", "SCRIPT", "RUNBOOK"}
    assert len({handling.alarm_id for handling in handlings}) == 3
    assert {"alarm", "event", "handling"} == {one.kind for one in desired.declared.values()}
    assert any("[" in address for address in desired.declared)
    assert {one.resource.target for one in desired.declared.values()} == {"aom", "coc-events", "coc"}
