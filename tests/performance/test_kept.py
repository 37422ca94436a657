"""What is kept to save time changes nothing but time: with it, without it, torn, forged or foreign, the plan is the same."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reconcile.kept import Kept
from reconcile.kept.files import MOST_FILES, SUFFIX
from tests.crash.nest import Nest, started

COUNT = 420
PLAN = ["-C", ".", "plan", "--json", "--as-of", "2026-11-20T08:00:00Z"]
ALARM = """\
  host-{n}-cpu:
    severity: {severity}
    resource: {{provider: ecs, type: vm, id: ecs-{n}}}
    message: CPU above {percent} % on ${{var.place}}, for a good while, so that a stack of a few hundred is worth remembering
    probable_cause: {cause}
    lifecycle: {lifecycle}
"""
OTHERS = """\
events:
  deployed: {severity: Info, resource: {provider: app, type: release, id: v42}, message: "v42 is out in ${env.PLACE}"}
handlings:
  restart:
    alarm: host-1-cpu
    alarm_id: ALM2025071417361705s6mUUrF
    target: coc
    task_type: SCRIPT
    associated_task_id: SC2025071006154101b779eb7
    associated_task_type: CUSTOMIZATION
    associated_task_name: restart-agent
    input_param: {timeout: 300, execute_user: root, success_rate: 100}
"""
CONFIG = """\
version: 1
stack: kept
default_target: aom
variables: {place: here}
targets: {aom: {type: aom}, coc: {type: coc}}
"""


def text(first: int, count: int, *, percent: int = 90, lifecycle: str = "{renew_before: 1h}") -> str:
    """A spec file."""
    words = "a batch job that nobody stopped, " * 4
    rows = (
        ALARM.format(n=n, severity=("Major", "Info")[n % 2], percent=percent, cause=words, lifecycle=lifecycle)
        for n in range(first, first + count)
    )
    return "alarms:\n" + "".join(rows)


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A stack that was applied and planned twice: everything that can be kept is kept."""
    folder = tmp_path_factory.mktemp("stack")
    (folder / "specs").mkdir()
    (folder / "reconcile.yaml").write_text(CONFIG)
    for part in range(3):
        (folder / "specs" / f"{part}.yaml").write_text(text(part * COUNT // 3, COUNT // 3))
    (folder / "specs" / "z.yaml").write_text(OTHERS)
    run(folder, "-C", ".", "apply", "--auto-approve", "--allow", "triggers=9")
    run(folder, *PLAN)
    run(folder, *PLAN)
    assert len(kept_files(folder)) == 3
    return folder


@pytest.fixture
def stack(base: Path, tmp_path: Path) -> Path:
    """A copy of it to spoil; what was kept for the first is kept for the copy."""
    folder = tmp_path / "stack"
    shutil.copytree(base, folder, ignore=shutil.ignore_patterns(".reconcile"))
    run(folder, *PLAN)
    assert len(kept_files(folder)) == 3
    return folder


NESTS: list[Nest] = []


@pytest.fixture(scope="module", autouse=True)
def forked(nest: Nest) -> Iterator[None]:
    """Runs of this file share what they import."""
    NESTS.append(nest)
    yield
    NESTS.clear()


def run(folder: Path, *arguments: str, environ: dict[str, str] | None = None, seed: str | None = None) -> bytes:
    """The tool as a process, of its own interpreter where a seed is given; its stdout."""
    names = {name: value for name, value in os.environ.items() if not name.startswith("RECONCILE_")}
    known = names | {"PLACE": "Oslo"} | (environ or {}) | ({} if seed is None else {"PYTHONHASHSEED": seed})
    code, out, _ = (NESTS[0].tell if seed is None else started)(arguments, cwd=folder, environ=known)
    return out.encode() + b"\n%d" % code


def kept_files(folder: Path) -> list[Path]:
    """What is kept."""
    return sorted((folder / ".reconcile" / "cache").glob("*" + SUFFIX))


def without(folder: Path, *arguments: str) -> bytes:
    """The same command where nothing is kept."""
    shutil.rmtree(folder / ".reconcile", ignore_errors=True)
    return run(folder, *arguments)


def rewrite(name: str, old: str, new: str) -> Callable[[Path], None]:
    """An edit of one spec file."""

    def edit(folder: Path) -> None:
        path = folder / "specs" / name
        path.write_text(path.read_text().replace(old, new))

    return edit


EDITS: dict[str, Callable[[Path], None]] = {
    "nothing": lambda folder: None,
    "one alarm changes": rewrite("1.yaml", "host-150-cpu:\n    severity: Major", "host-150-cpu:\n    severity: Minor"),
    "one alarm goes": rewrite("0.yaml", "  host-7-cpu:", "  host-7000-cpu:"),
    "a renewal margin grows": rewrite("1.yaml", "renew_before: 1h", "renew_before: 14d"),
    "protection is written out": rewrite("0.yaml", "{renew_before: 1h}", "{renew_before: 1h, protect: false}"),
    "a file goes": lambda folder: (folder / "specs" / "2.yaml").unlink(),
    "a file gets another name": lambda folder: (folder / "specs" / "2.yaml").rename(folder / "specs" / "9.yaml") and None,
    "a name is taken twice": lambda folder: (folder / "specs" / "9.yaml").write_text(text(5, 1)) and None,
    "an identity is taken twice": rewrite(
        "z.yaml",
        "events:",
        "alarms:\n"
        + text(5, 1).partition("\n")[2].replace("host-5-cpu", "again").replace("severity", "name: host-5-cpu\n    severity")
        + "events:",
    ),
    "a handling names nothing": rewrite("z.yaml", "alarm: host-1-cpu", "alarm: host-nowhere"),
    "an alarm moves": rewrite("z.yaml", "events:", "moved: [{from: alarm.host-9000-cpu, to: alarm.host-1-cpu}]\nevents:"),
    "a file breaks": rewrite("1.yaml", "alarms:", "alarms: ["),
    "a variable changes": lambda folder: (folder / "reconcile.yaml").write_text(CONFIG.replace("here", "there")) and None,
    "a target changes": lambda folder: (
        (folder / "reconcile.yaml").write_text(CONFIG.replace("type: aom}", "type: aom, stamp: false}")) and None
    ),
}


@pytest.mark.parametrize("edit", EDITS.values(), ids=EDITS.keys())
def test_a_plan_is_the_same_with_and_without_what_is_kept(stack: Path, edit: Callable[[Path], None]) -> None:
    """Whatever was edited since, under another hash seed, the first time and the second: the same bytes, the same exit code."""
    edit(stack)
    first = run(stack, *PLAN, seed="1")
    second = run(stack, *PLAN, seed="2")
    plain = without(stack, *PLAN)
    assert first == second == plain


def test_an_environment_variable_that_decided_counts(stack: Path) -> None:
    """Another value of `${env.PLACE}` is another content."""
    assert b'"report": 1' in run(stack, *PLAN, environ={"PLACE": "Bergen"})


@settings(max_examples=12)
@given(data=st.data())
def test_a_torn_or_altered_file_is_as_good_as_none(base: Path, data: st.DataObject) -> None:
    """Cut anywhere, or with bits changed anywhere: the plan is that of the specs."""
    expected = b"\n0"
    path = data.draw(st.sampled_from(kept_files(base)))
    content = path.read_bytes()
    place = data.draw(st.integers(0, len(content) - 1))
    cut = data.draw(st.booleans())
    try:
        path.write_bytes(content[:place] if cut else content[:place] + bytes([content[place] ^ 0x21]) + content[place + 1 :])
        out = run(base, *PLAN)
        assert out.endswith(expected) and json.loads(out[: -len(expected)])["summary"]["none"] == COUNT + 2
    finally:
        path.write_bytes(content)
        path.chmod(0o600)


def test_bodies_of_another_run_are_not_believed(stack: Path) -> None:
    """Bodies are checked one by one: exchanged, the changed alarm is still the one in the specs."""
    bodies = next(path for path in kept_files(stack) if "bodies" in path.name)
    bodies.write_bytes(bodies.read_bytes().replace(b"Major", b"Minor"))
    (stack / "state" / "default.json").unlink()
    out = json.loads(run(stack, *PLAN)[:-2])
    assert {row["after"]["severity"] for row in out["changes"] if row["kind"] == "alarm"} == {"Major", "Info"}


def test_what_others_may_write_is_not_read(tmp_path: Path) -> None:
    """A file that others can reach, a link, a folder and a pipe count as absent."""
    kept = Kept(tmp_path)
    kept.write("one", b"content")
    path = tmp_path / ("one" + SUFFIX)
    assert kept.read("one") == b"content" and path.stat().st_mode & 0o777 == 0o600
    path.chmod(0o620)
    assert kept.read("one") is None
    path.chmod(0o600)
    (tmp_path / ("two" + SUFFIX)).symlink_to(path)
    os.mkfifo(tmp_path / ("three" + SUFFIX), 0o600)
    (tmp_path / ("four" + SUFFIX)).mkdir()
    assert [kept.read(name) for name in ("two", "three", "four", "five")] == [None] * 4


def test_the_folder_stays_small_and_what_is_not_ours_stays(tmp_path: Path) -> None:
    """The oldest go first; a file without our ending is never touched."""
    kept = Kept(tmp_path)
    (tmp_path / "precious").write_text("mine")
    for number in range(MOST_FILES + 5):
        kept.write(f"n{number}", b"x")
        os.utime(tmp_path / f"n{number}{SUFFIX}", (number, number))
    assert len(list(tmp_path.glob("*" + SUFFIX))) == MOST_FILES
    assert kept.read("n0") is None and kept.read(f"n{MOST_FILES + 4}") == b"x"
    assert (tmp_path / "precious").read_text() == "mine"


def test_a_disk_that_refuses_is_a_cache_that_is_empty(stack: Path) -> None:
    """A cache folder that cannot be made costs nothing but time."""
    (stack / "blocked").write_text("a file")
    out = run(stack, *PLAN, environ={"RECONCILE_CACHE_DIR": str(stack / "blocked" / "cache")})
    assert out == without(stack, *PLAN)


def test_runs_at_the_same_time_do_not_disturb_each_other(stack: Path) -> None:
    """Several plans that all read and write the same cache agree."""
    shutil.rmtree(stack / ".reconcile")
    command = [sys.executable, "-m", "reconcile", *PLAN]
    environ = {**os.environ, "PLACE": "Oslo"}
    running = [subprocess.Popen(command, cwd=stack, stdout=subprocess.PIPE, env=environ) for _ in range(3)]
    assert len({process.communicate()[0] for process in running}) == 1


def test_what_is_due_is_not_settled_by_its_digest(stack: Path) -> None:
    """Within the margin of its timeout an untouched alarm is renewed, with what is kept as without."""
    late = [*PLAN[:-1], (datetime.now(UTC) + timedelta(days=15, minutes=-30)).strftime("%Y-%m-%dT%H:%M:%SZ")]
    out = run(stack, *late)
    assert json.loads(out[:-2])["summary"]["renew"] == COUNT
    assert out == without(stack, *late)


def test_a_protection_that_is_lifted_in_writing_is_seen(stack: Path) -> None:
    """`protect: false` has the digest of no protection at all; that the state remembers one decides."""
    path = stack / "specs" / "0.yaml"
    for protection in ("{renew_before: 1h, protect: true}", "{renew_before: 1h}"):
        path.write_text(text(0, COUNT // 3, lifecycle=protection))
        run(stack, "-C", ".", "apply", "--auto-approve")
        run(stack, *PLAN)
    path.write_text(text(0, COUNT // 3, lifecycle="{renew_before: 1h, protect: false}"))
    first, second = run(stack, *PLAN), run(stack, *PLAN)
    assert json.loads(first[:-2])["summary"]["update"] == COUNT // 3
    assert first == second == without(stack, *PLAN)
