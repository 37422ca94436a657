"""YAML text -> plain Python values, in one pass over the parser's events. Strict where YAML is lax; knows no keys of specs.

Mappings become dicts with text keys, so that what comes out is JSON-able.
Values under one alias are shared: treat them as read-only.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import yaml

from reconcile.specs import codes
from reconcile.specs.locate import Loader, Place, place_of
from reconcile.specs.scalars import CORE, FIRSTS, NumberRefused, resolve, resolve_tagged
from reconcile.specs.source import Report, SourceFile

MAX_DEPTH = 64
MAX_ALIASED = 200_000  # nodes that aliases may add to one file; long texts count for several
_UNFINISHED = object()
_Scalar, _Mapping, _Sequence = yaml.ScalarEvent, yaml.MappingStartEvent, yaml.SequenceStartEvent
_TAGS = {_Scalar: ("null", "bool", "int", "float", "str"), _Mapping: ("map",), _Sequence: ("seq",)}
_MappingEnd, _SequenceEnd = yaml.MappingEndEvent, yaml.SequenceEndEvent


class Document(NamedTuple):
    """One document: its value, and the line of each second-level key (`alarms` / `web-1`)."""

    value: Any
    lines: dict[tuple[str, str], int]


class _Hopeless(Exception):
    """The rest of the file cannot be read."""

    def __init__(self, place: Place, code: str, what: str, hint: str | None = None) -> None:
        super().__init__(what)
        self.place, self.code, self.what, self.hint = place, code, what, hint


def build(file: SourceFile, report: Report) -> list[Document] | None:
    """The documents of a file; problems go to the report. None when the file cannot be read as a whole."""
    loader = Loader(file.stream)
    try:
        documents = _Builder(file, report, loader).documents()
    except _Hopeless as problem:
        report.add(file, problem.place, problem.code, problem.what, problem.hint)
    except yaml.YAMLError as error:
        place, code, what, hint = _syntax(file, error)
        report.add(file, place, code, what, hint)
    else:
        return [Document(_restored(d.value, file.restore), d.lines) for d in documents] if file.restore else documents
    finally:
        loader.dispose()
    report.broken.add(file.name)
    return None


class _Builder:
    def __init__(self, file: SourceFile, report: Report, loader: Any) -> None:
        self._file = file
        self._report = report
        self._get = loader.get_event
        self._anchors: dict[str, Any] = {}
        self._weights: dict[str, int] = {}
        self._keys: dict[str, str] = {}  # keys known to be text: looked up once, and one object per name
        self._lines: dict[tuple[str, str], int] = {}
        self._aliased = 0

    def documents(self) -> list[Document]:
        out: list[Document] = []
        event = self._get()
        while not isinstance(event, yaml.StreamEndEvent):
            if isinstance(event, yaml.DocumentStartEvent):
                self._anchors, self._lines = {}, {}
                out.append(Document(self._node(self._get(), 0, None), self._lines))
            event = self._get()
        return out

    def _node(self, event: Any, depth: int, section: str | None) -> Any:
        if event.__class__ is yaml.AliasEvent:
            return self._alias(event)
        if event.anchor is not None:
            self._anchors[event.anchor] = _UNFINISHED
        if event.__class__ is _Scalar:
            value = self._scalar(event)
        else:
            if event.tag is not None:
                self._check_tag(event)
            if depth >= MAX_DEPTH:
                raise _Hopeless(place_of(event), codes.TOO_DEEP, f"values are nested deeper than {MAX_DEPTH} levels")
            value = self._mapping(depth + 1, section) if event.__class__ is _Mapping else self._sequence(depth + 1)
        if event.anchor is not None:
            self._anchors[event.anchor] = value
            self._weights[event.anchor] = _weight(value)
        return value

    def _mapping(self, depth: int, section: str | None) -> dict[str, Any]:
        out: dict[str, Any] = {}
        get, keys = self._get, self._keys
        while (event := get()).__class__ is not _MappingEnd:
            key = keys.get(event.value) if event.__class__ is _Scalar and event.tag is None and event.anchor is None else None
            if key is None:
                key = self._key(event, depth)
            after = get()
            if after.__class__ is _Scalar and after.tag is None and after.anchor is None:
                value = self._scalar(after)
            else:
                value = self._node(after, depth, key if depth == 1 else None)
            if key in out:
                self._twice(event, key)
                continue
            if section is not None:
                self._lines[section, key] = event.start_mark.line + 1
            out[key] = value
        return out

    def _sequence(self, depth: int) -> list[Any]:
        out = []
        while (event := self._get()).__class__ is not _SequenceEnd:
            out.append(self._node(event, depth, None))
        return out

    def _scalar(self, event: Any) -> Any:
        text = event.value
        tag = event.tag
        if tag is None:
            if not event.implicit[0] or (text and text[0] not in FIRSTS):
                return text
            tag = "plain"
        try:
            return resolve(text) if tag == "plain" else resolve_tagged(text, self._check_tag(event))
        except NumberRefused as error:
            self._say(event, codes.NUMBER, str(error), "quote it if it is meant as text")
        except ValueError as error:
            self._say(event, codes.TAG, str(error))
        return text

    def _check_tag(self, event: Any) -> str:
        if event.tag == "!" or event.tag in [CORE + name for name in _TAGS[event.__class__]]:
            return str(event.tag)
        tag = event.tag.replace(CORE, "!!")[:80]
        self._say(event, codes.TAG, f"the tag `{tag}` is outside the YAML core schema, or does not fit", "leave the tag out")
        return "!"

    def _key(self, event: Any, depth: int) -> str:
        """A key seen for the first time: it must be text, and no merge key."""
        if event.__class__ is not _Scalar:
            place = place_of(event)
            self._node(event, depth, None)
            self._report.add(self._file, place, codes.KEY, "a key must be text")
            return f"?{place.line}:{place.column}"
        text: str = event.value
        plain = event.tag is None and event.implicit[0]
        if plain and text == "<<":
            self._say(event, codes.MERGE_KEY, "merge keys (`<<`) are not read", "`defaults` serves all resources of a file")
        value = self._node(event, depth, None)
        if not isinstance(value, str):
            word = "null" if value is None else "a boolean" if isinstance(value, bool) else "a number"
            self._say(event, codes.KEY, f"`{text}` is {word}, and a key must be text", f'quote it: "{text}"')
        if isinstance(value, str) and event.anchor is None and event.tag is None and text != "<<" and text[:1] not in FIRSTS:
            self._keys[text] = text
        return text

    def _alias(self, event: Any) -> Any:
        if event.anchor not in self._anchors:
            raise _Hopeless(place_of(event), codes.ALIAS, f"the alias `*{event.anchor}` names no anchor before it")
        value = self._anchors[event.anchor]
        if value is _UNFINISHED:
            raise _Hopeless(place_of(event), codes.ALIAS, f"the alias `*{event.anchor}` stands inside what it names")
        self._aliased += self._weights[event.anchor]
        if self._aliased > MAX_ALIASED:
            raise _Hopeless(place_of(event), codes.ALIAS, f"the aliases of this file unfold to more than {MAX_ALIASED:,} values")
        return value

    def _twice(self, event: Any, key: str) -> None:
        place = place_of(event)
        first = self._file.places.first_of(place.line, place.column)
        where = f"; first at {self._file.name}:{first.line}:{first.column}" if first else ""
        self._report.add(self._file, place, codes.DUPLICATE_KEY, f"the key `{key}` stands twice{where}")

    def _say(self, event: Any, code: str, what: str, hint: str | None = None) -> None:
        self._report.add(self._file, place_of(event), code, what, hint)


def _weight(value: Any) -> int:
    if isinstance(value, dict):
        return 1 + sum(1 + _weight(child) for child in value.values())
    if isinstance(value, list):
        return 1 + sum(_weight(child) for child in value)
    return 1 + len(value) // 100 if isinstance(value, str) else 1


def _restored(value: Any, table: dict[int, str]) -> Any:
    if isinstance(value, dict):
        return {key.translate(table): _restored(child, table) for key, child in value.items()}
    if isinstance(value, list):
        return [_restored(child, table) for child in value]
    return value.translate(table) if isinstance(value, str) else value


def _syntax(file: SourceFile, error: yaml.YAMLError) -> tuple[Place, str, str, str | None]:
    """A parser's error in words, with its place."""
    mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
    problem = getattr(error, "problem", None)
    if mark is None or problem is None:
        return Place(1, 1, None), codes.SYNTAX, f"not YAML: {str(error).splitlines()[0]}", None
    line = file.lines[mark.line] if mark.line < len(file.lines) else ""
    hint = "a tab cannot indent; use spaces" if line[mark.column : mark.column + 1] == "\t" else None
    context = getattr(error, "context", None)
    return (
        Place(mark.line + 1, mark.column + 1, mark.column + 2),
        codes.SYNTAX,
        f"not YAML: {problem} {context or ''}".rstrip(),
        hint,
    )
