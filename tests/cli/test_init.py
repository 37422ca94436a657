"""`init`: a project that plans at once, a pipeline that parses, and nothing of anybody overwritten."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from reconcile.cli.starting import TEMPLATES
from tests.cli.conftest import Run


def test_a_fresh_folder_plans_and_applies_at_once(run: Run, tmp_path: Path) -> None:
    """Without an account; the schemas that the files name are there."""
    fresh = tmp_path / "fresh"
    assert run("-C", str(fresh), "init").code == 0
    assert run("-C", str(fresh), "validate").code == 0
    assert "1 to report; 1 deferred" in run("-C", str(fresh), "plan").out
    assert run("-C", str(fresh), "apply", "--auto-approve").code == 0
    assert run("-C", str(fresh), "plan", "--detailed-exitcode").code == 0
    for path in (fresh / "reconcile.yaml", fresh / "specs" / "example.yaml"):
        modeline = path.read_text(encoding="utf-8").splitlines()[0]
        assert (path.parent / modeline.partition("$schema=")[2]).is_file()


def test_nothing_is_overwritten_without_force(run: Run, project: Path) -> None:
    """And nothing else is written either; a .gitignore only grows."""
    before = {path: path.read_bytes() for path in project.rglob("*") if path.is_file()}
    ran = run("init")
    assert ran.code == 1 and "reconcile.yaml" in ran.err
    assert {path: path.read_bytes() for path in project.rglob("*") if path.is_file()} == before
    (project / ".gitignore").write_text("mine\nstate/*")
    assert run("init", "--force").code == 0
    assert (project / ".gitignore").read_text() == "mine\nstate/*\n.reconcile/cache/\nplan.json\n"
    assert "stack: my-stack" in (project / "reconcile.yaml").read_text()


def test_a_project_that_is_there_gets_the_pipeline_alone(run: Run, project: Path) -> None:
    """Its config and specs stay; a pipeline that is there stays too."""
    before = {path: path.read_bytes() for path in project.rglob("*") if path.is_file()}
    assert run("init", "--ci", "gitlab").out == "wrote .gitlab-ci.yml\nwrote .gitignore\n\nNext: reconcile plan\n"
    assert before.items() <= {path: path.read_bytes() for path in project.rglob("*") if path.is_file()}.items()
    (project / ".gitlab-ci.yml").write_text("mine: {}\n")
    assert run("init", "--ci", "gitlab").code == 1
    assert (project / ".gitlab-ci.yml").read_text() == "mine: {}\n"


@pytest.mark.parametrize("ci", ["github", "gitlab"])
def test_the_pipeline_is_yaml_that_names_our_commands(run: Run, tmp_path: Path, ci: str) -> None:
    """Every file below its place; the shell in it parses."""
    fresh = tmp_path / ci
    assert run("-C", str(fresh), "init", "--ci", ci).code == 0
    where = fresh / ".github" / "workflows" if ci == "github" else fresh
    files = [path for path in where.iterdir() if path.suffix == ".yml"]
    assert files
    text = "".join(path.read_text(encoding="utf-8") for path in files)
    assert all(f"reconcile {command}" in text for command in ("plan", "apply", "drift", "renew", "validate"))
    for path in files:
        assert isinstance(yaml.load(path.read_text(encoding="utf-8"), yaml.BaseLoader), dict)


def test_the_pipelines_are_the_documented_ones() -> None:
    """One text, in one place: the folder of templates links to it, and a wheel carries what it links to."""
    assert (TEMPLATES / "pipelines").resolve() == Path(__file__).parents[2] / "docs" / "pipelines"
