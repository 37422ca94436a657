"""The plan document: the contract's shape, the same bytes each time, and suspicion when it is read back."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from reconcile.errors import PlanRefused
from reconcile.model.base import digest
from reconcile.model.change import ACTIONS
from reconcile.views.plan_document import encode, plan_document, read_document
from tests.views.samples import HOSTILE, all_changes, full_plan, plan_of

Golden = Callable[[str, str], None]


def test_the_document_of_a_plan_with_everything_in_it(golden: Golden) -> None:
    """Every row, byte for byte."""
    golden("plan.json", encode(plan_document(full_plan())))


def test_the_document_has_the_promised_shape() -> None:
    """Keys, counts and the empty plan."""
    document = plan_document(plan_of())
    assert list(document)[:6] == ["format_version", "tool_version", "plan_id", "as_of", "stack", "state"]
    assert document["format_version"] == "1.0"
    assert document["as_of"] == "2026-11-20T08:00:00Z"
    assert document["state"] == {"lineage": "0b7c9f0e", "serial": 41}
    assert list(document["summary"]) == list(ACTIONS) and document["summary"]["none"] == 209
    assert document["complete"] is True and document["changes"] == document["drift"] == document["pending"] == []


def test_every_row_has_every_promised_key() -> None:
    """A clear has no `after` and no `source`, but the keys stand there."""
    keys = ["address", "kind", "target", "action", "reason", "before", "after", "diff", "source"]
    rows = plan_document(full_plan())["changes"]
    assert all(list(row)[:9] == keys for row in rows)
    clear = next(row for row in rows if row["action"] == "clear")
    assert clear["after"] is None and clear["source"] is None and clear["before"]["severity"] == "Major"
    assert next(row for row in rows if row["action"] == "trigger")["depends_on"] == "alarm.web-1-cpu-high"
    assert next(row for row in rows if row["action"] == "move")["moved_from"] == "alarm.api-old"


def test_the_id_is_the_digest_of_the_rest() -> None:
    """Anyone can check it."""
    document = plan_document(full_plan())
    rest = {key: value for key, value in document.items() if key != "plan_id"}
    assert document["plan_id"] == digest(rest)


def test_the_bytes_do_not_depend_on_the_hash_seed() -> None:
    """Three runs with different seeds."""
    code = "import tests.views.samples as s, reconcile.views.plan_document as d; print(d.encode(d.plan_document(s.full_plan())))"
    outputs = set()
    for seed in ("0", "1", "42"):
        environ = os.environ | {"PYTHONHASHSEED": seed, "PYTHONPATH": str(Path(__file__).parents[2])}
        outputs.add(subprocess.run([sys.executable, "-c", code], env=environ, capture_output=True, check=True).stdout)
    assert len(outputs) == 1


def test_where_contents_were_read_from_leaves_no_trace() -> None:
    """The same contents with keys in another order give the same bytes."""
    clear = all_changes()[-1]
    turned = clear.before.model_copy(update={"content": dict(reversed(clear.before.content.items()))})  # type: ignore[union-attr]
    other = type(clear)(address=clear.address, kind=clear.kind, target=clear.target, reason=clear.reason, before=turned)  # type: ignore[call-arg,arg-type]
    assert encode(plan_document(plan_of(clear))) == encode(plan_document(plan_of(other)))


def test_the_text_is_ascii_and_comes_back_equal() -> None:
    """No control, bidi or surrogate character is in it, and nothing is lost."""
    document = plan_document(full_plan())
    text = encode(document)
    assert text.isascii() and text.endswith("}\n") and "\x1b" not in text
    assert read_document(text.encode()) == document
    assert HOSTILE in document["notes"]


def _resigned(document: dict[str, Any]) -> bytes:
    rest = {key: value for key, value in document.items() if key != "plan_id"}
    return encode(document | {"plan_id": digest(rest)}).encode()


def test_an_unknown_key_of_a_later_minor_version_is_ignored() -> None:
    """Readers ignore what they do not know."""
    later = plan_document(full_plan()) | {"format_version": "1.7", "new_key": 1}
    assert read_document(_resigned(later))["format_version"] == "1.7"


@pytest.mark.parametrize(
    ("raw", "words"),
    [
        (b"", "not readable"),
        (b"\xff\xfe", "not readable"),
        (b"[" * 100_000, "not readable"),
        (b'{"format_version": NaN}', "NaN"),
        (b'{"a": 1, "a": 2}', "twice"),
        (b"[]", "not a plan"),
        (b"{}", "not a plan"),
        (b'{"format_version": "2.0"}', "format 2.0"),
        (b'{"format_version": "1.0"}', "lacks a proper `tool_version`"),
    ],
)
def test_what_is_no_plan_of_ours_is_refused(raw: bytes, words: str) -> None:
    """With exit code 5 and the reason."""
    with pytest.raises(PlanRefused, match=words) as refused:
        read_document(raw)
    assert refused.value.exit_code == 5


def test_a_row_without_its_keys_is_refused() -> None:
    """Also where somebody computed the id again."""
    document = plan_document(full_plan())
    with pytest.raises(PlanRefused, match="change 1 lacks a proper `address`"):
        read_document(_resigned(document | {"changes": [{"action": "clear"}]}))


def test_every_altered_value_is_noticed() -> None:
    """Change any one leaf of the document: the id no longer fits."""
    document = plan_document(full_plan())
    for number, leaf in enumerate(_leaves(document)):
        altered = json.loads(json.dumps(document))
        _alter(altered, leaf)
        with pytest.raises(PlanRefused):
            read_document(encode(altered).encode())
        assert number < 2_000


def _leaves(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    if isinstance(value, dict | list) and value:
        items = value.items() if isinstance(value, dict) else enumerate(value)
        return [leaf for key, item in items for leaf in _leaves(item, (*path, key))]
    return [path]


def _alter(document: Any, path: tuple[Any, ...]) -> None:
    for key in path[:-1]:
        document = document[key]
    document[path[-1]] = "altered"
