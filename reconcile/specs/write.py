"""Write: live contents -> a spec file that the loader reads back as the same. Escapes what YAML or a template would read.

What the loader would refuse (a severity of its own, a second alarm of one identity) is left out and named.
"""

from __future__ import annotations

import re
import tempfile
from bisect import bisect_right
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from reconcile.errors import InputInvalid
from reconcile.model.config import Config
from reconcile.specs.files import MAX_BYTES
from reconcile.specs.load import load_specs
from reconcile.specs.scalars import FIRSTS

_UNITS = (("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1_000))
_PLAIN = re.compile(r"[A-Za-z\u00c0-\ufaff](?:[\w ./%-]*[\w.%])?")
_MOST_NAME = 100
_TOO_MANY = "a file holds 16 MiB; take these over and import again, or choose with --name"
_HEAD = "# Written from what is live; names are yours to change before the first apply with --adopt.\n"


class Written(NamedTuple):
    """The text, the names in it, and per content that could not be declared the reason."""

    text: str
    names: tuple[str, ...]
    left_out: tuple[tuple[str, str], ...]


def write_specs(contents: Iterable[Mapping[str, Any]], config: Config, *, taken: Collection[str] = ()) -> Written:
    """A spec file with an alarm per content, in their order. `taken` are names that the specs have already."""
    bodies = _named([_body(content, config.default_target) for content in contents], taken)
    left_out: list[tuple[str, str]] = []
    while bodies:
        text, lines = _text(bodies)
        if len(lines) < len(bodies):
            left_out.append((f"{len(bodies) - len(lines):,} alarms", _TOO_MANY))
            bodies = {name: bodies[name] for name in lines}
            continue
        try:
            _check(text, config)
        except InputInvalid as invalid:
            wrong = {_owner(lines, problem.line): problem.what for problem in invalid.problems}
            left_out += [(str(bodies[name].get("name", name)), what) for name, what in wrong.items()]
            bodies = {name: body for name, body in bodies.items() if name not in wrong}
        else:
            return Written(text, tuple(bodies), tuple(left_out))
    return Written("", (), tuple(left_out))


def _check(text: str, config: Config) -> None:
    """Have the loader itself read it. Raises InputInvalid."""
    with tempfile.TemporaryDirectory(prefix="reconcile-") as folder:
        directory = Path(folder)
        (directory / "written.yaml").write_text(text, encoding="utf-8")
        load_specs(config.model_copy(update={"specs": "."}), directory, environ={})


def _owner(lines: Mapping[str, int], line: int) -> str:
    """The alarm that a line belongs to."""
    return list(lines)[bisect_right(list(lines.values()), line) - 1]


def _body(content: Mapping[str, Any], default_target: str) -> dict[str, Any]:
    body = {key: _escaped(value) for key, value in content.items() if value not in (None, {}, "")}
    if body.get("target") == default_target:
        del body["target"]
    if body.get("enterprise_project_id") == "0":
        del body["enterprise_project_id"]
    if "timeout" in body:
        body["timeout"] = _duration(body["timeout"])
    return body


def _escaped(value: Any) -> Any:
    """Texts are taken as they are: nothing in them is a reference. Half a surrogate pair cannot be written at all."""
    match value:
        case str():
            return value.encode("utf-8", "replace").decode().replace("${", "$${")
        case Mapping():
            return {key: _escaped(child) for key, child in value.items()}
        case list() | tuple():
            return [_escaped(child) for child in value]
        case _:
            return value


def _duration(ms: int) -> str | int:
    return next((f"{ms // size}{unit}" for unit, size in _UNITS if ms and ms % size == 0), ms)


def _named(bodies: list[dict[str, Any]], taken: Collection[str]) -> dict[str, dict[str, Any]]:
    named: dict[str, dict[str, Any]] = {}
    numbers: dict[str, int] = {}
    for body in bodies:
        name = wish = _slug(f"{body.get('name', '')}-{body.get('resource', {}).get('id', '')}")
        while name in named or name in taken:
            numbers[wish] = numbers.get(wish, 1) + 1
            name = f"{wish}-{numbers[wish]}"
        named[name] = body
    return named


def _slug(text: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")[:_MOST_NAME].strip("-") or "alarm"


def _text(bodies: Mapping[str, Any]) -> tuple[str, dict[str, int]]:
    """The file, and the line on which each alarm begins, as far as the file is one that can be read."""
    parts, lines, line = [_HEAD + "alarms:\n"], {}, 3
    room = MAX_BYTES - len(parts[0])
    for name, body in bodies.items():
        entry = yaml.dump({name: body}, Dumper=_Writer, sort_keys=False, width=2**31, default_flow_style=False)
        part = "".join("  " + row + "\n" for row in entry.split("\n") if row)
        room -= len(part.encode())
        if room < 0:
            break
        parts.append(part)
        lines[name] = line
        line += part.count("\n")
    return "".join(parts), lines


class _Writer(yaml.SafeDumper):
    """Plain where nobody could read anything else, in double quotes elsewhere; what is not printable as an escape."""

    def ignore_aliases(self, data: Any) -> bool:
        """Nothing is shared."""
        return True

    def analyze_scalar(self, scalar: str) -> Any:
        """Decide before each text whether its characters may stand as they are."""
        self.allow_unicode = scalar.isprintable()
        return super().analyze_scalar(scalar)

    def write_double_quoted(self, text: str, split: bool = True) -> None:
        """One line, however long."""
        self.allow_unicode = text.isprintable()
        super().write_double_quoted(text, split=False)

    def represent_text(self, text: str) -> yaml.ScalarNode:
        """A text, quoted unless it is plainly one."""
        style = None if _PLAIN.fullmatch(text) and text[0] not in FIRSTS and text.isprintable() else '"'
        return self.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_Writer.add_representer(str, _Writer.represent_text)
