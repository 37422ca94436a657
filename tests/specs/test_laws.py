"""Laws of the reader: it agrees with an independent reading of YAML 1.2, and raises nothing, whatever the bytes."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from reconcile.specs.build import build
from reconcile.specs.codes import CODES
from reconcile.specs.files import read
from reconcile.specs.locate import Places
from reconcile.specs.source import Report, SourceFile

TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=12)
SCALARS = st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.floats(allow_nan=False, allow_infinity=False) | TEXT
TREES = st.recursive(SCALARS, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4), max_leaves=20)
PLAIN = st.text("0123456789+-.eExXoO_:~nulNULtrueTRUEfalsFALSinfINFa ", min_size=1, max_size=8).map(str.strip)


def read_text(text: str) -> tuple[Any, Report]:
    """The value of the only document of a text, and what was reported."""
    report = Report()
    documents = build(SourceFile("x.yaml", text.encode(), "S"), report)
    return (documents[0].value if documents else None), report


def same(one: Any, other: Any) -> bool:
    """Equality that tells 1 from 1.0 and from true."""
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(same(one[key], other[key]) for key in one)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(same, one, other))
    return type(one) is type(other) and one == other


@settings(max_examples=300, deadline=None)
@given(TREES)
def test_every_json_tree_is_read_as_json_reads_it(tree: Any) -> None:
    """JSON is YAML: both readings are one, types included."""
    value, report = read_text(json.dumps([tree]).replace("\x7f", "\\u007f"))
    assert len(report) == 0
    assert same(value, [tree])


@settings(max_examples=300, deadline=None)
@given(TREES)
def test_every_tree_that_an_emitter_writes_with_quotes_comes_back(tree: Any) -> None:
    """The emitter of another library, block style, texts quoted."""

    class Quoting(yaml.SafeDumper):
        """Writes texts in double quotes, whatever YAML 1.1 thinks of them."""

    Quoting.add_representer(str, lambda dumper, text: dumper.represent_scalar("tag:yaml.org,2002:str", text, style='"'))
    Quoting.add_representer(float, lambda dumper, value: dumper.represent_scalar("tag:yaml.org,2002:float", repr(value)))
    value, report = read_text(yaml.dump(tree, Dumper=Quoting, allow_unicode=False, width=40))
    assert len(report) == 0
    assert same(value, tree)


def independent(text: str) -> Any:
    """What YAML 1.2's core schema says a plain scalar is, by another road than the reader's."""
    if text in ("null", "Null", "NULL", "~"):
        return None
    if text in ("true", "True", "TRUE", "false", "False", "FALSE"):
        return text.lower() == "true"
    body = text[1:] if text[:1] in ("+", "-") else text
    if body.isascii() and body.isdigit():
        return int(text)
    for prefix, base, digits in (("0o", 8, "01234567"), ("0x", 16, "0123456789abcdefABCDEF")):
        if text.startswith(prefix) and len(text) > 2 and all(char in digits for char in text[2:]):
            return int(text[2:], base)
    mantissa, _, exponent = body.replace("E", "e").partition("e")
    whole, _, fraction = mantissa.partition(".")
    digits_only = (whole + fraction).isdigit() and mantissa.count(".") <= 1 and (whole or fraction)
    power = exponent[1:] if exponent[:1] in ("+", "-") else exponent
    if digits_only and body.count("e") + body.count("E") <= 1 and (power.isdigit() or ("e" not in body and "E" not in body)):
        return float(text)
    return text


@settings(max_examples=2_000, deadline=None)
@given(PLAIN)
def test_a_plain_scalar_means_what_the_core_schema_says(text: str) -> None:
    """Two readings of the same table agree on every plain text."""
    if not text or (text[0] == "-" and text[1:2] in ("", " ")) or ": " in text or text.endswith(":") or text.startswith(": "):
        return
    value, report = read_text(f"[{text}]")
    expected = independent(text)
    if isinstance(expected, float) and not math.isfinite(expected):
        return
    if text in ("-.inf", "+.inf", ".inf", ".nan") or text.lower().lstrip("+-") in (".inf", ".nan"):
        return
    if len(report) == 0:
        assert value is not None
        assert same(value[0], expected), (text, value[0], expected)


@settings(max_examples=500, deadline=None)
@given(st.binary(max_size=60) | st.text("{}[]&*!|>'\"%@`,:?-#\n\t ab0.<\\~\u2028\x85", max_size=60).map(str.encode))
def test_any_bytes_end_in_values_or_in_problems(tmp_path_factory: Any, content: bytes) -> None:
    """No input raises, and every problem has a known code and a place inside the file."""
    path = Path(tmp_path_factory.mktemp("any")) / "x.yaml"
    path.write_bytes(content)
    report = Report()
    file = read(path, "x.yaml", "S", report)
    documents = None if file is None else build(file, report)
    assert documents is not None or len(report) > 0
    if file is not None:
        Places(file.stream)
    for problem in report._problems:
        assert problem.code in CODES
        assert 1 <= problem.line <= content.count(b"\n") + content.count(b"\r") + 1
