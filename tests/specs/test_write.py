"""What is live, written as specs: read back it is the same, whatever the texts hold."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reconcile.model.config import DEFAULT_TARGETS, Config
from reconcile.specs.load import load_specs
from reconcile.specs.write import write_specs
from tests.specs.writing import alarm

CONFIG = Config(targets=DEFAULT_TARGETS)
ODD = [
    "no",
    "0777",
    "0o17",
    "1e3",
    "~",
    "12:30:45",
    "${env.HOME}",
    "$${",
    "- a",
    "a: b",
    " x ",
    "#",
    "\x85\u2028",
    "\ufeff",
    "\u202e",
    "'\"\\",
]
TEXT = st.one_of(st.sampled_from(ODD), st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=40))
KEY = TEXT.filter(lambda text: "${" not in text)
VALUE = st.recursive(
    st.one_of(TEXT, st.booleans(), st.none(), st.integers(-(2**63), 2**63 - 1), st.floats(allow_nan=False, allow_infinity=False)),
    lambda children: st.one_of(st.lists(children, max_size=3), st.dictionaries(KEY, children, max_size=3)),
    max_leaves=6,
)
OWN = {"message", "alarm_probableCause_zh_cn", "alarm_fix_suggestion_zh_cn", "url"}


def content(**changes: Any) -> dict[str, Any]:
    """A live alarm in the words of the specs."""
    return {"target": "aom", "name": "CPU", "timeout": 86_400_000, **alarm(**changes)}


def read_back(text: str, folder: Path) -> list[dict[str, Any]]:
    """The contents that a file declares."""
    (folder / "x.yaml").write_text(text, encoding="utf-8")
    desired = load_specs(CONFIG.model_copy(update={"specs": "."}), folder, environ={})
    return [dict(one.content) for one in desired.declared.values()]


@settings(max_examples=150, deadline=None)
@given(
    name=TEXT,
    message=TEXT,
    identity=TEXT,
    metadata=st.dictionaries(KEY, TEXT, max_size=3),
    annotations=st.dictionaries(KEY.filter(lambda key: key not in OWN), VALUE, min_size=1, max_size=3),
    timeout=st.integers(1, 15 * 86_400_000),
)
def test_what_is_written_is_read_back_as_the_same(
    tmp_path_factory: Any,
    name: str,
    message: str,
    identity: str,
    metadata: dict[str, str],
    annotations: dict[str, Any],
    timeout: int,
) -> None:
    """Every text, however hostile, and every number; and nothing invisible or dangerous stands raw in the file."""
    resource = {"provider": "ecs", "type": "vm", "id": identity}
    wanted = content(
        name=name,
        message=message,
        resource=resource,
        annotations=annotations,
        timeout=timeout,
        **({"metadata": metadata} if metadata else {}),
    )
    written = write_specs([wanted], CONFIG)
    assert written.left_out == ()
    assert all(line.isprintable() for line in written.text.splitlines())
    (found,) = read_back(written.text, tmp_path_factory.mktemp("specs"))
    assert found.pop("enterprise_project_id", "0") == "0"
    assert found == wanted


def test_names_are_readable_and_nobody_has_them_yet(tmp_path: Path) -> None:
    """Made of name and resource, counted where they repeat, and apart from those that are taken."""
    twice = [
        content(),
        content(resource={"provider": "evs", "type": "disk", "id": "ecs-1"}),
        content(name="磁盘", resource={"provider": "a", "type": "b", "id": "已满"}),
    ]
    written = write_specs(twice, CONFIG, taken={"alarm"})
    assert written.names == ("cpu-ecs-1", "cpu-ecs-1-2", "alarm-2")
    assert len(read_back(written.text, tmp_path)) == 3


def test_what_cannot_be_declared_is_left_out_and_named(tmp_path: Path) -> None:
    """A severity of its own, no message, the identity of another; the rest is written."""
    same = content()
    other = {"provider": "x", "type": "y", "id": "z"}
    wrong = [content(severity="Urgent", resource=other), content(message="", resource={**other, "id": "w"}), same]
    written = write_specs([same, *wrong, content(resource={**other, "id": "good"})], CONFIG)
    assert len(written.left_out) == 3
    assert len(read_back(written.text, tmp_path)) == 2


def test_nothing_is_written_for_nothing() -> None:
    """An empty text, no head."""
    assert write_specs([], CONFIG).text == ""


def test_a_file_that_can_be_read_holds_as_many_as_fit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The rest is counted, and how to get at it is said; a wrong one among those that fit is still told apart."""
    contents = [content(message="m" * 900, resource={"provider": "p", "type": "t", "id": f"{n}"}) for n in range(20)]
    contents[3]["severity"] = "Odd"
    monkeypatch.setattr("reconcile.specs.write.MAX_BYTES", 10_000)
    written = write_specs(contents, CONFIG)
    count = len(written.names)
    assert 5 < count < 12 and len(read_back(written.text, tmp_path)) == count and len(written.text.encode()) <= 10_000
    (many, why), (_, odd) = written.left_out
    assert many == f"{19 - count} alarms" and "--name" in why and "Odd" in odd
