"""Runs of the tool on a state that several machines share: real processes, each machine with nothing but specs and config."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.crash.nest import Nest
from tests.crash.scene import AFTER, BEFORE
from tests.emulator_fixture import control, running_emulator
from tests.shared_state.conftest import Begin
from tests.shared_state.gate import Gate
from tests.shared_state.machines import Machines, Specs, ended
from tests.shared_state.places import KINDS, S3, Http, Place, Postgres, place

WITH_TASK = Specs(alarms={"kept": ("Major", "vm-kept", "as it was", "aom")}, handlings={"first": "kept"})


def test_plan_and_apply_on_three_machines(begin: Begin) -> None:
    """One plans, one applies that plan, one finds nothing left to do; a no-op changes neither bytes nor serial."""
    machine = begin()
    machine.edit(BEFORE)
    status, said = machine.run("plan", "--detailed-exitcode", "--out", str(machine.folder / "plan.json"))
    assert (status, machine.document()) == (2, {}), said
    machine.elsewhere()
    assert machine.run("apply", str(machine.folder / "plan.json"))[0] == 0, machine.told()
    machine.check(unknown=False)
    before = machine.document()
    machine.elsewhere()
    assert machine.run("plan", "--detailed-exitcode")[0] == 0, machine.told()
    assert machine.apply()[0] == 0
    assert machine.document() == before
    assert sorted(path.name for path in machine.work.iterdir()) == ["reconcile.yaml", "specs", "state", "trail"]
    machine.edit(AFTER)
    assert machine.apply()[0] == 0, machine.told()
    machine.check(unknown=False)
    assert machine.document()["serial"] <= before["serial"] + 6  # intents of each wave, and the end


def test_two_at_once_one_is_told_who_holds_the_lock(begin: Begin) -> None:
    """Exit 4 with who, since when and where, and nothing sent; one that waits goes on when the first has ended."""
    machine = begin()
    machine.edit(WITH_TASK)
    machine.slow(1)
    first = machine.start("apply", "--auto-approve")
    machine.wait_until_it_sends()
    status, said = machine.run("apply", "--auto-approve")
    assert status == 4, said
    assert "the state is locked by another run" in said and "@" in said and "since 20" in said and "lock id" in said, said
    second = machine.start("apply", "--auto-approve", "--lock-timeout", "1m")
    assert ended(first)[0] == 0
    machine.slow(0)
    code, out, _ = ended(second)
    assert (code, machine.unasked()) == (0, {"SCfirst": 1}), out


def test_a_lock_lost_in_the_middle_stops_the_triggers(begin: Begin) -> None:
    """Somebody took the lock away and holds it: nothing is started, nothing written; the next run does it, once."""
    machine = begin()
    machine.edit(WITH_TASK)
    machine.slow(1)
    run = machine.start("apply", "--auto-approve")
    machine.wait_until_it_sends()
    machine.place.steal(machine.name)
    code, _, err = ended(run)
    assert (code, machine.unasked()) == (1, {}), err
    machine.place.give_back(machine.name)
    machine.slow(0)
    machine.elsewhere()
    assert machine.recover()[-1] == 0
    assert machine.unasked() == {"SCfirst": 1}


def test_a_state_moves_into_the_place_and_back(begin: Begin) -> None:
    """`state migrate --to` from a local file and to one; nothing is reported again; a second state is refused."""
    machine = begin()
    remote = machine.config
    machine.configure("")
    machine.edit(BEFORE)
    assert machine.apply()[0] == 0, machine.told()
    local = json.loads((machine.work / "state" / "default.json").read_text())
    (machine.work / "remote.yaml").write_text(remote)
    assert machine.run("state", "migrate", "--to", "remote.yaml")[0] == 0, machine.told()
    assert machine.document() == local
    machine.config = remote
    machine.elsewhere()
    assert machine.run("plan", "--detailed-exitcode")[0] == 0, machine.told()
    assert machine.run("state", "migrate", "--to", "state/back.json")[0] == 0, machine.told()
    assert json.loads((machine.work / "state" / "back.json").read_text()) == local
    machine.edit(AFTER)
    assert machine.apply()[0] == 0, machine.told()
    status, said = machine.run("state", "migrate", "--to", "state/back.json")
    assert status == 1 or machine.document() == json.loads((machine.work / "state" / "back.json").read_text()), said


def test_the_state_commands_work_on_the_place(begin: Begin) -> None:
    """list, show, mv, rm, pull, push, history, restore and unlock, each on a machine without any file of the state."""
    machine = begin()
    machine.edit(BEFORE)
    assert machine.apply()[0] == 0, machine.told()
    machine.elsewhere()
    assert "alarm.kept" in machine.run("state", "list")[1]
    assert "vm-kept" in machine.run("state", "show", "alarm.kept")[1]
    status, old = machine.run("state", "pull")
    assert (status, json.loads(old)) == (0, machine.document())
    assert machine.run("state", "mv", "alarm.gone", "alarm.renamed")[0] == 0, machine.told()
    assert machine.run("state", "rm", "alarm.renamed")[0] == 0, machine.told()
    assert not {"alarm.gone", "alarm.renamed"} & machine.document()["resources"].keys()
    status, said = machine.run("state", "history")
    assert (status, str(machine.document()["serial"]) in said) == (0, True), said
    status, said = machine.run("state", "restore", "1")
    assert (status, "state push --force" in said) == (1, True), said
    (machine.work / "old.json").write_text(old)
    status, said = machine.run("state", "push", "old.json")
    assert (status, "older than" in said) == (1, True), said
    assert machine.run("state", "push", "--force", "old.json")[0] == 0, machine.told()
    assert "alarm.gone" in machine.document()["resources"]
    status, said = machine.run("state", "unlock", "not-this-one")
    assert status in (0, 1) and "Traceback" not in said, said
    assert machine.run("plan")[0] == 0


@contextmanager
def gated(kind: str) -> Iterator[tuple[Place, Gate]]:
    """A place whose network can be taken away."""
    with place(kind) as one:
        match one:
            case Http():
                gate = Gate(int(one.server.url.rpartition(":")[2]))
                one.environ["STATE_URL"] = f"http://127.0.0.1:{gate.port}"
            case S3():
                gate = Gate(int(one.environ["STATE_BUCKETS_URL"].rpartition(":")[2]))
                one.environ["STATE_BUCKETS_URL"] = f"http://127.0.0.1:{gate.port}"
            case Postgres():
                port = one.conn_str.split("port=")[1].split()[0]
                gate = Gate(int(port))
                one.environ["STATE_DB"] = one.conn_str.replace(f"port={port}", f"port={gate.port}")
            case _:
                raise AssertionError(kind)
        yield one, gate
        gate.close()


def down_at_the_end(kind: str, folder: Path, nest: Nest, wrong: list[BaseException | str]) -> None:
    """The place goes away while the alarms are sent: exit 1 and a dump; once it is back, the next run here takes it over."""
    try:
        with running_emulator() as url, gated(kind) as (one, gate):
            machine = Machines(folder, url, nest, one, kind)
            machine.edit(Specs(alarms=WITH_TASK.alarms))
            machine.slow(1)
            run = machine.start("apply", "--auto-approve")
            machine.wait_until_it_sends()
            gate.shut()
            code, _, err = ended(run)
            assert code == 1 and "errored.state.json" in err, err
            (dump,) = (machine.work / "state").glob("*.errored.state.json")
            assert dump.stat().st_mode & 0o777 == 0o600
            assert "alarm.kept" in json.loads(dump.read_text())["resources"]
            gate.open()
            machine.slow(0)
            pushes = sum(row["method"] == "PUT" for row in control(url, "log"))
            assert machine.recover()[-1] == 0, machine.told()
            assert not list((machine.work / "state").glob("*.errored.state.json"))
            assert machine.document()["resources"]["alarm.kept"]["confirmation"] == "confirmed"
            assert sum(row["method"] == "PUT" for row in control(url, "log")) == pushes  # nothing was reported again
    except BaseException as error:
        wrong.append(error)


def test_a_place_that_goes_away_costs_nothing(nest: Nest, tmp_path: Path) -> None:
    """On each kind, side by side, since each waits a while before it gives up."""
    wrong: list[BaseException | str] = []
    threads = [threading.Thread(target=down_at_the_end, args=(kind, tmp_path, nest, wrong)) for kind in KINDS]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


def test_without_its_place_a_run_sends_nothing(begin: Begin, monkeypatch: pytest.MonkeyPatch) -> None:
    """The variable that names the place is missing: exit 10, and nobody was asked for anything."""
    machine = begin()
    machine.edit(WITH_TASK)
    for name in machine.place.environ:
        monkeypatch.delitem(machine.environ, name)
    status, said = machine.run("apply", "--auto-approve")
    assert (status, "STATE_" in said) == (10, True), said
    assert control(machine.url, "log") == []
