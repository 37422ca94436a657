"""Any text made harmless for a terminal. Everything that specs or servers wrote passes through here; knows nothing of plans."""

from __future__ import annotations

import json
import re
from unicodedata import east_asian_width

_NAMED = {"\n": "\\n", "\r": "\\r", "\t": "\\t"}
_UNSAFE = re.compile(
    "["
    "\x00-\x1f\x7f-\x9f"  # C0, DEL, C1
    "\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u3164\uffa0"  # characters without a shape
    "\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff0-\uffff"  # zero width, separators, bidi, interlinear
    "\ud800-\udfff"  # lone surrogates: no encoding takes them
    "\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff"  # shorthand and musical controls, tags
    "]"
)


def inert(text: str) -> str:
    """Show controls, bidi marks, invisible characters and lone surrogates as visible escapes such as `\\x1b` and `\\u202e`."""
    if text.isascii() and text.isprintable():
        return text
    return _UNSAFE.sub(_escape, text)


def _escape(match: re.Match[str]) -> str:
    character = match[0]
    code = ord(character)
    if character in _NAMED:
        return _NAMED[character]
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def inert_json(text: str) -> str:
    """A JSON text, the same to every reader, in which what `inert` escapes is spelled as JSON escapes; line ends stay."""
    return text if text.isascii() else _UNSAFE.sub(lambda match: "\n" if match[0] == "\n" else json.dumps(match[0])[1:-1], text)


def cells(text: str) -> int:
    """How many columns a terminal gives an inert text: two for wide East Asian characters."""
    if text.isascii():
        return len(text)
    return sum(2 if east_asian_width(character) in "WF" else 1 for character in text)


def pad(text: str, width: int) -> str:
    """Fill up with spaces to so many columns; never cuts."""
    return text + " " * (width - cells(text))
