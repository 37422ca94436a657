"""`schema` and `graph`: what is published fits what the loader takes and what the tool writes; typical mistakes are seen."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator as Validator

from reconcile.cli.commands.schema import KINDS
from reconcile.specs.build import build
from reconcile.specs.source import Report, SourceFile
from reconcile.state.codec import Document
from reconcile.state.options import HttpOptions, PostgresOptions, S3Options
from reconcile.views.schema_runs import apply_schema
from reconcile.views.schemas.config import CHECK, NOTIFY, STATE_KEYS, TARGET, config_schema
from reconcile.views.schemas.spec import COMMON, HANDLING, LIFECYCLE, RESOURCE, spec_schema
from reconcile.views.schemas.state import state_schema
from tests.cli.conftest import Run

ROOT = Path(__file__).parents[2]
SPEC = Validator(spec_schema())
CONFIG = Validator(config_schema())
GOOD = {"severity": "Major", "resource": {"provider": "ECS", "type": "vm", "id": "1"}, "message": "m"}


@pytest.mark.parametrize("kind", KINDS)
def test_each_schema_is_one_and_describes_every_key(run: Run, kind: str) -> None:
    """Valid itself, and no key of ours without words."""
    schema = json.loads(run("schema", kind).out)
    Validator.check_schema(schema)
    assert schema["$schema"].endswith("2020-12/schema")
    kinds = [schema["properties"]] if "properties" in schema else [part.get("properties", {}) for part in schema["oneOf"]]
    assert all("description" in part or "const" in part for properties in kinds for part in properties.values())


def test_the_nouns_and_their_words_have_the_same_keys() -> None:
    """A new key wants its words."""
    defs = spec_schema()["$defs"]
    assert set(defs["alarm"]["properties"]) == {*COMMON, "for_each"}
    assert set(defs["handling"]["properties"]) == {*HANDLING, "for_each"}
    assert set(defs["Lifecycle"]["properties"]) == set(LIFECYCLE) and set(defs["Resource"]["properties"]) == set(RESOURCE)
    parts = config_schema()["$defs"]
    assert [set(parts[name]["properties"]) for name in ("target", "check", "notify")] == [set(TARGET), set(CHECK), set(NOTIFY)]
    for name, options in (("http", HttpOptions), ("s3", S3Options), ("postgres", PostgresOptions)):
        assert set(STATE_KEYS[name]) == set(options.model_fields)
    assert set(state_schema()["properties"]) == set(Document.model_fields)


def test_the_example_and_what_the_tool_writes_are_valid(run: Run, project: Path) -> None:
    """Every spec of the project's own example, its config, a plan and a state."""
    for path in sorted((ROOT / "specs").rglob("*.yaml")):
        assert [error.message for value in values_of(path) for error in SPEC.iter_errors(value)] == [], path
    assert [error.message for value in values_of(ROOT / "reconcile.yaml") for error in CONFIG.iter_errors(value)] == []
    assert run("apply", "--auto-approve").code == 0
    Validator(json.loads(run("schema", "state").out)).validate(json.loads(run("state", "pull").out))
    Validator(json.loads(run("schema", "plan").out)).validate(json.loads(run("plan", "--json").out))


def lines_of(run: Run, *argv: str) -> list[dict[str, Any]]:
    """The lines of an apply, each of which fits the schema."""
    lines = [json.loads(line) for line in run("apply", "--json", "--auto-approve", *argv).out.splitlines()]
    validator = Validator(json.loads(run("schema", "apply").out))
    for line in lines:
        assert [error.message for error in validator.iter_errors(line)] == [], line
    return lines


def test_every_line_of_an_apply_fits_its_schema(run: Run, project: Path) -> None:
    """Version first and summary last, whether it went well, was refused, or never began."""
    went_well = lines_of(run)
    (project / "specs" / "web.yaml").write_text("alarms: {}\n", "utf-8")
    refused = lines_of(run)
    (project / "specs" / "web.yaml").write_text("alarms: 1\n", "utf-8")
    invalid = lines_of(run)
    for lines, code in ((went_well, 0), (refused, 6), (invalid, 10)):
        assert lines[0]["type"] == "version" and lines[-1]["type"] == "summary" and lines[-1]["exit_code"] == code
    assert {line["type"] for line in went_well} == {"version", "change", "progress", "summary"}
    assert [line["type"] for line in refused].count("change") == 5 and invalid[1]["problems"][0]["code"] == "S021"


def test_the_lines_of_every_kind_fit_their_schema() -> None:
    """As the golden file has them: notes and errors with a server's words, too. A line of no known type does not fit."""
    golden = ROOT / "tests" / "views" / "golden" / "apply.jsonl"
    validator = Validator(apply_schema())
    lines = [json.loads(line) for line in golden.read_text("utf-8").splitlines()]
    assert {line["type"] for line in lines} == {"version", "change", "progress", "note", "error", "summary"}
    for line in lines:
        assert [error.message for error in validator.iter_errors(line)] == [], line
        assert not validator.is_valid({**line, "type": "other"})


def test_the_drift_document_fits_its_schema(run: Run, project: Path) -> None:
    """Without a state, without drift, with drift and a task that ran."""
    validator = Validator(json.loads(run("schema", "drift").out))
    validator.validate(json.loads(run("drift", "--json").out))
    assert run("apply", "--auto-approve").code == 0
    validator.validate(json.loads(run("drift", "--json").out))
    for path in (project / "state").glob("emulator.sqlite*"):
        path.unlink()
    found = json.loads(run("drift", "--json").out)
    validator.validate(found)
    assert found["summary"]["missing"] == 3


def values_of(path: Path) -> list[Any]:
    """The documents of a file, read as the tool reads them."""
    documents = build(SourceFile(path.name, path.read_bytes(), "S"), Report())
    assert documents is not None
    return [document.value for document in documents]


@pytest.mark.parametrize(
    "spec",
    [
        {"alarms": {"a": GOOD | {"severity": "Critcal"}}},
        {"alarms": {"a": GOOD | {"severty": "Major"}}},
        {"alarms": {"a": {key: GOOD[key] for key in ("severity", "message")}}},
        {"alarms": {"a": GOOD | {"resource": {"provider": "ECS"}}}},
        {"alarms": {"a": GOOD | {"timeout": "5 days"}}},
        {"alarms": {"a": GOOD | {"starts_at": "yesterday"}}},
        {"alarms": {"a": GOOD | {"enterprise_project_id": 0}}},
        {"alarms": {"a": GOOD | {"metadata": {"n": 1}}}},
        {"alarms": {"a": GOOD | {"lifecycle": {"on_external_clear": "ignore"}}}},
        {"alarms": {"a b": GOOD}},
        {"alarm": {"a": GOOD}},
        {"moved": [{"from": "alarm.a"}]},
        {"forget": ["a"]},
        {"handlings": {"h": {"task_type": "SHELL", "associated_task_id": "1", "associated_task_name": "n"}}},
    ],
)
def test_typical_mistakes_are_seen_in_the_editor(spec: dict[str, Any]) -> None:
    """Each of them is also one for the loader."""
    assert not SPEC.is_valid(spec)
    assert SPEC.is_valid({"alarms": {"a": GOOD | {"timeout": "5d", "severity": "${var.severity}"}}})
    assert SPEC.is_valid({"defaults": {"alarms": {"severity": "Major"}}, "alarms": {"a": {"message": "m"}}})


@pytest.mark.parametrize(
    "config",
    [
        {"versoin": 1},
        {"version": 2},
        {"targets": {"aom": {"type": "aom", "endpoit": "x"}}},
        {"targets": {"aom": {"endpoint": "embedded"}}},
        {"guards": {"max_clears": "many"}},
        {"state": {"backend": "ftp"}},
        {"state": {"backend": "s3", "buckt": "x"}},
        {"targets": {"aom": {"type": "aom", "rate": 20}}},
    ],
)
def test_typical_mistakes_of_a_config_are_seen(config: dict[str, Any]) -> None:
    """And the usual spellings pass."""
    assert not CONFIG.is_valid(config)
    assert CONFIG.is_valid({"version": 1, "state": {"backend": "s3", "bucket": "b", "key": "k"}, "guards": {"max_clears": "30%"}})


@pytest.mark.parametrize("form", ["mermaid", "dot"])
def test_the_graph_is_drawn_from_specs_or_from_a_plan(run: Run, form: str) -> None:
    """Offline, with what the plan does."""
    whole = run("graph", "--format", form)
    assert whole.code == 0 and "web-restart" in whole.out and "report" in whole.out
    assert whole.out.startswith("flowchart LR\n" if form == "mermaid" else "digraph reconcile {\n")
    run("plan", "--out", "p.json")
    assert run("graph", "p.json", "--format", form).out == whole.out
    assert run("graph", "nowhere.json").code == 64
