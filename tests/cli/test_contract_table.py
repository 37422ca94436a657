"""Exit codes and streams of every command in one table (contract sections 8 and 9): terminals, pipes, locales, wrong lines."""

from __future__ import annotations

import os
import pty
import re
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

import pytest

from reconcile.cli.commands.state import state
from reconcile.cli.main import main
from reconcile.cli.root import COMMANDS
from tests.cli.conftest import CONFIG, SPECS


class Row(NamedTuple):
    """A command line in a project that is applied but for one edit, its exit code, and who speaks: o(ut), e(rr)."""

    argv: str
    code: int
    speaks: str


TABLE = [
    Row("validate", 0, "o"),
    Row("validate --format json", 0, "o"),
    Row("plan", 0, "o"),
    Row("plan --detailed-exitcode", 2, "o"),
    Row("plan --json", 0, "o"),
    Row("plan --markdown -", 0, "o"),
    Row("plan --refresh", 0, "o"),
    Row("plan --destroy", 6, "oe"),
    Row("plan --state pulled.json", 0, "o"),
    Row("plan --state nowhere.json", 0, "oe"),
    Row("plan --target @nowhere.txt", 64, "e"),
    Row("plan --on nowhere", 64, "e"),
    Row("plan --replace handling.web-restart", 64, "e"),
    Row("plan --rerun alarm.web-cpu", 64, "e"),
    Row("apply", 64, "e"),
    Row("apply saved.json --target x", 64, "e"),
    Row("destroy", 64, "e"),
    Row("destroy --auto-approve --lock-timeout 30s", 6, "oe"),
    Row("renew", 64, "e"),
    Row("renew --auto-approve --lock-timeout 30s", 0, "o"),
    Row("drift", 0, "o"),
    Row("drift --json", 0, "o"),
    Row("drift --notify http://127.0.0.1:1/", 0, "oe"),
    Row("show", 0, "o"),
    Row("show --json", 0, "o"),
    Row("show saved.json", 0, "o"),
    Row("show saved.json --detailed-exitcode", 2, "o"),
    Row("show altered.json", 5, "e"),
    Row("apply altered.json", 5, "e"),
    Row("state list", 0, "o"),
    Row("state show alarm.web-cpu", 0, "o"),
    Row("state show alarm.nothing", 1, "e"),
    Row("state pull", 0, "o"),
    Row("state history", 0, "o"),
    Row("state unlock", 0, "e"),
    Row("state unlock -q", 0, ""),
    Row("state push pulled.json", 0, "e"),
    Row("state push nowhere.json", 64, "e"),
    Row("state restore 99", 1, "e"),
    Row("state unprotect alarm.disk", 0, "e"),
    Row("state mv alarm.nothing alarm.b", 1, "e"),
    Row("state rm alarm.nothing", 1, "e"),
    Row("state migrate --to state/default.json", 64, "e"),
    Row("resolve handling.web-restart --not-run", 1, "e"),
    Row("resolve handling.web-restart", 64, "e"),
    Row("import", 64, "e"),
    Row("import --unmanaged -q", 0, ""),
    Row("import alarm.web-cpu 1", 1, "e"),
    Row("graph", 0, "o"),
    Row("graph --state pulled.json", 0, "o"),
    Row("graph --state nowhere.json", 0, "oe"),
    Row("graph saved.json --state pulled.json", 64, "e"),
    Row("schema spec", 0, "o"),
    Row("schema run", 0, "o"),
    Row("whoami", 0, "o"),
    Row("init", 1, "e"),
    Row("emulator --port 70000", 64, "e"),
    Row("version", 0, "o"),
    Row("plan --config nowhere.yaml", 10, "e"),
]


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The project of the table; no command of it changes what the next one sees."""
    folder = tmp_path_factory.mktemp("table")
    (folder / "specs").mkdir()
    spec = folder / "specs" / "web.yaml"
    spec.write_text(SPECS.replace("CPU above 90 %", "磁盘 \x85 90 %\n    lifecycle: {protect: true}"), encoding="utf-8")
    (folder / "reconcile.yaml").write_text(CONFIG, encoding="utf-8")
    with pytest.MonkeyPatch.context() as patch:
        for name in [n for n in os.environ if n.startswith(("RECONCILE_", "HW_", "HUAWEICLOUD_", "GITHUB_"))]:
            patch.delenv(name)
        assert main(["-C", str(folder), "apply", "--auto-approve", "-q"]) == 0
        spec.write_text(spec.read_text(encoding="utf-8").replace("Minor", "Info"), encoding="utf-8")
        assert main(["-C", str(folder), "plan", "--out", "saved.json"]) == 0
        saved = (folder / "saved.json").read_text(encoding="utf-8")
        (folder / "altered.json").write_text(saved.replace("Info", "Critical", 1), encoding="utf-8")
        (folder / "pulled.json").write_bytes((folder / "state" / "default.json").read_bytes())
        yield folder


@pytest.mark.parametrize("row", TABLE, ids=lambda row: row.argv)
def test_code_and_streams(home: Path, row: Row, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """The answer on stdout, all else on stderr; no colour and no control character without a terminal."""
    monkeypatch.chdir(home)
    before = (home / "state" / "default.json").read_bytes()
    capfd.readouterr()
    assert main(row.argv.split()) == row.code
    out, err = capfd.readouterr()
    assert {"o": bool(out), "e": bool(err)} == {"o": "o" in row.speaks, "e": "e" in row.speaks}, (out, err)
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f]", out + err)
    assert (home / "state" / "default.json").read_bytes() == before


def test_the_table_holds_every_command() -> None:
    """A new command wants its row."""
    first = {row.argv.split()[0] for row in TABLE}
    assert first == set(COMMANDS)
    assert {row.argv.split()[1] for row in TABLE if row.argv.startswith("state ")} == set(state.commands)


@pytest.mark.parametrize("name", [*COMMANDS, *(f"state {name}" for name in state.commands)])
def test_a_wrong_command_line_is_64_everywhere(home: Path, name: str, capfd: pytest.CaptureFixture[str]) -> None:
    """An unknown option, after and before the command; nothing on stdout."""
    assert main(["-C", str(home), *name.split(), "--nonsense"]) == 64
    assert main(["--nonsense", *name.split()]) == 64
    assert main([*name.split(), "--color", "pink"]) == 64
    assert capfd.readouterr().out == ""


def start(row: Row, home: Path, **environ: str) -> subprocess.Popen[bytes]:
    """The command line as a process."""
    return subprocess.Popen(
        [sys.executable, "-m", "reconcile", *row.argv.split()],
        cwd=home,
        env=os.environ | environ,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


ANSWERING = [row for row in TABLE if row.code in (0, 2, 6) and "o" in row.speaks]
SPEAKING = list({" ".join(row.argv.split()[:2]): row for row in ANSWERING if "json" not in row.argv}.values())


def test_a_locale_that_knows_no_unicode_gets_ascii(home: Path) -> None:
    """Every command, with the same code as ever."""

    def ran(row: Row) -> tuple[Row, int, bytes]:
        out, err = (process := start(row, home, LC_ALL="C", PYTHONIOENCODING="ascii", PYTHONUTF8="0")).communicate(timeout=60)
        return row, process.returncode, out + err

    with ThreadPoolExecutor(4) as pool:
        for row, code, text in pool.map(ran, SPEAKING):
            assert code == row.code and text.isascii() and b"Traceback" not in text, row


def test_a_reader_that_went_away_changes_no_code(home: Path) -> None:
    """And is no reason to complain."""

    def ran(row: Row) -> tuple[Row, int, bytes]:
        process = start(row, home)
        assert process.stdout is not None and process.stderr is not None
        process.stdout.close()
        with process.stderr:
            told = process.stderr.read()
        return row, process.wait(60), told

    with ThreadPoolExecutor(4) as pool:
        for row, code, told in pool.map(ran, SPEAKING):
            assert code == row.code and b"Traceback" not in told and b"Broken" not in told, (row, told)


def in_terminal(argv: str, home: Path, **environ: str) -> str:
    """What a terminal of 80 columns shows."""
    leader, follower = pty.openpty()
    settings = os.environ | {"TERM": "xterm-256color", "COLUMNS": "80", "LINES": "24"} | environ
    started = subprocess.Popen(
        [sys.executable, "-m", "reconcile", *argv.split()],
        cwd=home,
        env=settings,
        stdin=follower,
        stdout=follower,
        stderr=follower,
    )
    os.close(follower)
    screen = b""
    try:
        while piece := os.read(leader, 4096):
            screen += piece
    except OSError:
        pass  # the other side has closed
    os.close(leader)
    assert started.wait(30) in (0, 2)
    return screen.decode()


@pytest.mark.parametrize(
    "argv", ["plan", "plan --full", "drift", "show saved.json", "validate", "show", "state show *", "whoami"]
)
def test_a_terminal_gets_80_columns_and_colour_unless_it_says_no(home: Path, argv: str) -> None:
    """NO_COLOR and `--color never` leave not one escape; nothing of prose is wider than the terminal."""
    plain = in_terminal(argv, home, NO_COLOR="1")
    assert "\x1b[" not in plain and "\x1b[" not in in_terminal(argv + " --color never", home)
    assert max(len(line) for line in plain.splitlines()) <= 80, plain
    if argv == "plan":
        assert "\x1b[" in in_terminal(argv, home)


def test_logs_as_json_are_one_object_a_line(home: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """Errors, notes and progress alike; before and after the command; wrong command lines too."""
    import json

    for argv, level in (("--log-format json state rm alarm.nothing", "error"), ("state unlock --log-format json", "info")):
        main(["-C", str(home), *argv.split()])
        out, err = capfd.readouterr()
        rows = [json.loads(line) for line in err.splitlines()]
        assert rows and rows[-1]["level"] == level and set(rows[0]) == {"time", "level", "message"} and out == ""
    assert main(["--log-format", "json", "state", "rm"]) == 64
    assert all(json.loads(line)["message"] for line in capfd.readouterr().err.splitlines())
    assert main(["state", "rm"]) == 64 and capfd.readouterr().err.startswith("Usage:")
