"""Hostile and broken files: each is refused with a place, or read as YAML 1.2 says; none crashes, hangs or explodes."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

import pytest

from reconcile.errors import InputInvalid
from tests.specs.writing import TARGETS, load, only, problems, put, shown

NOTE = "alarms: {a: {severity: Info, resource: {provider: p, type: t, id: i}, message: m, annotations: {x: %s}}}\n"


def bomb(levels: int) -> str:
    """The billion laughs."""
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, levels)]
    return "\n".join(lines) + "\n"


MERGE = "m%d: &m%d {<<: [*m%d, *m%d]}"
REFUSED: dict[str, tuple[str | bytes, str]] = {
    "an alias bomb of nine levels": (bomb(9), "S008"),
    "a bomb of merge keys": ("m0: &m0 {k: v}\n" + "\n".join(MERGE % (n, n, n - 1, n - 1) for n in range(1, 20)), "S009"),
    "one long text under thirty aliases": ("a: &a " + "x" * 1_000_000 + "\nb: [" + ", ".join(["*a"] * 30) + "]\n", "S008"),
    "an alias inside what it names": ("alarms: &a [*a]\n", "S008"),
    "an alias without anchor": ("alarms: *nothing\n", "S008"),
    "2,000 open brackets": ("a: " + "[" * 2_000 + "]" * 2_000, "S007"),
    "100,000 open brackets": ("a: " + "[" * 100_000, "S007"),
    "100,000 open braces": ("a: " + "{" * 100_000, "S007"),
    "100,000 dashes on one line": ("- " * 100_000, "S007"),
    "deep block mappings": ("\n".join(" " * n + "k:" for n in range(200)), "S007"),
    "a duplicate key": (NOTE % "{k: 1, k: 2}", "S006"),
    "a duplicate key in JSON": ('{"alarms": {}, "alarms": {}}', "S006"),
    "a key that is not a number": (NOTE % "{.nan: 1}", "S011"),
    "a null key": (NOTE % "{~: 1}", "S012"),
    "a boolean key": (NOTE % "{true: 1}", "S012"),
    "a number as key": (NOTE % "{7: 1}", "S012"),
    "a mapping as key": (NOTE % "{{a: b}: 1}", "S012"),
    "a list as key": (NOTE % "{[a]: 1}", "S012"),
    "a whole number of 5,000 digits": (NOTE % ("9" * 5_000), "S011"),
    "a million hexadecimal digits": (NOTE % ("0x" + "f" * 1_000_000), "S011"),
    "a whole number above 64 bits": (NOTE % "9223372036854775808", "S011"),
    "not a number": (NOTE % ".nan", "S011"),
    "infinity": (NOTE % "-.inf", "S011"),
    "a float beyond all bounds": (NOTE % "1e999", "S011"),
    "a lone surrogate": (NOTE % r'"\ud800"', "S005"),
    "a Python object": (NOTE % "!!python/object/apply:os.system [ls]", "S010"),
    "binary": (NOTE % "!!binary aGk=", "S010"),
    "a timestamp tag": (NOTE % "!!timestamp 2026-01-01", "S010"),
    "an unknown tag": (NOTE % "!thing x", "S010"),
    "a tag with a handle of its own": ("%TAG ! tag:example.org,2026:\n---\n" + NOTE % "!x y", "S010"),
    "a tag that does not fit": (NOTE % "!!int x", "S010"),
    "a set": (NOTE % "!!set {a, b}", "S010"),
    "UTF-16 with a mark": (("\ufeff" + NOTE % "x").encode("utf-16-le"), "S004"),
    "UTF-16 without a mark": ((NOTE % "ä").encode("utf-16-be"), "S004"),
    "a NUL": (NOTE % "'\0'", "S004"),
    "an escape character": (NOTE % "'\x1b[31m'", "S004"),
    "bytes that are not UTF-8": (b"alarms: {\xff\xfe\xfa: x}\n", "S004"),
    "an overlong encoding": (b"alarms: {\xc0\xaf: x}\n", "S004"),
    "Latin-1": ("alarms: {ä: x}\n".encode("latin-1"), "S004"),
    "a tab as indentation": ("alarms:\n\ta: b\n", "S005"),
    "an open quote": ('alarms: {a: "b\n', "S005"),
    "a second colon": ("alarms: a: b\n", "S005"),
    "a million bytes on one line": ("alarms: {a: " + "x" * 1_000_000 + "}", "S021"),
    "a top-level list": ("- a\n- b\n", "S021"),
    "a top-level text": ("hello\n", "S021"),
    "resources as a list": ("alarms: []\n", "S021"),
    "a resource that is empty": ("alarms: {a: }\n", "S021"),
    "a name with a confusable letter": ("alarms: {wеb: {}}\n", "S025"),
    "a name that is too long": (f"alarms: {{{'a' * 129}: {{}}}}\n", "S025"),
    "a name with a slash": ("alarms: {a/b: {}}\n", "S025"),
    "twins in two normal forms as keys": ("alarms: {a: {for_each: [\u00e9, e\u0301], severity: Info}}\n", "S040"),
    "an environment variable that is not set": (NOTE % "'${env.NOT_SET_AT_ALL}'", "S043"),
    "a reference that is not closed": (NOTE % "'${var.x'", "S041"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_is_refused_with_its_code_and_place_and_in_time(name: str, tmp_path: Path) -> None:
    """Each broken input is told apart by its code, in less than two seconds."""
    text, code = REFUSED[name]
    started = time.process_time()
    found = problems(tmp_path, text if isinstance(text, bytes) else text.encode())
    assert time.process_time() - started < 2
    assert code in {problem.code for problem in found}, [shown(problem)[:300] for problem in found]
    assert all(problem.line >= 1 and problem.column >= 1 and problem.file == "specs/a.yaml" for problem in found)


ACCEPTED: dict[str, tuple[str | bytes, object]] = {
    "no is text": (NOTE % "no", "no"),
    "on is text": (NOTE % "on", "on"),
    "0777 is not octal": (NOTE % "0777", 777),
    "0o17 is octal": (NOTE % "0o17", 15),
    "12:30:45 is text": (NOTE % "12:30:45", "12:30:45"),
    "1e3 is a number": (NOTE % "1e3", 1000.0),
    "a date is text": (NOTE % "2026-11-20", "2026-11-20"),
    "1_000 is text": (NOTE % "1_000", "1_000"),
    "NaN is text": (NOTE % "NaN", "NaN"),
    "= is text": (NOTE % "=", "="),
    "a byte order mark is tolerated": (b"\xef\xbb\xbf" + (NOTE % "x").encode(), "x"),
    "CRLF is a line end": ((NOTE % "x").replace("\n", "\r\n").encode(), "x"),
    "no newline at the end is fine": ((NOTE % "x").rstrip(), "x"),
    "a line separator is an ordinary character": (NOTE % "'a\u2028b'", "a\u2028b"),
    "a next-line character is an ordinary character": (NOTE % '"a\x85 b"', "a\x85 b"),
    "the empty string has a tag": (NOTE % "!!str ", ""),
    "a number with a text tag is text": (NOTE % "!!str 12", "12"),
    "a number with a float tag is a float": (NOTE % "!!float 12", 12.0),
    "a long text survives": (NOTE % ("x" * 1_000_000), "x" * 1_000_000),
    "an anchor serves twice": (NOTE % "[&v {k: 1}, *v]", [{"k": 1}, {"k": 1}]),
    "astral characters survive": (NOTE % "'\U0001f514'", "\U0001f514"),
    "an empty list stays": (NOTE % "[]", []),
}


@pytest.mark.parametrize("name", ACCEPTED)
def test_is_read_as_yaml_1_2_says(name: str, tmp_path: Path) -> None:
    """What older YAML turns into something else stays what it is."""
    text, value = ACCEPTED[name]
    resource = load(tmp_path, text if isinstance(text, bytes) else text.encode()).declared["alarm.a"].resource
    assert resource.annotations == {"x": value}  # type: ignore[union-attr]


@pytest.mark.parametrize("text", ["", "---\n", "# nothing\n", "~\n", "---\n---\n", "alarms:\n", "alarms: {}\nforget: []\n"])
def test_an_empty_file_declares_nothing(text: str, tmp_path: Path) -> None:
    """Nothing said is no mistake."""
    assert load(tmp_path, text).declared == {}


def test_many_aliases_to_something_small_are_fine(tmp_path: Path) -> None:
    """Ten thousand aliases of one short mapping are no bomb."""
    text = NOTE % ("[&v {k: 1}" + ", *v" * 10_000 + "]")
    started = time.process_time()
    assert len(load(tmp_path, text).declared["alarm.a"].content["annotations"]["x"]) == 10_001
    assert time.process_time() - started < 2


def test_a_flow_mapping_of_twenty_thousand_keys_is_read_in_time(tmp_path: Path) -> None:
    """No cost grows with the square of the keys."""
    text = NOTE % ("{" + ", ".join(f"k{n}: {n}" for n in range(20_000)) + "}")
    started = time.process_time()
    assert len(load(tmp_path, text).declared["alarm.a"].content["annotations"]["x"]) == 20_000
    assert time.process_time() - started < 2


def test_ten_thousand_documents_in_one_file_are_read_in_time(tmp_path: Path) -> None:
    """Documents cost what their text costs."""
    one = "---\nalarms: {a%d: {severity: Info, resource: {provider: p, type: t, id: i%d}, message: m}}\n"
    started = time.process_time()
    assert len(load(tmp_path, "".join(one % (n, n) for n in range(5_000)) + "---\n" * 5_000).declared) == 5_000
    assert time.process_time() - started < 5


def test_a_thousand_wrong_resources_are_all_told_in_time(tmp_path: Path) -> None:
    """Places are found once per file, not once per problem."""
    text = "alarms:\n" + "".join(f"  a{n}: {{severity: Bad, resource: {{}}, message: 3}}\n" for n in range(1_000))
    started = time.process_time()
    assert len(problems(tmp_path, text)) == 5_000
    assert time.process_time() - started < 5


def test_a_file_of_two_hundred_megabytes_is_refused_unread(tmp_path: Path) -> None:
    """Above 16 MiB nothing is parsed."""
    put(tmp_path, {"a.yaml": ""})
    os.truncate(tmp_path / "specs" / "a.yaml", 200 * 2**20)
    started = time.process_time()
    assert only(problems(tmp_path)).code == "S003"
    assert time.process_time() - started < 1


def test_a_file_of_exactly_sixteen_mebibytes_is_read(tmp_path: Path) -> None:
    """The bound itself is allowed."""
    head = (NOTE % "x").encode()
    assert load(tmp_path, head + b"#" * (16 * 2**20 - len(head))).declared


@pytest.mark.parametrize(("name", "target"), [("out.yaml", "/etc/hostname"), ("out", "/etc"), ("up.yaml", "../reconcile.yaml")])
def test_a_link_that_leaves_the_specs_folder_is_refused(name: str, target: str, tmp_path: Path) -> None:
    """What is read lies below the specs folder, links followed."""
    put(tmp_path, {"/reconcile.yaml": TARGETS, "a.yaml": NOTE % "x"})
    (tmp_path / "specs" / name).symlink_to(target)
    problem = only(problems(tmp_path))
    assert (problem.code, problem.file) == ("S002", f"specs/{name}")


def test_a_link_inside_the_specs_folder_is_followed(tmp_path: Path) -> None:
    """A link is fine as long as it stays below."""
    put(tmp_path, {"b/real.txt": NOTE % "x"})
    (tmp_path / "specs" / "a.yaml").symlink_to("b/real.txt")
    assert load(tmp_path).declared["alarm.a"].source.file == "specs/a.yaml"


def test_a_circle_of_folders_is_refused(tmp_path: Path) -> None:
    """A link to a folder above is told, not followed for ever."""
    put(tmp_path, {"b/a.yaml": NOTE % "x"})
    (tmp_path / "specs" / "b" / "again").symlink_to("..")
    assert only(problems(tmp_path)).code == "S002"


@pytest.mark.parametrize("target", ["nothing.yaml", "b.yaml"])
def test_a_link_to_nothing_or_to_itself_is_refused(target: str, tmp_path: Path) -> None:
    """A dangling link is a mistake, not an empty file."""
    put(tmp_path, {"a.yaml": NOTE % "x"})
    (tmp_path / "specs" / "b.yaml").symlink_to(target)
    assert only(problems(tmp_path)).code == "S002"


def test_a_fifo_is_refused_without_waiting_for_it(tmp_path: Path) -> None:
    """Only regular files are opened for reading."""
    put(tmp_path, {"a.yaml": NOTE % "x"})
    os.mkfifo(tmp_path / "specs" / "b.yaml")
    assert only(problems(tmp_path)).code == "S002"


def test_a_fifo_as_config_is_refused_without_waiting_for_it(tmp_path: Path) -> None:
    """Likewise for the config."""
    os.mkfifo(tmp_path / "reconcile.yaml")
    with pytest.raises(InputInvalid) as caught:
        load(tmp_path, "")
    assert only(caught.value.problems).code == "C002"


def test_a_folder_with_the_name_of_a_file_is_refused(tmp_path: Path) -> None:
    """`x.yaml/` is a mistake, not a folder to walk."""
    (tmp_path / "specs" / "x.yaml").mkdir(parents=True)
    assert only(problems(tmp_path)).code == "S002"


def test_a_missing_specs_folder_is_told(tmp_path: Path) -> None:
    """Nothing to read is not the same as nothing declared."""
    problem = only(problems(tmp_path, targets="specs: nowhere\n" + TARGETS))
    assert (problem.code, problem.file) == ("S001", "nowhere")


@pytest.mark.skipif(sys.platform == "win32" or os.geteuid() != 0, reason="gives up root's rights in a child process")
def test_an_unreadable_file_and_folder_are_told(tmp_path: Path) -> None:
    """Each by name, beside the problems of the files that could be read."""
    put(tmp_path, {"/reconcile.yaml": TARGETS, "a.yaml": "x: y\n", "b.yaml": NOTE % "x", "c/d.yaml": NOTE % "x"})
    for folder in (tmp_path, *tmp_path.parents):
        if folder.owner() == "root" and str(folder).startswith("/tmp/"):
            folder.chmod(0o755)
    (tmp_path / "specs" / "b.yaml").chmod(0)
    (tmp_path / "specs" / "c").chmod(0)
    reader, writer = os.pipe()
    if (child := os.fork()) == 0:
        os.setuid(65534)
        os.write(writer, "\n".join(f"{p.code} {p.file}" for p in problems(tmp_path)).encode())
        os._exit(0)
    os.close(writer)
    told = os.read(reader, 10_000).decode().splitlines()
    os.close(reader)
    os.waitpid(child, 0)
    assert told == ["S020 specs/a.yaml", "S001 specs/b.yaml", "S001 specs/c"]


def test_a_broken_file_does_not_make_its_alarms_dangle(tmp_path: Path) -> None:
    """What an unreadable file declares is unknown, so references to it are not judged."""
    task = "{alarm: lost, task_type: PLAN, associated_task_id: x, associated_task_type: COMMUNAL, associated_task_name: n}"
    put(tmp_path, {"a.yaml": f"handlings: {{h: {task}}}\n", "b.yaml": "alarms: {lost: [\n"})
    assert [problem.code for problem in problems(tmp_path)] == ["S005"]
