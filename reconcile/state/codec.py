"""Codec: bytes <-> Snapshot, format 1. Refuses what it does not understand and says where; knows no files."""

from __future__ import annotations

import gc
import json
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any, Literal

from pydantic import ConfigDict, Field, TypeAdapter, ValidationError
from pydantic_core import PydanticSerializationError, to_json

from reconcile.errors import StateUnusable
from reconcile.model.base import Value
from reconcile.model.snapshot import Intent, LastRun, Recorded, Snapshot

FORMAT = 1
PIECE = 2000  # resources
_BEGIN = b'  "resources": {'


class Document(Value):
    """The state file as it stands. Keys that a later tool of the same format may add are passed over."""

    model_config = ConfigDict(extra="ignore")

    format_version: Literal[1]
    tool_version: str | None
    stack: str | None
    lineage: str = Field(min_length=1)
    serial: int = Field(ge=0)
    resources: dict[str, Recorded]
    pending: list[Intent]
    last_run: LastRun | None = None


def encode(snapshot: Snapshot) -> bytes:
    """The state file: indented JSON, addresses sorted, keys in a fixed order, every character as itself."""
    return b"".join(encoded(snapshot))


def encoded(snapshot: Snapshot) -> Iterator[bytes]:
    """The state file in pieces of many resources each, for who writes it down: a large one is never held whole."""
    head = {
        "format_version": FORMAT,
        "tool_version": snapshot.tool_version,
        "stack": snapshot.stack,
        "lineage": snapshot.lineage,
        "serial": snapshot.serial,
    }
    tail = {
        "pending": sorted(snapshot.pending.values(), key=lambda intent: (intent.at, intent.id)),
        "last_run": snapshot.last_run,
    }
    piece = spell(head, indent=2).removesuffix(b"\n}") + b",\n" + _BEGIN
    addresses = sorted(snapshot.resources)
    for start in range(0, len(addresses), PIECE):
        if start:
            yield piece
            piece = b","
        some = {address: snapshot.resources[address] for address in addresses[start : start + PIECE]}
        piece += spell({"resources": some}, indent=2).removeprefix(b"{\n" + _BEGIN).removesuffix(b"\n  }\n}")
    yield piece + (b"\n  },\n" if addresses else b"},\n") + spell(tail, indent=2).removeprefix(b"{\n") + b"\n"


def spell(document: dict[str, Any], *, indent: int | None = None, nones: bool = True) -> bytes:
    """Nouns as JSON, on demand without what is None. Raises ValueError for what JSON cannot hold: NaN and the infinities."""
    try:
        content = to_json(document, indent=indent, exclude_none=not nones)
    except PydanticSerializationError:  # half a surrogate pair, which only an escape can spell
        return _spell_slowly(document, indent)
    return _spell_slowly(document, indent) if _occurs(b"NaN", content) or _occurs(b"Infinity", content) else content


def _occurs(word: bytes, content: bytes) -> bool:
    """`in`, many times faster where the word begins with a letter that is rare."""
    at = content.find(word[:1])
    while at >= 0 and not content.startswith(word, at):
        at = content.find(word[:1], at + 1)
    return at >= 0


def _spell_slowly(document: dict[str, Any], indent: int | None) -> bytes:
    plain = TypeAdapter(dict[str, Any]).dump_python(document)
    separators = (",", ":") if indent is None else None
    text = json.dumps(plain, indent=indent, separators=separators, ensure_ascii=False, allow_nan=False)
    return text.encode("utf-8", "backslashreplace")


def decode(content: bytes, *, where: str, tool_version: str) -> Snapshot:
    """Read a state file. Raises StateUnusable naming what is wrong and where; never guesses."""
    with uncollected():
        raw = _parse(content, where)
        _refuse_newer(raw, where, tool_version)
        try:
            document = _adapter().validate_python(raw)
        except ValidationError as error:
            raise _broken(_first(error), where) from error
        del raw  # as large as what was made of it
        for record in document.resources.values():
            record.sharing()
    _refuse_mismatch(document, where)
    return Snapshot(
        stack=document.stack,
        lineage=document.lineage,
        serial=document.serial,
        resources=document.resources,
        pending={intent.id: intent for intent in document.pending},
        last_run=document.last_run,
        tool_version=document.tool_version,
    )


@cache
def _adapter() -> TypeAdapter[Document]:
    return TypeAdapter(Document)


def _parse(content: bytes, where: str) -> dict[str, Any]:
    try:
        raw = loads(content.decode("utf-8"))
    except UnicodeDecodeError as error:
        raise _broken(f"byte {error.start} is not UTF-8", where) from error
    except json.JSONDecodeError as error:
        raise _broken(f"line {error.lineno}, column {error.colno}: {error.msg}", where) from error
    except (ValueError, RecursionError) as error:
        raise _broken(str(error), where) from error
    if not isinstance(raw, dict):
        raise _broken("it holds no JSON object", where)
    return raw


def loads(text: str) -> Any:
    """JSON as a state may hold it. Raises ValueError for a key that stands twice, for NaN and the infinities."""
    return json.loads(text, object_pairs_hook=_unique, parse_constant=_refuse_constant)


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    built = dict(pairs)
    if len(built) != len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"the key {json.dumps(twice)} stands twice in one object")
    return built


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")


def _refuse_newer(raw: dict[str, Any], where: str, tool_version: str) -> None:
    written = raw.get("format_version")
    if isinstance(written, int) and written > FORMAT:
        raise StateUnusable(
            f"is in state format {written}, written by reconcile {raw.get('tool_version')}; "
            f"this is reconcile {tool_version}, which reads format {FORMAT}",
            where=where,
            hint="use the newer version; the file is left as it is",
        )


def _refuse_mismatch(document: Document, where: str) -> None:
    for address, record in document.resources.items():
        if address.partition(".")[0] != record.kind:
            raise _broken(f"resources[{json.dumps(address)}] holds a record of kind {record.kind!r}", where)
    if len({intent.id for intent in document.pending}) != len(document.pending):
        raise _broken("pending holds one id twice", where)


def _first(error: ValidationError) -> str:
    problem = error.errors(include_input=False, include_url=False, include_context=False)[0]
    steps = (f"[{step}]" if isinstance(step, int) else f".{step}" for step in problem["loc"])
    more = f" (and {error.error_count() - 1} more)" if error.error_count() > 1 else ""
    return f"{''.join(steps).lstrip('.') or 'the document'}: {problem['msg']}{more}"


def _broken(what: str, where: str) -> StateUnusable:
    return StateUnusable(
        f"is broken: {what}", where=where, hint="it is left as it is; a local state has its last version in .backup"
    )


@contextmanager
def uncollected() -> Iterator[None]:
    """Hold the garbage collector off while very many objects are built and none is thrown away."""
    active = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if active:
            gc.enable()
