"""The server as a process: where it listens, how it ends, what it keeps, and its back door for tests."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from contextlib import closing
from email.utils import parsedate_to_datetime
from pathlib import Path
from urllib.error import HTTPError

import httpx
import pytest

from reconcile.emulator import credentials as known
from reconcile.emulator.app import close, make_app
from reconcile.emulator.settings import Settings, changed, shown
from tests.emulator.bench import ALARM_ID, PROJECT, bench
from tests.emulator_fixture import control, running_emulator, without_credentials

COMMAND = [sys.executable, "-m", "reconcile.emulator"]
TOKEN = {"X-Auth-Token": known.FIXED_TOKEN}
SHOW = f"/v1/alarm-mgmt/alarm/{ALARM_ID}"


def _get(url: str, headers: dict[str, str] = TOKEN) -> int:
    return httpx.get(url + SHOW, headers=headers, trust_env=False).status_code


def _hang(url: str) -> None:
    with pytest.raises(httpx.HTTPError):
        _get(url)


def test_the_url_is_told_when_connections_are_accepted_and_a_signal_ends_it_with_0() -> None:
    """The first line is JSON; SIGINT and SIGTERM both are a clean end, even with a request hanging."""
    for number in (signal.SIGINT, signal.SIGTERM):
        command = [*COMMAND, "--json", "--fault", "GET:*:timeout@2"]
        with subprocess.Popen(command, env=without_credentials(os.environ), stdout=subprocess.PIPE, text=True) as server:
            assert server.stdout is not None
            url = json.loads(server.stdout.readline())["url"]
            assert url.startswith("http://127.0.0.1:")
            assert _get(url) == 200
            hanging = threading.Thread(target=_hang, args=(url,))
            hanging.start()
            time.sleep(0.2)
            server.send_signal(number)
            assert server.wait(timeout=10) == 0
            assert server.stdout.read() == ""
            hanging.join(timeout=10)


def test_people_are_told_the_fixed_credentials_only_when_they_are_valid() -> None:
    """With credentials in the environment these are taken, and never shown."""
    for environ, shows in (({}, True), ({"HW_AUTH_TOKEN": "my-own-token"}, False)):
        env = without_credentials(os.environ) | environ
        with subprocess.Popen(COMMAND, env=env, stdout=subprocess.PIPE, text=True) as server:
            assert server.stdout is not None
            text = server.stdout.readline()
            server.terminate()
            text += server.stdout.read()
            assert "http://127.0.0.1:" in text
            assert (known.FIXED_SK in text) is shows
            assert "my-own-token" not in text


@pytest.mark.parametrize(
    ("arguments", "code"),
    [(["--fault", "x"], 64), (["--identity", "none"], 64), (["--lag", "-1"], 64), (["--lag", "x"], 64), (["--nope"], 64)],
)
def test_a_wrong_command_line_is_64(arguments: list[str], code: int) -> None:
    """Before anything is opened."""
    done = subprocess.run([*COMMAND, *arguments], capture_output=True, text=True, timeout=20, check=False)
    assert (done.returncode, done.stdout) == (code, "")
    assert done.stderr


def test_a_taken_port_is_1() -> None:
    """With the reason."""
    with running_emulator() as url:
        command = [*COMMAND, "--port", url.rpartition(":")[2]]
        done = subprocess.run(command, capture_output=True, text=True, timeout=20, check=False)
        assert done.returncode == 1
        assert "error:" in done.stderr
        assert "Traceback" not in done.stderr


def test_what_was_reported_and_logged_outlives_the_server(tmp_path: Path) -> None:
    """In its SQLite file, together with the shifted clock."""
    path = tmp_path / "emulator.db"
    with running_emulator(database=path) as url:
        assert _get(url) == 200
        control(url, "clock", {"shift_ms": 3_600_000})
    with running_emulator(database=path) as url:
        (row,) = control(url, "log")
        assert (row["method"], row["path"], row["status"], row["outcome"]) == ("GET", SHOW, 200, 200)
        assert control(url, "clock", {"shift_ms": 0})["now"] > time.time() * 1000 + 3_500_000
        date = parsedate_to_datetime(httpx.get(url + SHOW, headers=TOKEN, trust_env=False).headers["date"])
        assert date.timestamp() > time.time() + 3_500


def test_several_servers_share_one_file(tmp_path: Path) -> None:
    """All at once: every request of every one is there, none is lost to a lock."""
    path = tmp_path / "emulator.db"

    def hammer(url: str) -> None:
        with httpx.Client(base_url=url, headers=TOKEN, trust_env=False, timeout=30) as client:
            for _ in range(30):
                assert client.get(SHOW).status_code == 200

    with running_emulator(database=path) as one, running_emulator(database=path) as two:
        threads = [threading.Thread(target=hammer, args=(url,)) for url in (one, two, one, two)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(control(one, "log")) == 120


def test_a_request_holds_the_file_alone_from_its_first_statement(tmp_path: Path) -> None:
    """So that nothing another process writes comes between what it reads and what it writes."""
    path = tmp_path / "emulator.db"
    with bench(path) as b, closing(sqlite3.connect(path, timeout=0)) as other:
        b.active()
        other.execute("BEGIN IMMEDIATE")
        other.rollback()
        with b.desk.store.transaction(), pytest.raises(sqlite3.OperationalError, match="locked"):
            other.execute("BEGIN IMMEDIATE")


def test_settings_change_at_run_time_and_reset_brings_them_back(emulator: str) -> None:
    """Hypotheses and faults alike; what is no setting is a 400 and changes nothing."""
    before = control(emulator, "settings")
    after = control(emulator, "settings", {"repeat": "second", "page-info": False, "faults": ["GET:*:503@1"]})
    assert (after["repeat"], after["page_info"], after["faults"]) == ("second", False, ["GET:*:503@1"])
    assert (_get(emulator), _get(emulator)) == (503, 200)
    wrongs = ({"repeat": "x"}, {"nothing": 1}, {"lag": -1}, {"lag": "1"}, {"listing": "no"}, {"faults": ["x"]}, {"faults": 1})
    for wrong in wrongs:
        with pytest.raises(HTTPError):
            control(emulator, "settings", wrong)
    assert control(emulator, "settings") == after
    assert control(emulator, "reset", {}) == before
    assert control(emulator, "log") == []


def test_the_back_door_adds_alarms_and_the_runs_of_others(emulator: str) -> None:
    """For tests of recovery: another alarm, another person's run."""
    id = "ALM20250714173617000000000"
    control(emulator, "coc-alarms", {"id": id, "status": "resolved"})
    order = control(emulator, "work-orders", {"alarm_id": id, "task_id": "SC1", "create_name": "bob"})["work_order_id"]
    url = f"{emulator}/v1/alarm-mgmt/alarm/{id}/handle-histories?offset=0&limit=10"
    body = httpx.get(url, headers=TOKEN, trust_env=False).json()
    (row,) = body["alarm_handle_histories"]
    assert (row["work_order_id"], row["create_name"], row["associated_task_id"]) == (order, "bob", "SC1")
    assert body["resolved_record"]["create_name"] == "system"


def test_the_log_shows_bodies_and_resumes_where_asked(emulator: str) -> None:
    """JSON bodies as JSON; `since` leaves out what was seen."""
    with httpx.Client(base_url=emulator, headers=TOKEN, trust_env=False) as client:
        client.put(f"/v2/{PROJECT}/push/events?action=clear", json={"events": []})
        client.get(SHOW)
    first, second = control(emulator, "log")
    assert (first["method"], first["query"], first["status"], first["body"]) == ("PUT", "action=clear", 400, {"events": []})
    assert "x-auth-token" not in first["headers"]
    assert control(emulator, f"log?since={first['seq']}") == [second]


def test_the_truth_about_alarms_is_told_whatever_the_listing_hides() -> None:
    """Behind a lag, and without the right to list."""
    with running_emulator(lag=60, listing=False) as url, httpx.Client(base_url=url, headers=TOKEN, trust_env=False) as client:
        with bench() as b:
            event = b.event(annotations={"message": "m"})
        assert client.put(f"/v2/{PROJECT}/push/events", json={"events": [event]}).status_code == 204
        assert client.post(f"/v2/{PROJECT}/events", json={"time_range": "-1.-1.60"}).status_code == 403
        (row,) = control(url, "alarms?state=active")
        assert (row["metadata"], row["annotations"], row["eps"]) == (event["metadata"], {"message": "m"}, "0")
        assert control(url, "alarms?state=cleared") == []
        assert control(url, "coc-events") == []


def test_in_process_it_is_an_asgi_application(tmp_path: Path) -> None:
    """Through httpx's transport, without credentials; the file appears with the first request and not before."""
    path = tmp_path / "state" / "emulator.db"
    app = make_app(path, Settings())
    assert not path.parent.exists()

    async def ask() -> list[int]:
        transport = httpx.ASGITransport(app=app)
        async with httpx.AsyncClient(transport=transport, base_url="http://embedded") as client:
            return [(await client.get(SHOW)).status_code, (await client.get("/_emulator/log")).status_code]

    assert asyncio.run(ask()) == [200, 200]
    assert asyncio.run(ask()) == [200, 200]
    close(app)
    assert path.exists()


def test_settings_survive_their_own_spelling() -> None:
    """What is shown can be sent back."""
    settings = changed(Settings(), {"clear-by": "metadata", "faults": ["*:*:503x2"], "refuse": ["a*"], "lag": 1.5})
    assert changed(Settings(), shown(settings)) == settings


def test_a_database_of_another_version_is_refused(tmp_path: Path) -> None:
    """And left as it is."""
    path = tmp_path / "emulator.db"
    with bench(path) as b:
        b.desk.store.db.execute("PRAGMA user_version = 99")
    before = path.read_bytes()
    with pytest.raises(RuntimeError, match="version 99"), bench(path) as b:
        b.active()
    assert path.read_bytes() == before


def test_small_answers_do_not_wait_for_one_another(emulator: str) -> None:
    """Fifty requests on one connection take milliseconds each, not a delayed acknowledgement each."""
    with httpx.Client(base_url=emulator, headers=TOKEN, trust_env=False) as client:
        client.get(SHOW)
        began = time.perf_counter()
        for _ in range(50):
            client.get(SHOW)
        assert time.perf_counter() - began < 50 * 0.03
