"""What `init` writes: files from the templates, each new or not at all. Asks nobody."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path

from reconcile.cli.plan_files import write_public
from reconcile.errors import ReconcileError

TEMPLATES = Path(__file__).parent / "templates"
_PIPELINES = {"github": ".github/workflows", "gitlab": "."}
_NOT_WORKFLOWS = frozenset({"action.yml", "README.md"})


def texts_of(ci: str | None) -> dict[str, str]:
    """Path -> text of all that is written."""
    texts = {name: _template(name) for name in ("reconcile.yaml", "specs/example.yaml")}
    return texts | _schemas() | pipeline_texts(ci)


def pipeline_texts(ci: str | None) -> dict[str, str]:
    """The pipeline's part of it."""
    return dict(_pipeline(ci)) if ci else {}


def _template(name: str) -> str:
    return (TEMPLATES / name).read_text(encoding="utf-8")


def _schemas() -> dict[str, str]:
    """What an editor checks and completes by; the templates' first lines name these paths."""
    from reconcile.views.schemas.config import config_schema
    from reconcile.views.schemas.spec import spec_schema

    found = {"spec": spec_schema(), "config": config_schema()}
    return {f".reconcile/{kind}.schema.json": json.dumps(schema, indent=2) + "\n" for kind, schema in found.items()}


def _pipeline(ci: str) -> Iterator[tuple[str, str]]:
    folder = TEMPLATES / "pipelines" / ci
    for path in sorted(folder.iterdir()):
        if path.suffix == ".yml" and path.name not in _NOT_WORKFLOWS:
            name = "." + path.name if ci == "gitlab" and not path.name.startswith(".") else path.name
            yield str(Path(_PIPELINES[ci]) / name), path.read_text(encoding="utf-8")


def start(directory: Path, texts: Mapping[str, str], *, force: bool) -> list[str]:
    """Write all of it, or nothing where a file is in the way. Returns the paths written."""
    there = [name for name in texts if (directory / name).is_symlink() or (directory / name).exists()]
    if there and not force:
        raise ReconcileError(f"already there: {', '.join(there)}", hint="nothing was written; --force overwrites them")
    for name, text in texts.items():
        path = directory / name
        path.parent.mkdir(parents=True, exist_ok=True)
        write_public(path, text)
    return [*texts, *_ignore(directory)]


def _ignore(directory: Path) -> list[str]:
    """Add what git is to pass over; lines that are there already stay as they are."""
    path = directory / ".gitignore"
    before = path.read_text(encoding="utf-8") if path.exists() else ""
    missing = [line for line in _template("gitignore").splitlines() if line not in before.splitlines()]
    if missing:
        gap = "\n" if before and not before.endswith("\n") else ""
        write_public(path, before + gap + "".join(line + "\n" for line in missing))
    return [".gitignore"] if missing else []
