"""Nothing that specs or servers wrote drives a terminal."""

from __future__ import annotations

import unicodedata

from hypothesis import given
from hypothesis import strategies as st

from reconcile.views.inert import cells, inert, pad

_ANY = st.text(st.characters(codec=None), max_size=60)


def test_plain_text_stays_as_it_is() -> None:
    """Letters of any script, punctuation and ordinary spaces are shown."""
    for text in ("CPU above 90 %", "磁盘已满 ~ é", "a\u00a0b\u3000c", "🔥"):
        assert inert(text) == text


def test_every_dangerous_character_becomes_a_visible_escape() -> None:
    """C0, C1, bidi, zero width, separators, tags and lone surrogates."""
    expected = {
        "\x1b": "\\x1b",
        "\x9b": "\\x9b",
        "\r": "\\r",
        "\n": "\\n",
        "\t": "\\t",
        "\x00": "\\x00",
        "\x7f": "\\x7f",
        "\u202e": "\\u202e",
        "\u2066": "\\u2066",
        "\u200b": "\\u200b",
        "\u2028": "\\u2028",
        "\ufeff": "\\ufeff",
        "\ud800": "\\ud800",
        "\U000e0041": "\\U000e0041",
    }
    assert {character: inert(character) for character in expected} == expected


def test_no_control_format_or_surrogate_character_survives() -> None:
    """Every character of Unicode, by its category."""
    survivors = [code for code in range(0x110000) if unicodedata.category(inert(chr(code))[0]) in ("Cc", "Cf", "Cs", "Zl", "Zp")]
    visible = {
        0x600,
        0x601,
        0x602,
        0x603,
        0x604,
        0x605,
        0x6DD,
        0x70F,
        0x890,
        0x891,
        0x8E2,
        0x110BD,
        0x110CD,
    }  # signs with a shape
    assert set(survivors) - visible - set(range(0x13430, 0x13440)) == set()


@given(_ANY)
def test_the_result_can_be_encoded_and_is_stable(text: str) -> None:
    """Inert text goes through any UTF-8 stream, and through here again, unchanged."""
    once = inert(text)
    once.encode("utf-8")
    assert inert(once) == once
    assert "\x1b" not in once and "\n" not in once


def test_wide_characters_count_twice() -> None:
    """Columns are what a terminal gives."""
    assert cells("磁盘") == 4
    assert pad("磁盘", 6) == "磁盘  "
