"""`${scope.name}` in texts: taken apart here once, so that specs, targets and applier read it alike. `$${` is a literal `${`."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

_TOKEN = re.compile(r"\$\$\{|\$\{([^}]*)(\}?)")


class Reference(NamedTuple):
    """`${scope.name}`: scope is `var`, `env`, `secret.env` or `each`; `offset` is where it starts in the text."""

    scope: str
    name: str
    offset: int


def parts_of(text: str) -> list[str | Reference]:
    """Split a text into literals (unescaped) and references. Raises ValueError with a sentence for the user."""
    parts: list[str | Reference] = []
    end = 0
    for match in _TOKEN.finditer(text):
        parts.append(text[end : match.start()])
        end = match.end()
        if match[0] == "$${":
            parts.append("${")
            continue
        if not match[2]:
            raise ValueError("`${` without its `}`; write `$${` for a literal `${`")
        parts.append(_reference(match[1].strip(), match.start()))
    parts.append(text[end:])
    return [part for part in parts if part != ""]


def _reference(inner: str, offset: int) -> Reference:
    for scope in ("secret.env", "var", "env", "each"):
        if inner.startswith(scope + ".") and len(inner) > len(scope) + 1:
            return Reference(scope, inner[len(scope) + 1 :], offset)
    raise ValueError(f"`${{{inner}}}` is none of ${{var.X}}, ${{env.X}}, ${{secret.env.X}}, ${{each.key}}, ${{each.value}}")


def fill(text: str, lookup: Callable[[Reference], str]) -> str:
    """Replace every reference by what `lookup` gives, and unescape `$${`."""
    if "${" not in text:
        return text
    return "".join(part if isinstance(part, str) else lookup(part) for part in parts_of(text))


def references(text: str) -> list[Reference]:
    """The references of a text, in order."""
    return [part for part in parts_of(text) if isinstance(part, Reference)]


def put_at(value: Any, path: str, text: str) -> Any:
    """A copy of nested data with the string at a dotted path (`a.b[0].c`) replaced. Keys with dots are written `a["b.c"]`."""
    return _put(value, path_keys(path), text)


def _put(value: Any, keys: tuple[str | int, ...], text: str) -> Any:
    if not keys:
        return text
    key, rest = keys[0], keys[1:]
    if isinstance(value, Mapping):
        return {**value, key: _put(value[str(key)], rest, text)}
    items = list(value)
    items[int(key)] = _put(items[int(key)], rest, text)
    return items


_KEY = re.compile(r'\.?([A-Za-z0-9_-]+)|\[(\d+)\]|\["((?:[^"\\]|\\.)*)"\]')


def path_keys(path: str) -> tuple[str | int, ...]:
    """`a.b[0]["c.d"]` -> ("a", "b", 0, "c.d")."""
    keys: list[str | int] = []
    for match in _KEY.finditer(path):
        if match[1] is not None:
            keys.append(match[1])
        elif match[2] is not None:
            keys.append(int(match[2]))
        else:
            keys.append(re.sub(r"\\(.)", r"\1", match[3]))
    return tuple(keys)


def path_of(keys: tuple[str | int, ...]) -> str:
    """("a", "b", 0, "c.d") -> `a.b[0]["c.d"]`: the inverse of `path_keys`."""
    out = ""
    for key in keys:
        if isinstance(key, int):
            out += f"[{key}]"
        elif re.fullmatch(r"[A-Za-z0-9_-]+", key):
            out += f".{key}" if out else key
        else:
            escaped = key.replace("\\", "\\\\").replace('"', '\\"')
            out += f'["{escaped}"]'
    return out
