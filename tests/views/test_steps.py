"""A field before and after: beside each other, below each other, and cut to where they differ."""

from __future__ import annotations

import pytest

from reconcile.views.steps import around, step_lines, step_sides

LONG = "the file system of the database is {} and nobody has looked at it since the early morning of that day"


def lines(before: str, after: str, *, width: int = 80, limit: int | None = 3) -> list[str]:
    """The step below a row, with a label of seven columns."""
    return step_lines("message", before, after, indent=8, width=width, label_width=7, limit=limit)


def test_what_fits_stands_on_one_line() -> None:
    """And is whole."""
    assert lines("Major", "Critical") == ["        message  Major -> Critical"]


def test_of_long_texts_that_are_mostly_alike_the_difference_shows() -> None:
    """In short, cut at spaces; in full both are whole, one below the other."""
    before, after = LONG.format("half full"), LONG.format("full")
    assert lines(before, after, width=160) == [
        "        message  ... system of the database is half full and nobody has looked ... -> "
        "... system of the database is full and nobody has looked ..."
    ]
    assert lines(before, after) == [
        "        message  ... system of the database is half full and nobody has looked",
        "                 ...",
        "             ->  ... system of the database is full and nobody has looked ...",
    ]
    full = lines(before, after, limit=None)
    marks = [number for number, line in enumerate(full) if line.startswith("             ->  the file")]
    assert len(marks) == 1
    assert (
        " ".join(line[17:] for line in full[: marks[0]]) == before and " ".join(line[17:] for line in full[marks[0] :]) == after
    )


def test_long_texts_with_nothing_in_common_show_the_beginning_of_both() -> None:
    """So that the new one is never hidden behind the old one."""
    text = "\n".join(lines("old " * 200, "new " * 200))
    assert text.count("characters more: --full") == 2 and "->  new new" in text and max(map(len, text.split("\n"))) <= 80


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ("same", "same", ("same", "same")),
        ("", "new", ("", "new")),
        ("a " * 40 + "x", "a " * 40 + "y", ("... " + "a " * 12 + "x", "... " + "a " * 12 + "y")),
        ("x" + " b" * 40, "y" + " b" * 40, ("x" + " b" * 12 + " ...", "y" + " b" * 12 + " ...")),
        ("a" * 99 + "x", "a" * 99 + "y", ("a" * 99 + "x", "a" * 99 + "y")),
        ("aa bb " * 20, "aa bb " * 21, None),
    ],
)
def test_what_both_share_is_cut_at_spaces(before: str, after: str, expected: tuple[str, str] | None) -> None:
    """Whatever repeats in them, the two stay different and no longer than they were."""
    found = around(before, after)
    assert expected is None or found == expected
    assert (found[0] == found[1]) == (before == after) and len(found[0]) <= len(before) + 8


def test_a_side_that_is_absent_or_secret_is_one_text() -> None:
    """`+`, `-`, or a word."""
    assert step_sides("url", None, "x") == ("+ x", None)
    assert step_sides("url", "x", None) == ("- x", None)
    assert step_sides("url", "(secret)", "x") == ("(secret) changed", None)
