"""A source file in memory, and the report that gathers every problem with its place. Knows no YAML types and no meanings."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, replace
from functools import cached_property

from reconcile.errors import InputInvalid, Problem
from reconcile.specs.codes import LITERAL_CREDENTIAL
from reconcile.specs.locate import Place, Places, Steps

_BREAK = re.compile(r"\r\n|\n|\r")
_OLD_BREAKS = re.compile("[\x85\u2028\u2029]")
_PAIR = re.compile(rb"(?<!\\)((?:\\\\)*)(\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2})")


def _joined(match: re.Match[bytes]) -> bytes:
    code = ord(json.loads(b'"%s"' % match[2]))
    return match[1] + rb"\U%08X" % code


class SourceFile:
    """One file: its name as the user would write it, and its bytes (UTF-8, without a byte order mark)."""

    def __init__(self, name: str, content: bytes, letter: str) -> None:
        self.name = name
        self.content = content
        self.letter = letter

    @cached_property
    def lines(self) -> list[str]:
        """The lines, without their ends."""
        return _BREAK.split(self.content.decode("utf-8", "replace"))

    @cached_property
    def stream(self) -> bytes:
        """What the parser reads, where libyaml is behind YAML 1.2.

        It breaks lines at NEL, LS and PS, so stand-ins take their place; it knows no pairs of surrogates, as JSON writes them.
        """
        stream = self.content if not self.restore else self._stand_in.encode("utf-8")
        return _PAIR.sub(_joined, stream) if stream[:1] in (b"{", b"[") else stream

    @cached_property
    def restore(self) -> dict[int, str]:
        """Stand-in -> the character it stands for; nearly always empty."""
        if not any(mark in self.content for mark in (b"\xc2\x85", b"\xe2\x80\xa8", b"\xe2\x80\xa9")):
            return {}
        text = self.content.decode("utf-8")
        free = (code for code in range(0xE000, 0xF900) if chr(code) not in text)
        return {next(free): char for char in "\x85\u2028\u2029"}

    @cached_property
    def _stand_in(self) -> str:
        back = {char: chr(code) for code, char in self.restore.items()}
        return _OLD_BREAKS.sub(lambda match: back[match[0]], self.content.decode("utf-8"))

    @cached_property
    def places(self) -> Places:
        """The places of all values, parsed on first use."""
        return Places(self.stream)


class Report:
    """Gathers problems; the same one is kept once."""

    def __init__(self) -> None:
        self._problems: dict[Problem, None] = {}
        self.broken: set[str] = set()  # files whose content is not known; what they declare cannot be judged

    def __len__(self) -> int:
        return len(self._problems)

    def add(self, file: SourceFile, place: Place, code: str, what: str, hint: str | None = None) -> None:
        """Note a problem at a place of a file."""
        if place.line > len(file.lines):
            place = Place(len(file.lines), len(file.lines[-1]) + 1, None)
        text = file.lines[place.line - 1]
        end = place.end_column
        if end is None:
            end = max(len(text.rstrip()), place.column) + 1
        self._problems[Problem(file.name, place.line, place.column, file.letter + code, what, hint, text, end)] = None

    def add_file(self, name: str, code: str, what: str, hint: str | None = None) -> None:
        """Note a problem of a file as a whole. The code has its letter already."""
        self.broken.add(name)
        self._problems[Problem(name, 1, 1, code, what, hint)] = None

    def raise_any(self, files: int) -> None:
        """Raise InputInvalid with everything gathered, if there is anything."""
        if self._problems:
            raise InputInvalid([self._blacked_out(problem) for problem in self._problems], files=files)

    def _blacked_out(self, problem: Problem) -> Problem:
        """The problem, its source line without the credentials that were found there: these lines end in build logs."""
        text = problem.line_text
        for other in self._problems:
            same = (other.file, other.line) == (problem.file, problem.line)
            if text is not None and same and other.code[1:] == LITERAL_CREDENTIAL:
                start, end = other.column - 1, (other.end_column or len(text) + 1) - 1
                text = text[:start] + "*" * (end - start) + text[end:]
        return replace(problem, line_text=text)


@dataclass(frozen=True, slots=True)
class Spot:
    """A part of a document that problems are told about by path. `fallback` is where its defaults stand in the same file.

    About the paths in `quiet` everything has been said.
    """

    report: Report
    file: SourceFile
    document: int
    base: Steps = ()
    fallback: Steps | None = None
    quiet: frozenset[Steps] = frozenset()

    def problem(
        self, path: Steps, code: str, what: str, hint: str | None = None, *, key: bool = False, within: str | None = None
    ) -> None:
        """Note a problem of the value at a path, of its key, or of the text `within` the value."""
        if self.base + path in self.quiet:
            return
        found = self._find(path)
        place = found[0] if key or found[2] else found[1]
        self.report.add(self.file, self._narrowed(place, within), code, what, hint)

    def _narrowed(self, place: Place, within: str | None) -> Place:
        line = self.file.lines[place.line - 1] if within else ""
        start = line.find(within or "", place.column - 1, (place.end_column or len(line) + 1) - 1)
        return place if within is None or start < 0 else Place(place.line, start + 1, start + 1 + len(within))

    def text(self, path: Steps) -> str | None:
        """The scalar at a path as it is written."""
        return self._find(path)[3]

    def _find(self, path: Steps) -> tuple[Place, Place, bool, str | None]:
        places = self.file.places
        best = places.find(self.document, self.base + path)
        if not best.complete and self.fallback is not None:
            for document in range(len(places)):
                other = places.find(document, self.fallback + path)
                if path and other.complete:
                    best = other
        return best.key, best.node.place, best.node.empty or not best.complete, best.node.text if best.complete else None
