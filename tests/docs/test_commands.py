"""Every block of commands in the README and the guide is run, in the order of its page, in a folder of the page's own."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.docs.pages import PAGES, ROOT, Block, blocks
from tests.emulator_fixture import running_emulator, without_credentials

BIN = Path(sys.executable).parent
EMPTY_AT_FIRST = {"tutorial.md"}  # this page starts with `init`; the others with the example
RUN = [page for page in PAGES if page.name != "README.md" and any(block.is_commands for block in blocks(page))]
ACCOUNT = {
    "RECONCILE_CONFIG": "account.yaml",
    "HUAWEICLOUD_SDK_AK": "RECONCILEEMULATORAK1",
    "HUAWEICLOUD_SDK_SK": "reconcile-emulator-secret-key-not-a-real-one",
    "HUAWEICLOUD_SDK_PROJECT_ID": "e0e0e0e0e0e0e0e0e0e0e0e0e0e0e0e0",
}
REAL = """\
stack: shop-prod
state: state/prod.json
targets:
  aom: {type: aom, endpoint: %s, project_id: "${env.HUAWEICLOUD_SDK_PROJECT_ID}"}
  coc: {type: coc, endpoint: %s}
  coc-events: {type: coc-events, endpoint: embedded, application_id: shop, namespace: demo, source: reconcile}
variables: {env: demo}
"""


def example(folder: Path) -> None:
    """The specs and the config of this repository."""
    shutil.copytree(ROOT / "specs", folder / "specs")
    shutil.copy(ROOT / "reconcile.yaml", folder)


def run(text: str, folder: Path, more: Mapping[str, str] | None = None, *, first: Path = BIN) -> subprocess.CompletedProcess[str]:
    """Run commands as a reader would, without credentials and without settings of this machine."""
    env = {name: value for name, value in without_credentials(os.environ).items() if not name.startswith("RECONCILE_")}
    env["PATH"] = f"{first}{os.pathsep}{BIN}{os.pathsep}{env['PATH']}"
    return subprocess.run(
        ["bash", "-e", "-c", text], cwd=folder, env=env | dict(more or {}), capture_output=True, text=True, check=False
    )


def run_with_account(block: Block, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run commands that need an account: the emulator is one, in a config of its own."""
    with running_emulator() as url:
        (folder / "account.yaml").write_text(REAL % (url, url), "utf-8")
        return run(block.text, folder, ACCOUNT)


def run_with_unknown(block: Block, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run commands on the example after an apply that lost the answers of COC."""
    place = folder / "unknown"
    place.mkdir()
    example(place)
    with running_emulator(faults=["POST:*auto-process:503"]) as url:
        (place / "account.yaml").write_text(REAL % (url, url), "utf-8")
        lost = run("reconcile apply --auto-approve", place, ACCOUNT)
        assert lost.returncode == 7, lost.stderr
        return run(block.text, place, ACCOUNT)


def run_block(block: Block, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run commands in the surroundings that they are shown for."""
    if block.needs_unknown:
        return run_with_unknown(block, folder)
    return run_with_account(block, folder) if block.needs_account else run(block.text, folder)


@pytest.mark.parametrize("page", RUN, ids=lambda page: page.name)
def test_the_commands_of_a_page_do_what_it_says(page: Path, tmp_path: Path) -> None:
    """Its files are written where it shows them; each block ends with 0, or as it says."""
    if page.name not in EMPTY_AT_FIRST:
        example(tmp_path)
    for block in blocks(page):
        if block.file is not None:
            (tmp_path / block.file).write_text(block.text, "utf-8")
        elif block.is_commands:
            done = run_block(block, tmp_path)
            assert done.returncode == block.exit_code, f"{block.text}\n{done.stdout}\n{done.stderr}"


SHIM = """\
#!/bin/sh
# `python3 -m venv .venv`, without the minutes: an environment whose pip has nothing left to do.
[ "$1 $2 $3" = "-m venv .venv" ] || exec "{python}" "$@"
mkdir -p .venv/bin
printf '#!/bin/sh\\n[ "$1 $2" = "install -q" ]\\n' > .venv/bin/pip
printf '#!/bin/sh\\nexec "{python}" -m reconcile "$@"\\n' > .venv/bin/reconcile
chmod +x .venv/bin/*
"""


def readme_commands() -> list[str]:
    """The README's blocks of commands."""
    return [block.text for block in blocks(ROOT / "README.md") if block.is_commands]


def test_the_first_command_of_the_readme_runs_the_example(tmp_path: Path) -> None:
    """What stands after the installation is run; the installation itself is stood in for."""
    first = readme_commands()[0]
    example(tmp_path)
    shims = tmp_path / "shims"
    shims.mkdir()
    (shims / "python3").write_text(SHIM.format(python=sys.executable), "utf-8")
    (shims / "python3").chmod(0o755)
    done = run(first, tmp_path, first=shims)
    assert done.returncode == 0, done.stderr
    assert "Applied: 7 reported; 3 tasks triggered." in done.stdout
    assert "No changes." in done.stdout


def test_the_readme_has_two_commands() -> None:
    """One runs the main job, the other is what you are in."""
    first, second = readme_commands()
    assert first.startswith("python3 -m venv .venv && .venv/bin/pip install -q . && ")
    assert second.startswith("python3 -m venv .venv && .venv/bin/pip install -q -e '.[test]' && .venv/bin/pytest")


@pytest.mark.full
def test_the_first_command_works_from_a_fresh_checkout(tmp_path: Path) -> None:
    """With a real environment and a real installation."""
    folder = tmp_path / "checkout"
    subprocess.run(["git", "clone", "--quiet", str(ROOT), str(folder)], check=True)
    done = run(readme_commands()[0], folder)
    assert done.returncode == 0, done.stderr


def test_no_block_of_commands_goes_unseen() -> None:
    """Nothing that looks like commands escapes by another name; measurements, which take minutes, name scripts that exist."""
    kinds = {page: [block.info.partition(" ")[0] for block in blocks(page)] for page in PAGES}
    assert {kind for found in kinds.values() for kind in found} <= {"sh", "yaml", "text", "console"}
    assert [page.name for page, found in kinds.items() if "console" in found] in ([], ["performance.md"])
    for page in PAGES:
        for block in blocks(page):
            if block.info == "console":
                assert all((ROOT / script).exists() for script in re.findall(r"\$ python (\S+)", block.text))
