"""The journal's lines, and what a torn or changed one leads to."""

from __future__ import annotations

import pytest

from reconcile.errors import StateUnusable
from reconcile.model.snapshot import Snapshot
from reconcile.state.journal import START, Header, facts_since, line_of, parse

from .samples import LINEAGE, put

HEADER = Header(lineage=LINEAGE, serial=3, tool_version="1")


def journal(*numbers: int) -> bytes:
    """A journal of so many facts."""
    content = line_of(dict(HEADER), START)
    for number in numbers:
        content += line_of({"facts": [put(number)]}, parse(content, where="").head)
    return content


def test_a_line_is_length_checksum_chain_and_json() -> None:
    """The format, to the byte."""
    assert line_of({"facts": []}, START) == b"0000000c 4049e8a5 " + b"0" * 64 + b' {"facts":[]}\n'


def test_an_empty_journal_holds_nothing() -> None:
    """A crash before the first line was whole."""
    assert parse(b"", where="").facts == []
    assert parse(b"0000", where="").torn


def test_a_line_of_another_journal_is_damage() -> None:
    """Each line names the digest of the one before: a line cannot be moved, repeated or left out."""
    one, two = journal(1), journal(2, 3)
    spliced = one + two.splitlines(keepends=True)[2] + b"more\n"
    with pytest.raises(StateUnusable, match=f"is damaged at byte {len(one)} of {len(spliced)}"):
        parse(spliced, where="")


def test_a_whole_line_that_is_not_understood_is_refused_even_at_the_end() -> None:
    """A later version wrote it: it was acknowledged, so it may not be dropped."""
    content = journal(1)
    content += line_of({"facts": [{"do": "rename"}]}, parse(content, where="").head)
    with pytest.raises(StateUnusable, match="what this version does not understand"):
        parse(content, where="state.json.journal")


def test_a_newer_journal_is_refused() -> None:
    """Its version stands in the first line."""
    with pytest.raises(StateUnusable, match="does not understand"):
        parse(line_of({**dict(HEADER), "journal": 2}, START), where="")


@pytest.mark.parametrize(("serial", "count"), [(3, 1), (4, 0), (9, 0)])
def test_facts_count_until_the_state_holds_them(serial: int, count: int) -> None:
    """The serial in the first line tells."""
    assert len(facts_since(Snapshot(lineage=LINEAGE, serial=serial), parse(journal(1), where=""), where="")) == count
