"""The published schema of the plan document: every real document fits, broken ones do not."""

from __future__ import annotations

import copy
import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from reconcile.views.plan_document import plan_document
from reconcile.views.schema import plan_schema, render_plan_schema
from tests.views.poison import CORPUS, crowd, poisoned
from tests.views.samples import all_changes, full_plan, plan_of

Golden = Callable[[str, str], None]
ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def validator() -> Draft202012Validator:
    """A validator for plans that also looks at formats."""
    return Draft202012Validator(plan_schema(), format_checker=Draft202012Validator.FORMAT_CHECKER)


def test_the_schema_is_a_schema_and_is_published(golden: Golden) -> None:
    """Its bytes are a promise: a change of them is seen in review."""
    Draft202012Validator.check_schema(plan_schema())
    golden("../golden_review/plan.schema.json", render_plan_schema())


@pytest.mark.parametrize("change", all_changes(), ids=lambda change: f"{change.action}-{change.address}")
def test_the_document_of_every_kind_of_change_fits(validator: Draft202012Validator, change: Any) -> None:
    """Alone in a plan."""
    validator.validate(plan_document(plan_of(change)))


def test_documents_with_everything_nothing_and_hostile_text_fit(validator: Draft202012Validator) -> None:
    """The sample, the empty plan, many rows, and the corpus."""
    for document in (plan_document(full_plan()), plan_document(plan_of()), crowd(report=50), *map(poisoned, CORPUS[:4])):
        allowed = copy.deepcopy(document)
        _forget_severities(allowed)
        validator.validate(allowed)


def _forget_severities(value: Any) -> None:
    """Closed words cannot hold hostile text: specs refuse it long before."""
    for item in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        _forget_severities(item)
    if isinstance(value, dict):
        for key in ("severity", "task_type", "associated_task_type"):
            value.pop(key, None)


def test_the_plan_of_the_example_fits(validator: Draft202012Validator, tmp_path: Path) -> None:
    """What the command prints, before the first apply and for a destroy after it."""
    shutil.copytree(ROOT / "specs", tmp_path / "specs")
    shutil.copy(ROOT / "reconcile.yaml", tmp_path)
    for arguments in (["plan", "--json"], ["apply", "--auto-approve"], ["plan", "--json", "--destroy", "--allow", "clears=99"]):
        command = [sys.executable, "-m", "reconcile", "-C", str(tmp_path), *arguments]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, check=False, text=True)
        assert done.returncode in (0, 6), done.stderr  # 6: a protected alarm, and the plan is shown nevertheless
        if "--json" in arguments:
            document = json.loads(done.stdout)
            assert document["changes"]
            validator.validate(document)


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (["format_version"], "2.0"),
        (["plan_id"], "sha256:7be0"),
        (["state", "serial"], -1),
        (["summary", "clear"], "1"),
        (["summary", "none"], None),
        (["changes", 0, "action"], "none"),
        (["changes", 0, "kind"], "resource"),
        (["changes", 0, "address"], "web-1"),
        (["changes", 0, "before", "timeout"], "5d"),
        (["changes", 0, "source", "line"], 0),
        (["drift", 0, "diff"], None),
        (["pending", 0, "phase"], "done"),
        (["violations", 0, "hint"], 1),
        (["complete"], "yes"),
    ],
)
def test_a_broken_document_does_not_fit(validator: Draft202012Validator, path: list[Any], value: Any) -> None:
    """A wrong value, and the key not there at all."""
    for broken in (_with(path, value), *([_without(path)] if path[-1] not in ("timeout",) else [])):
        assert not validator.is_valid(broken), path


def _with(path: list[Any], value: Any) -> dict[str, Any]:
    document = plan_document(full_plan())
    place: Any = document
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = value
    return document


def _without(path: list[Any]) -> dict[str, Any]:
    document = plan_document(full_plan())
    place: Any = document
    for key in path[:-1]:
        place = place[key]
    del place[path[-1]]
    return document


def test_unknown_keys_are_allowed(validator: Draft202012Validator) -> None:
    """Readers ignore what a later minor version adds."""
    document = plan_document(full_plan()) | {"later": 1, "format_version": "1.7"}
    document["changes"][0]["later"] = {}
    validator.validate(document)


def test_every_key_of_a_document_is_described() -> None:
    """The schema grows with the document: no key of a row is missing in it."""
    schema, document = plan_schema(), plan_document(full_plan())
    assert set(document) <= set(schema["properties"])
    for name, rows in (("change", "changes"), ("drift", "drift"), ("pending", "pending"), ("violation", "violations")):
        assert {key for row in document[rows] for key in row} <= set(schema["$defs"][name]["properties"]), name
