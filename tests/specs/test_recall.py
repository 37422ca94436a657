"""What a load remembers is what a load finds: first, again and after any edit, one with a memory agrees with one without."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from reconcile.errors import InputInvalid
from reconcile.kept import Kept
from reconcile.kept.files import SUFFIX
from reconcile.model.base import digest
from reconcile.model.resources import Alarm
from reconcile.specs import recall, remembered
from reconcile.specs.load import load_specs
from reconcile.specs.reading import digest_of
from reconcile.specs.rows import Collecting
from tests.specs.writing import TARGETS, alarm, config, put, task

Files = dict[str, dict[str, Any]]
NAMES = st.lists(st.sampled_from(["a", "b", "b-2", "b.c", "B", "a0"]), min_size=1, max_size=3, unique=True)
TEXTS = st.sampled_from(
    ["CPU is high", 'a "quoted" \\ text', "磁盘已满", "line\nbreak", "${var.place}", "${env.SITE}", "$${literal}"]
)
LIFECYCLES = st.sampled_from([None, {"protect": False}, {"protect": True}, {"renew_before": "1h"}])
KEYS = st.lists(st.sampled_from(["x", 'k"ey', "ü", "a.b"]), max_size=3, unique=True)
SECRET = {"annotations": {"token": "${secret.env.CHAT_TOKEN}"}}


@st.composite
def alarms(draw: st.DrawFn, owner: str) -> dict[str, Any]:
    """One alarm, of one or several instances; no other has its identity."""
    found = alarm(message=draw(TEXTS), lifecycle=draw(LIFECYCLES)) | draw(st.sampled_from([{}, SECRET]))
    keys = draw(st.none() | KEYS)
    about = {"provider": "ecs", "type": "vm", "id": owner if keys is None else owner + "${each.key}"}
    return found | {"resource": about} | ({} if keys is None else {"for_each": keys})


@st.composite
def files(draw: st.DrawFn) -> Files:
    """Files in which nothing is wrong; names of one file stand between those of others."""
    names = draw(st.lists(st.sampled_from(["1.yaml", "2.yaml", "sub/3.yaml", "4.yml"]), min_size=1, unique=True))
    return {file: {"alarms": {f"{name}-{file[:1]}": draw(alarms(f"{file} {name}")) for name in draw(NAMES)}} for file in names}


def names_in(contents: Files) -> list[tuple[str, str]]:
    """(file, name) of every alarm."""
    return [(file, name) for file, content in contents.items() for name in content.get("alarms", {})]


@st.composite
def edited(draw: st.DrawFn, contents: Files) -> Files:
    """The same after one to three edits, of which some make it wrong."""
    found: Files = json.loads(json.dumps(contents))
    for _ in range(draw(st.integers(1, 3))):
        known = names_in(found)
        if known:
            EDITS[draw(st.sampled_from(sorted(EDITS)))](
                found, draw(st.sampled_from(known)), draw(st.sampled_from(known)), draw(TEXTS)
            )
    return found


Edit = Callable[[Files, tuple[str, str], tuple[str, str], str], Any]
EDITS: dict[str, Edit] = {
    "another text": lambda found, one, other, text: found[one[0]]["alarms"][one[1]].update(message=text),
    "a new alarm": lambda found, one, other, text: found[one[0]]["alarms"].update(new=alarm(name=f"new in {one[0]}")),
    "gone": lambda found, one, other, text: found[one[0]]["alarms"].pop(one[1]),
    "the file is gone": lambda found, one, other, text: found.pop(one[0]),
    "another name of the file": lambda found, one, other, text: found.update({"0" + one[0].replace("/", "-"): found.pop(one[0])}),
    "a name of another file": lambda found, one, other, text: found[one[0]]["alarms"].update(
        {other[1]: alarm(name=f"taken by {one[0]}")}
    ),
    "the identity of another": lambda found, one, other, text: found[one[0]]["alarms"].update(
        twin=found[other[0]]["alarms"][other[1]] | {"name": other[1]}
    ),
    "a handling": lambda found, one, other, text: found[one[0]].update(handlings={f"of-{one[0][:1]}": task(alarm=other[1])}),
    "a handling without an alarm": lambda found, one, other, text: found[one[0]].update(handlings={"lost": task(alarm="lost")}),
    "a move": lambda found, one, other, text: found[one[0]].update(moved=[{"from": "alarm.old", "to": f"alarm.{other[1]}"}]),
    "a wrong move": lambda found, one, other, text: found[one[0]].update(moved=[{"from": f"alarm.{other[1]}", "to": "alarm.x"}]),
    "forget": lambda found, one, other, text: found[one[0]].update(forget=[f"alarm.{other[1][:-1]}"]),
    "a wrong word": lambda found, one, other, text: found[one[0]]["alarms"][one[1]].update(severity="Mayor"),
}


@pytest.fixture(autouse=True)
def _even_little(monkeypatch: pytest.MonkeyPatch) -> None:
    """Specs of any size are worth remembering here."""
    monkeypatch.setattr(recall, "SMALLEST", 0)


def found_by(folder: Path, kept: Kept | None, environ: Mapping[str, str]) -> Any:
    """Everything there is to know of a load: what it declares, built; or every problem."""
    try:
        desired = load_specs(config(folder, environ=environ), folder, environ=environ, kept=kept)
    except InputInvalid as invalid:
        return invalid.problems, invalid.files
    rest = (desired.moved, desired.forget, desired.digest, desired.notes, desired.files)
    return list(desired.declared.items()), rest


def write(folder: Path, contents: Mapping[str, Any]) -> None:
    """These files and no others."""
    for path in (folder / "specs").rglob("*.y*ml"):
        path.unlink()
    put(folder, dict(contents))


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(given=st.data())
def test_a_reader_with_a_memory_agrees_with_one_without(tmp_path_factory: pytest.TempPathFactory, given: st.DataObject) -> None:
    """Resources, order, digest, moves, notes and problems: of something good, and after each of two rounds of edits."""
    folder = tmp_path_factory.mktemp("stack")
    put(folder, {"/reconcile.yaml": "variables: {place: here}\n" + TARGETS})
    kept, environ = Kept(folder / "cache"), {"SITE": "Oslo"}
    contents = given.draw(files())
    for _ in range(3):
        write(folder, contents)
        plain = found_by(folder, None, environ)
        assert found_by(folder, kept, environ) == plain
        assert found_by(folder, kept, environ) == plain
        contents = given.draw(edited(contents))


@pytest.mark.parametrize("edit", ["the file is gone", "another name of the file", "a name of another file", "another text"])
def test_the_files_after_an_edited_one_keep_their_resources(tmp_path: Path, edit: str) -> None:
    """Their numbers move up or down; what stands in them does not."""
    contents = {f"{n}.yaml": {"alarms": {f"a{n}": alarm(name=f"{n}"), f"b{n}": alarm(name=f"b{n}")}} for n in range(1, 5)}
    kept = Kept(tmp_path / "cache")
    put(tmp_path, {"/reconcile.yaml": TARGETS})
    write(tmp_path, contents)
    assert found_by(tmp_path, kept, {}) == found_by(tmp_path, None, {})
    EDITS[edit](contents, ("1.yaml", "a1"), ("3.yaml", "a3"), "edited")
    write(tmp_path, contents)
    for _ in range(2):
        assert found_by(tmp_path, kept, {}) == found_by(tmp_path, None, {})
    put(tmp_path, {"4.yaml": {"alarms": {"c4": alarm(name="c4")}}})
    assert found_by(tmp_path, kept, {}) == found_by(tmp_path, None, {})


def test_a_memory_is_not_used_where_a_body_of_an_unchanged_file_cannot_be_read(tmp_path: Path) -> None:
    """Bodies that end early: whatever is built from them is read from the specs instead."""
    put(tmp_path, {"1.yaml": {"alarms": {"a": alarm()}}, "/reconcile.yaml": TARGETS})
    put(tmp_path, {"2.yaml": {"alarms": {"b": alarm(name="b")}}})
    kept = Kept(tmp_path / "cache")
    plain = found_by(tmp_path, kept, {})
    bodies = next(path for path in (tmp_path / "cache").glob("*" + SUFFIX) if "bodies" in path.name)
    bodies.write_bytes(bodies.read_bytes()[:20])
    assert found_by(tmp_path, kept, {}) == plain
    put(tmp_path, {"2.yaml": {"alarms": {"b": alarm(name="b", message="other")}}})
    assert found_by(tmp_path, kept, {}) == found_by(tmp_path, None, {})


def test_text_that_json_cannot_hold_is_read_plainly(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is kept of it, and nothing is lost."""

    def refuse(one: object) -> bytes:
        raise ValueError(one)

    put(tmp_path, {"1.yaml": {"alarms": {"a": alarm()}}, "/reconcile.yaml": TARGETS})
    plain = found_by(tmp_path, None, {})
    monkeypatch.setattr("reconcile.specs.rows.body_of", refuse)
    assert found_by(tmp_path, Kept(tmp_path / "cache"), {}) == plain
    assert not (tmp_path / "cache").exists()


def test_a_disk_that_is_full_keeps_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Bodies that were not written have no columns either."""
    put(tmp_path, {"1.yaml": {"alarms": {"a": alarm()}}, "/reconcile.yaml": TARGETS})
    monkeypatch.setattr(remembered.Kept, "write_parts", lambda self, name, parts: False)
    plain = found_by(tmp_path, None, {})
    assert found_by(tmp_path, Kept(tmp_path / "cache"), {}) == plain
    assert not (tmp_path / "cache").exists()


@settings(max_examples=60, deadline=None)
@given(st.dictionaries(st.text(st.characters(exclude_categories=["Cs"])).map(lambda key: f"alarm.a[{json.dumps(key)}]"), TEXTS))
def test_the_digest_of_all_is_that_of_one_document(contents: dict[str, str]) -> None:
    """Written piece by piece, it is still the digest of the canonical whole."""
    given = config(Path("/nonexistent"))
    declared = {address: digest(text) for address, text in {**contents, "alarm.plain": "x"}.items()}
    targets = {name: target.model_dump(mode="json") for name, target in given.targets.items()}
    whole = digest({"declared": declared, "moved": [], "forget": [], "targets": targets})
    assert digest_of(sorted(declared.items()), (), (), given) == whole
    assert digest_of([], (), (), given) == digest({"declared": {}, "moved": [], "forget": [], "targets": targets})


def test_only_the_resources_of_one_file_live_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What has been read is bytes until somebody asks for it: the memory of a load does not hold its nouns."""
    import gc

    for number in range(4):
        put(tmp_path, {f"{number}.yaml": {"alarms": {f"a{number}-{n}": alarm(name=f"{number}-{n}") for n in range(50)}}})
    put(tmp_path, {"/reconcile.yaml": TARGETS})
    living: list[int] = []
    take = Collecting.take

    def watch(self: Collecting, one: Any, mark: bytes) -> None:
        take(self, one, mark)
        if len(self.rows.addresses) % 50 == 0:
            living.append(sum(isinstance(thing, Alarm) for thing in gc.get_objects()))

    monkeypatch.setattr(Collecting, "take", watch)
    before = sum(isinstance(thing, Alarm) for thing in gc.get_objects())
    desired = load_specs(config(tmp_path), tmp_path, environ={}, kept=Kept(tmp_path / "cache"))
    assert len(desired.declared) == 200 and len(living) == 4
    assert max(living) - before <= 50
