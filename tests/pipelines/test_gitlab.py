"""The GitLab pipeline: its jobs run as scripts, its state behind the protocol that GitLab speaks, its notes on a small server."""

from __future__ import annotations

import json
import shutil
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from string import Template
from typing import Any

from tests.emulator_fixture import control
from tests.pipelines.forge import base_environment, load, script
from tests.pipelines.shop import SECRETS, active, add_disk, open_shop, requests, triggered
from tests.state.http_server import StateServer

CI = load("gitlab/.gitlab-ci.yml")
NOTES = "/api/v4/projects/5/merge_requests/7/notes"


class Notes(BaseHTTPRequestHandler):
    """GitLab's notes of one merge request: two pages, for whoever holds the token."""

    rows: list[dict[str, Any]]

    def _answer(self, body: Any, **headers: str) -> None:
        content = json.dumps(body).encode()
        assert self.headers["PRIVATE-TOKEN"] == "note-token"
        self.send_response(200)
        for name, value in {"Content-Length": str(len(content)), **headers}.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(content)

    def _body(self) -> dict[str, Any]:
        body: dict[str, Any] = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        return body

    def do_GET(self) -> None:
        """The first page holds a person's note, the second the rest."""
        first = self.path.endswith("&page=1")
        self._answer(self.rows[:1] if first else self.rows[1:], X_Next_Page="2" if first else "")

    def do_POST(self) -> None:
        """A new note."""
        assert self.path == NOTES
        self.rows.append({"id": len(self.rows) + 1, "edits": 0, **self._body()})
        self._answer({})

    def do_PUT(self) -> None:
        """An edited one."""
        row = self.rows[int(self.path.rpartition("/")[2]) - 1]
        row |= self._body() | {"edits": row["edits"] + 1}
        self._answer({})

    def log_message(self, format: str, *args: Any) -> None:
        """Quiet."""


@contextmanager
def notes() -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """Its address and its notes, for as long as the block lasts."""
    rows: list[dict[str, Any]] = [{"id": 1, "body": "a person's note", "edits": 0}]
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (Notes,), {"rows": rows}))
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}/api/v4", rows
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


class Runner:
    """Runs jobs, each in a fresh checkout, with the artifacts of what it needs."""

    def __init__(self, folder: Path, states: StateServer) -> None:
        self.folder, self.repository = folder, folder / "repository"
        self.forge = {"CI_API_V4_URL": states.url, "CI_PROJECT_ID": "5", "CI_JOB_TOKEN": "job-token", "CI": "true"}
        self.kept: dict[str, bytes] = {}

    def run(self, job: str, **env: str) -> tuple[int, str]:
        """The exit code and the text of one job."""
        work = self.folder / "work"
        shutil.rmtree(work, ignore_errors=True)
        shutil.copytree(self.repository, work)
        for name, content in self.kept.items():
            (work / name).write_bytes(content)
        forge = self.forge | env
        given = {key: Template(value).substitute(forge) for key, value in CI["variables"].items()}
        done = script("\n".join(CI[job]["script"]), work, base_environment(self.folder / "home") | forge | given)
        self._keep(CI[job].get("artifacts", {}), work)
        return done.returncode, done.stdout + done.stderr

    def _keep(self, artifacts: Mapping[str, Any], work: Path) -> None:
        for name in (*artifacts.get("paths", ()), *artifacts.get("reports", {}).values()):
            self.kept[name] = (work / name).read_bytes()


def test_from_merge_request_to_apply_and_night(tmp_path: Path, emulator: str, states: StateServer) -> None:
    """Plan with the widget and one note, apply of that plan, then a quiet and a loud night."""
    runner = Runner(tmp_path, states)
    open_shop(runner.repository, emulator=emulator, state="{backend: http}")
    assert runner.run("validate")[0] == 0
    with notes() as (url, rows):
        for step in range(2):
            assert runner.run("plan")[0] == 0
            note = {"CI_API_V4_URL": url, "CI_MERGE_REQUEST_IID": "7", "RECONCILE_NOTE_TOKEN": "note-token"}
            code, text = runner.run("note", **note)
            assert code == 0, text
            add_disk(runner.repository) if step == 0 else None
    assert [row["edits"] for row in rows] == [0, 1]
    assert "alarm.disk-filling" in rows[1]["body"]
    assert json.loads(runner.kept["plan-report.json"]) == {"create": 3, "update": 0, "delete": 0}
    assert b"RECONCILE_CHANGES=true\n" in runner.kept["plan.env"]
    assert requests(emulator) == 0
    code, text = runner.run("apply", **SECRETS)
    assert code == 0, text
    assert (len(active(emulator)), triggered(emulator)) == (3, 1)
    assert list(states.states) == ["/projects/5/terraform/state/alarms"]
    assert runner.run("renew", **SECRETS)[0] == runner.run("drift", **SECRETS)[0] == 0
    control(emulator, "reset", {})
    assert runner.run("drift", **SECRETS)[0] == 2


class Artifacts(BaseHTTPRequestHandler):
    """What a fork's pipeline can reach of the project it came from: the newest artifacts of a branch."""

    snapshot: bytes | None
    asked: list[str]

    def do_GET(self) -> None:
        """The file of the job, or nothing."""
        self.asked.append(self.path)
        found = self.snapshot if self.path == "/projects/5/jobs/artifacts/release%2F1/raw/state.json?job=snapshot" else None
        self.send_response(404 if found is None else 200)
        self.send_header("Content-Length", str(len(found or b"")))
        self.end_headers()
        self.wfile.write(found or b"")

    do_POST = do_DELETE = do_GET

    def log_message(self, format: str, *args: Any) -> None:
        """Quiet."""


@contextmanager
def artifacts(snapshot: bytes | None) -> Iterator[tuple[str, list[str]]]:
    """The project behind a fork, and what it was asked for."""
    asked: list[str] = []
    handler = type("OneSnapshot", (Artifacts,), {"snapshot": snapshot, "asked": asked})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}", asked
        server.shutdown()


def test_a_fork_plans_offline_against_the_copy_that_an_apply_left_behind(
    tmp_path: Path, emulator: str, states: StateServer
) -> None:
    """With no secret, and without ever asking for the state; without a copy everything is new, and that is said."""
    runner = Runner(tmp_path, states)
    open_shop(runner.repository, emulator=emulator, state="{backend: http}")
    for job in ("plan", "apply", "snapshot"):
        code, text = runner.run(job, **(SECRETS if job == "apply" else {}))
        assert code == 0, text
    copy, seen = runner.kept.pop("state.json"), requests(emulator)
    add_disk(runner.repository)
    fork = {"CI_PROJECT_ID": "6", "CI_MERGE_REQUEST_PROJECT_ID": "5", "CI_MERGE_REQUEST_TARGET_BRANCH_NAME": "release/1"}
    for snapshot, created in ((copy, 1), (None, 3)):
        with artifacts(snapshot) as (url, asked):
            code, text = runner.run("plan", **fork, CI_API_V4_URL=url)
        assert code == 0, text
        assert len(asked) == 1 and "/terraform/state" not in asked[0]
        assert json.loads(runner.kept["plan-report.json"]) == {"create": created, "update": 0, "delete": 0}
        assert ("No copy of the state" in text and "as if nothing had been reported" in text) == (snapshot is None)
    assert requests(emulator) == seen
    own = {"CI_MERGE_REQUEST_PROJECT_ID": "5", "CI_MERGE_REQUEST_TARGET_BRANCH_NAME": "main"}
    assert runner.run("plan", **own)[0] == 0
    assert json.loads(runner.kept["plan-report.json"])["create"] == 1


def test_what_writes_runs_one_at_a_time() -> None:
    """Jobs that take the lock share a resource group; drift, which does not, is a warning."""
    assert {name for name, job in CI.items() if isinstance(job, dict) and "resource_group" in job} == {"apply", "renew"}
    assert CI["drift"]["allow_failure"] == {"exit_codes": [2]}
    assert CI["apply"]["rules"][0]["when"] == "manual"
