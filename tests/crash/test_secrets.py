"""Canary secrets through every command, with -v, and through servers that echo them: no output and no file holds one."""

from __future__ import annotations

import base64
import json
import stat
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import quote, quote_plus

import pytest

from tests.crash.campaign import scenes
from tests.crash.scene import BEFORE, STATE, Scene
from tests.emulator_fixture import control

ODD = 'q"u\\o/t+e%&=<x>'
TOKEN, ANNOTATION, PARAMETER = f"canary-token-{ODD}-1", f"canary-note-{ODD}-2", f"canary-param-{ODD}-3"
KEY = "CanaryIntegrationKey000000000004"
CANARIES = (TOKEN, ANNOTATION, PARAMETER, KEY)
COMMANDS: tuple[tuple[str, ...], ...] = (
    ("validate",),
    ("plan",),
    ("plan", "--json"),
    ("plan", "--markdown", "plan.md", "--html", "plan.html", "--out", "plan.json"),
    ("apply", "plan.json"),
    ("apply", "--auto-approve", "--json"),
    ("show",),
    ("show", "plan.json"),
    ("state", "list"),
    ("state", "show", "*"),
    ("state", "pull"),
    ("drift",),
    ("plan", "--refresh"),
    ("whoami",),
    ("graph",),
    ("renew", "--auto-approve"),
    ("state", "history"),
    ("destroy", "--auto-approve"),
    ("plan", "--target", "nothing*"),
    ("apply",),
)


def spellings(secret: str) -> set[str]:
    """As it is, and as JSON, URLs, base64 and Python's repr spell it."""
    found = {secret, json.dumps(secret)[1:-1], quote(secret, safe=""), quote(secret), quote_plus(secret), repr(secret)[1:-1]}
    return found | {base64.b64encode(secret.encode()).decode().rstrip("=")}


def leaks(scene: Scene) -> list[str]:
    """Every canary in every file of the project, which are the outputs of the last run, too."""
    found = []
    for file in sorted(path for path in scene.work.rglob("*") if path.is_file()):
        content = file.read_bytes()
        found += [f"{file.name} holds {s[:14]}…" for c in CANARIES for s in spellings(c) if s.encode() in content]
    return found


@pytest.fixture
def scene() -> Iterator[Scene]:
    """A project that sends secrets: in an annotation, in a task's parameters, in the token and in COC's address."""
    with scenes(1) as made:
        stage = made[0]
        stage.begin("canaries", None)
        stage.edit(BEFORE)
        specs = stage.work / "specs" / "all.yaml"
        text = specs.read_text()
        text = text.replace('id: "vm-kept"}', 'id: "vm-kept"}, annotations: {note: "${secret.env.NOTE_WORD}"}')
        specs.write_text(text.replace("execute_user: root", 'execute_user: root, password: "${secret.env.TASK_WORD}"'))
        stage.environ |= {"NOTE_WORD": ANNOTATION, "TASK_WORD": PARAMETER, "COC_INTEGRATION_KEY": KEY}
        yield stage


def everything(scene: Scene, *shades: tuple[str, ...]) -> list[str]:
    """All commands, each with `-v`, or in each of these shades."""
    found = []
    for command in COMMANDS:
        for more in shades or (("-v",),):
            status, _ = scene.nest.run(*command, *more, cwd=scene.work, folder=scene.work / "trail", environ=scene.environ)
            assert status in (0, 1, 2, 3, 4, 5, 6, 7, 10, 64), f"{command}: {status}: {scene.told()}"
            assert "unexpected" not in scene.told(), f"{command}: {scene.told()}"
            found += [f"{' '.join(command)}: {leak}" for leak in leaks(scene)]
    return found


def test_no_command_writes_a_secret_anywhere(scene: Scene) -> None:
    """When all goes well; the secrets do reach the server."""
    status, _ = scene.apply()
    assert status == 0, scene.told()
    sent = json.dumps([row["body"] for row in control(scene.url, "log")])
    assert json.dumps(ANNOTATION) in sent
    assert everything(scene, (), ("-v",)) == []


@pytest.mark.parametrize(
    "status", [401, 500, pytest.param(400, marks=pytest.mark.full), pytest.param(403, marks=pytest.mark.full)]
)
def test_no_command_repeats_what_a_failing_server_echoes(scene: Scene, status: int) -> None:
    """A server, or a proxy on the way, that quotes the whole request in its error."""
    with echoing(status) as url:
        config = scene.work / "reconcile.yaml"
        config.write_text(config.read_text().replace(scene.url, url))
        scene.environ["HW_AUTH_TOKEN"] = TOKEN
        assert everything(scene) == []


def test_a_server_that_is_not_there_changes_nothing_of_that(scene: Scene) -> None:
    """Errors of connections, with what chains to them."""
    config = scene.work / "reconcile.yaml"
    config.write_text(config.read_text().replace(scene.url, "http://127.0.0.1:9"))
    scene.environ["HW_AUTH_TOKEN"] = TOKEN
    assert everything(scene) == []


def test_every_file_is_private_and_a_link_in_its_place_is_refused(scene: Scene) -> None:
    """State, backup, journal and lock: 0600; a symbolic link at their path is left alone, and nothing is sent."""
    assert scene.apply()[0] == 0
    (scene.work / "specs" / "all.yaml").write_text("alarms: {}\n")
    folder = (scene.work / STATE).parent
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir() if path.is_file()}
    assert modes and set(modes.values()) == {0o600}, modes
    for suffix in ("", ".backup", ".journal", ".lock", ".new"):
        before = len(control(scene.url, "log"))
        path = scene.work / (STATE + suffix)
        kept = path.read_bytes() if path.exists() else None
        path.unlink(missing_ok=True)
        victim = Path(scene.work, "victim")
        victim.write_text("precious")
        path.symlink_to(victim)
        assert scene.apply()[0] == 1, suffix
        assert "symbolic link" in scene.told() or "cannot be opened" in scene.told(), (suffix, scene.told())
        assert victim.read_text() == "precious" and len(control(scene.url, "log")) == before
        path.unlink()
        if kept is not None:
            path.write_bytes(kept)


def _quoted(request: BaseHTTPRequestHandler, body: str) -> str:
    """The secret parts first: what is quoted is cut after some hundred characters."""
    token = request.headers.get("x-auth-token", "")
    near = body[max(0, body.find("canary") - 10) :]
    return f"{token} {dict(list(request.headers.items())[-1:])} {near}"


class _Echo(BaseHTTPRequestHandler):
    """Answers with the request."""

    status = 500
    protocol_version = "HTTP/1.1"

    def _answer(self) -> None:
        body = self.rfile.read(int(self.headers.get("content-length", "0"))).decode("utf-8", "replace")
        said = {"error_code": "E.1", "error_msg": f"bad request: {self.path} {_quoted(self, body)}", "trace_id": TOKEN}
        content = json.dumps(said).encode()
        self.send_response(self.status)
        self.send_header("content-length", str(len(content)))
        self.send_header("location", "http://elsewhere/" + quote(TOKEN))
        self.end_headers()
        self.wfile.write(content)

    do_GET = do_POST = do_PUT = _answer

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


@contextmanager
def echoing(status: int) -> Iterator[str]:
    """A server on loopback that quotes every request in an error with this status."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Echo", (_Echo,), {"status": status}))
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
