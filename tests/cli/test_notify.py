"""`--notify`: a record of each run reaches a real server, holds no secret, and can do no harm to the run."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator as Validator

from reconcile.targets.notice import WAITS
from reconcile.views.schema_runs import run_schema
from tests.cli.conftest import CONFIG, SPECS, Run

TOKEN = "T0K3N-of-the-hook"
SECRET = "hunter2-very-secret"


class Receiver:
    """A webhook: what arrived, and what it answers, in turn, the last one for ever. `silent` never answers."""

    def __init__(self) -> None:
        self.bodies: list[dict[str, Any]] = []
        self.paths: list[str] = []
        self.answers = [204]
        self.silent = threading.Event()
        self.released = threading.Event()
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                receiver.paths.append(self.path)
                receiver.bodies.append(json.loads(self.rfile.read(int(self.headers["content-length"]))))
                if receiver.silent.is_set():
                    receiver.released.wait(30)
                    return
                self.send_response(receiver.answers[min(len(receiver.paths), len(receiver.answers)) - 1])
                self.send_header("location", "http://127.0.0.1:9/elsewhere")
                self.send_header("content-length", "0")
                self.end_headers()

            def log_message(self, *arguments: Any) -> None:
                """Nobody listens."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/services/{TOKEN}?key={TOKEN}"

    @property
    def record(self) -> dict[str, Any]:
        """The only one; it fits the published schema and holds nothing that nobody may read."""
        (body,) = self.bodies
        Validator(run_schema()).validate(body)
        assert set(run_schema()["properties"]) == set(body)
        assert TOKEN not in json.dumps(body) and SECRET not in json.dumps(body)
        return body


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    """A server of this test's own."""
    made = Receiver()
    thread = threading.Thread(target=made.server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield made
    made.released.set()
    made.server.shutdown()
    thread.join()
    made.server.server_close()


def told(run: Run, receiver: Receiver, *argv: str) -> tuple[Any, dict[str, Any]]:
    """Run, and the record that arrived."""
    receiver.bodies.clear()
    return run(*argv, "--notify", receiver.url), receiver.record


def test_an_apply_tells_what_it_did(run: Run, receiver: Receiver) -> None:
    """Counts, serial, times; the token of the URL is on the wire and nowhere else."""
    ran, record = told(run, receiver, "apply", "--auto-approve", "-v")
    assert ran.code == 0 and TOKEN not in ran.out + ran.err
    assert receiver.paths == [f"/services/{TOKEN}?key={TOKEN}"]
    assert (record["command"], record["stack"], record["exit_code"], record["result"]) == ("apply", "demo", 0, "done")
    assert record["applied"] == {"report": 4, "trigger": 1} and record["counts"]["done"] == 5 and record["serial"] == 1
    assert record["text"] == "reconcile apply on demo: 5 done (exit 0)"
    assert record["started_at"] <= record["ended_at"] and "@" in record["who"] and record["error"] is None


def test_a_saved_plan_is_named_by_its_id(run: Run, receiver: Receiver, project: Path) -> None:
    """So that the record leads to what was reviewed."""
    run("plan", "--out", "saved.json")
    _, record = told(run, receiver, "apply", "saved.json")
    assert record["plan_id"] == json.loads((project / "saved.json").read_text())["plan_id"]


def test_renew_destroy_and_drift_tell_too(run: Run, receiver: Receiver, project: Path) -> None:
    """Drift with what differs."""
    run("apply", "--auto-approve")
    assert told(run, receiver, "renew", "--auto-approve")[1]["text"] == "reconcile renew on demo: nothing to do (exit 0)"
    assert told(run, receiver, "drift")[1]["drift"] == []
    for path in (project / "state").glob("emulator.sqlite*"):
        path.unlink()
    ran, record = told(run, receiver, "drift")
    assert (ran.code, record["exit_code"], record["result"], record["drift_count"]) == (2, 2, "drift", 3)
    assert {row["kind"] for row in record["drift"]} == {"missing"}
    ran, record = told(run, receiver, "destroy", "--auto-approve")
    assert ran.code == 0 and record["planned"]["clear"] == 3


def test_a_refused_run_tells_why(run: Run, receiver: Receiver, project: Path) -> None:
    """Guards, checks, stale plans, invalid specs: with the exit code, and nothing begun."""
    run("apply", "--auto-approve")
    (project / "specs" / "web.yaml").write_text("alarms: {}\n")
    ran, record = told(run, receiver, "apply", "--auto-approve")
    assert (ran.code, record["exit_code"], record["result"], record["counts"]) == (6, 6, "refused", None)
    assert "the specs are empty" in record["error"]["message"] and record["planned"]["clear"] == 3
    (project / "specs" / "web.yaml").write_text("alarms: 1\n")
    ran, record = told(run, receiver, "apply", "--auto-approve")
    assert (ran.code, record["result"]) == (10, "invalid")


def test_secrets_of_specs_and_environment_are_not_in_it(
    run: Run, receiver: Receiver, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Even where an error repeats them."""
    monkeypatch.setenv("HOOK_VALUE", SECRET)
    monkeypatch.setenv("HUAWEICLOUD_SDK_SK", SECRET + "-2")
    extra = "    annotations: {callback: 'https://x/${secret.env.HOOK_VALUE}'}\n"
    (project / "specs" / "web.yaml").write_text(
        SPECS.replace("    message: CPU above 90 %\n", "    message: CPU above 90 %\n" + extra)
    )
    monkeypatch.setattr("getpass.getuser", lambda: f"mallory-{SECRET}-{SECRET}-2")
    ran, record = told(run, receiver, "apply", "--auto-approve")
    assert ran.code == 0 and "***" in record["who"]


CONFIGURED = "notify: {url: '${env.ALARM_HOOK}', when: WHEN}\n"


@pytest.mark.parametrize(("when", "arrived"), [("always", 3), ("changes", 2), ("failure", 1)])
def test_the_config_says_when(
    run: Run, receiver: Receiver, project: Path, monkeypatch: pytest.MonkeyPatch, when: str, arrived: int
) -> None:
    """An apply that does something, one that does nothing, one that is refused."""
    monkeypatch.setenv("ALARM_HOOK", receiver.url)
    (project / "reconcile.yaml").write_text(CONFIG + CONFIGURED.replace("WHEN", when))
    assert [run("apply", "--auto-approve").code for _ in "12"] == [0, 0]
    (project / "specs" / "web.yaml").write_text("alarms: {}\n")
    assert run("apply", "--auto-approve").code == 6
    assert len(receiver.bodies) == arrived
    assert run("apply", "--auto-approve", "--notify", "").code == 6
    assert run("plan").code == 6
    assert len(receiver.bodies) == arrived


def test_a_variable_that_is_not_set_is_a_warning(run: Run, project: Path) -> None:
    """Named; the run is done."""
    (project / "reconcile.yaml").write_text(CONFIG + CONFIGURED.replace("WHEN", "always"))
    ran = run("apply", "--auto-approve")
    assert ran.code == 0 and "needs the variable ALARM_HOOK, which is not set" in ran.err


@pytest.mark.parametrize("status", [400, 404, 302])
def test_a_receiver_that_refuses_changes_nothing(run: Run, receiver: Receiver, status: int) -> None:
    """A warning, the same exit code, no second try, no redirect followed; `-q` silences it."""
    receiver.answers = [status]
    ran = run("apply", "--auto-approve", "--notify", receiver.url)
    assert ran.code == 0 and f"was not posted: the receiver answered with HTTP {status}" in ran.err
    assert TOKEN not in ran.err and len(receiver.bodies) == 1
    assert run("drift", "-q", "--notify", receiver.url).err == ""


def test_a_receiver_in_trouble_is_asked_again(run: Run, receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same record, by its id."""
    monkeypatch.setattr("reconcile.targets.notice.WAITS", (0.0,) * len(WAITS))
    receiver.answers = [503, 429, 204]
    ran = run("apply", "--auto-approve", "--notify", receiver.url)
    assert ran.code == 0 and ran.err.count("Warning") == 0
    assert len(receiver.bodies) == 3 and len({body["id"] for body in receiver.bodies}) == 1
    receiver.answers = [500]
    assert "HTTP 500" in run("drift", "--notify", receiver.url).err and len(receiver.bodies) == 3 + 1 + len(WAITS)


def test_a_silent_receiver_is_given_up(run: Run, receiver: Receiver, project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """At the deadline."""
    monkeypatch.setenv("ALARM_HOOK", receiver.url)
    (project / "reconcile.yaml").write_text(CONFIG + "notify: {url: '${env.ALARM_HOOK}', timeout: 200ms}\n")
    receiver.silent.set()
    ran = run("apply", "--auto-approve")
    assert ran.code == 0 and "was not posted: no answer in time" in ran.err


@pytest.mark.parametrize(
    "url",
    ["http://hooks.example/T0K3N", "ftp://hooks.example/", "hooks.example", "https://", "https://[", "http://127.0.0.1:1/T0K3N"],
)
def test_a_url_that_leads_nowhere_is_a_warning_that_does_not_repeat_it(
    run: Run, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither unencrypted to elsewhere, nor to where nobody listens."""
    monkeypatch.setattr("reconcile.targets.notice.WAITS", ())
    ran = run("apply", "--auto-approve", "--notify", url, "-v")
    assert ran.code == 0 and "was not posted" in ran.err and url not in ran.out + ran.err and "T0K3N" not in ran.out + ran.err


def test_a_failing_run_keeps_its_own_code(run: Run, receiver: Receiver, project: Path) -> None:
    """Whatever the receiver says."""
    receiver.answers = [400]
    (project / "specs" / "web.yaml").write_text("alarms: 1\n")
    ran = run("apply", "--auto-approve", "--notify", receiver.url)
    assert ran.code == 10 and "was not posted" in ran.err


def test_a_run_that_is_told_of_in_json_stays_json(run: Run, receiver: Receiver) -> None:
    """The summary is the last line of stdout; a warning is a line of the log."""
    receiver.answers = [400]
    ran = run("apply", "--auto-approve", "--json", "--log-format", "json", "--notify", receiver.url)
    assert json.loads(ran.out.splitlines()[-1])["type"] == "summary"
    assert [json.loads(line)["level"] for line in ran.err.splitlines()] == ["warning"]
