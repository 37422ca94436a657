"""The habits a machine can keep: lint, types, the floors of the house, the size of a module, and what start-up imports."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SOURCES = sorted((ROOT / "reconcile").rglob("*.py"))
LONGEST = 250
COMMANDS = {
    "lint": ["ruff", "check", "."],
    "format": ["ruff", "format", "--check", "."],
    "types": ["mypy"],
    "floors": ["importlinter.cli"],
}


def python(*arguments: str) -> subprocess.CompletedProcess[str]:
    """This interpreter, at the root of the project."""
    return subprocess.run([sys.executable, *arguments], cwd=ROOT, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("name", ["lint", "format", "types"])
def test_lint_format_and_types_are_clean(name: str) -> None:
    """ruff and mypy --strict find nothing."""
    done = python("-m", *COMMANDS[name])
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_floors_hold() -> None:
    """The import contracts of pyproject.toml are kept."""
    done = python("-c", "import sys; from importlinter.cli import lint_imports; sys.exit(lint_imports(no_cache=True))")
    assert done.returncode == 0, done.stdout + done.stderr


def test_no_module_grows_into_a_monster() -> None:
    """A module that wants more lines wants to be two."""
    long = {str(path.relative_to(ROOT)): n for path in SOURCES if (n := path.read_text("utf-8").count("\n")) > LONGEST}
    assert long == {}


def test_the_project_speaks_of_itself_only() -> None:
    """No debts, no stubs, no paths of one machine in what is shipped."""
    words = re.compile(r"\bTODO\b|\bFIXME\b|NotImplementedError|/" + "work/")
    found = [str(path.relative_to(ROOT)) for path in SOURCES if words.search(path.read_text("utf-8"))]
    assert found == []


HEAVY = {"httpx", "pydantic", "deepdiff", "starlette", "uvicorn", "rich", "yaml", "sqlite3"}


@pytest.mark.parametrize(
    ("arguments", "allowed"),
    [(["--help"], set()), (["version"], set()), (["validate"], {"pydantic", "yaml"}), (["plan"], {"pydantic", "yaml"})],
    ids=["help", "version", "validate", "plan"],
)
def test_start_up_stays_light(arguments: list[str], allowed: set[str], tmp_path: Path) -> None:
    """What a command does not need, it does not import."""
    script = (
        "import sys\nfrom reconcile.cli.main import main\n"
        f"sys.argv[1:] = {arguments!r}\n"
        "try:\n    main()\nexcept SystemExit:\n    pass\n"
        f"print(sorted({HEAVY!r} & set(sys.modules)), file=sys.stderr)"
    )
    (tmp_path / "specs").mkdir()
    done = subprocess.run([sys.executable, "-c", script], cwd=tmp_path, capture_output=True, text=True, check=False)
    imported = set(re.findall(r"'(\w+)'", done.stderr.strip().splitlines()[-1]))
    assert imported <= allowed, done.stderr
