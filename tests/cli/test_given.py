"""The options of every command: before it, after it, and from the environment."""

from __future__ import annotations

from pathlib import Path

import pytest

from reconcile.cli.commands.plan import plan
from reconcile.cli.given import Given
from reconcile.cli.root import COMMANDS, root
from tests.cli.conftest import Run


def given_by(*argv: str) -> Given:
    """What a command line and the environment amount to."""
    found = Given()
    with root.make_context("reconcile", list(argv), obj=found) as outer:
        name, command, rest = root.resolve_command(outer, [*outer._protected_args, *outer.args])
        assert command is not None
        command.make_context(name, rest, parent=outer)
    return found


def test_given_after_the_command_wins(project: Path) -> None:
    """And what is given before stays."""
    assert given_by("--color", "never", "-C", "a", "plan", "-C", "b").chdir == Path("b")
    assert given_by("--color", "never", "plan").color == "never"
    assert given_by("--color", "never", "plan", "--color", "always").color == "always"


def test_repeatable_options_add_up(project: Path) -> None:
    """In the order of the command line, so that later files and values win."""
    found = given_by("--var", "a=1", "--var-file", "x.yaml", "plan", "--var", "b=2", "--var-file", "y.yaml")
    assert found.var == ("a=1", "b=2")
    assert found.var_file == (Path("x.yaml"), Path("y.yaml"))


def test_variables_of_the_environment_count_once_and_lose(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Against the command line, wherever the option stands."""
    monkeypatch.setenv("RECONCILE_COLOR", "always")
    monkeypatch.setenv("RECONCILE_VARFILE", "env.yaml")
    assert given_by("plan").color == "always"
    assert given_by("--color", "never", "plan").color == "never"
    assert given_by("plan", "--color", "never").color == "never"
    assert given_by("plan").var_file == (Path("env.yaml"),)
    assert given_by("plan", "--var-file", "x.yaml").var_file == (Path("x.yaml"),)


def test_every_option_has_its_variable_but_those_that_must_be_meant(project: Path) -> None:
    """Contract section 7: --allow, --auto-approve, --replace, --rerun have none; --var-file is RECONCILE_VARFILE."""
    without = {"--allow", "--auto-approve", "--replace", "--rerun", "--var", "--help", "--version"}
    for name in COMMANDS:
        with root.make_context("reconcile", [name]) as ctx:
            command = root.get_command(ctx, name)
        assert command is not None
        for option in command.params:
            long = next((o for o in option.opts if o.startswith("--")), None)
            expected = {"--var-file": "RECONCILE_VARFILE"}.get(str(long), f"RECONCILE_{str(long)[2:].upper().replace('-', '_')}")
            if long is not None:
                assert option.envvar == (None if long in without else expected), (name, long)


def test_an_option_of_a_command_comes_from_its_variable(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """And a wrong value there is a wrong command line."""
    monkeypatch.setenv("RECONCILE_DETAILED_EXITCODE", "1")
    assert run("plan").code == 2
    monkeypatch.setenv("RECONCILE_AS_OF", "someday")
    assert run("plan").code == 64
    assert plan.name == "plan"


def test_variables_reach_the_config(run: Run, project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """From the command line before and after, a file, and the environment."""
    (project / "reconcile.yaml").write_text("version: 1\nstack: s-${var.a}-${var.b}\nvariables: {a: x, b: x}\n")
    (project / "vars.yaml").write_text("b: file\n")
    monkeypatch.setenv("RECONCILE_VAR_a", "env")
    assert run("--var-file", "vars.yaml", "plan").out.startswith("Stack s-env-file ")
    assert run("--var", "a=1", "plan", "--var", "b=2").out.startswith("Stack s-1-2 ")


def test_a_directory_and_a_config_elsewhere(run: Run, project: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    """`-C DIR` works as if started there; nothing lands elsewhere."""
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    (project / "other.yaml").write_text("version: 1\nstack: other\n")
    import os

    os.chdir(elsewhere)
    assert run("-C", str(project), "plan", "--config", "other.yaml", "--out", "p.json").out.startswith("Stack other ")
    assert (project / "p.json").exists()
    assert run("apply", "--auto-approve", "-C", str(project)).code == 0
    assert (project / "state" / "default.json").exists() and not any(elsewhere.iterdir())


def test_colour_follows_the_option_then_the_stream(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """A pipe gets none; `always` beats NO_COLOR."""
    monkeypatch.setenv("NO_COLOR", "1")
    assert "\x1b[" not in run("plan").out
    assert "\x1b[" in run("plan", "--color", "always").out
    assert "\x1b[" not in run("--color", "always", "plan", "--color", "never").out
