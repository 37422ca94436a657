"""HTML and SVG as values: everything that is not markup already is made inert and escaped on the way in. Knows no page."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape
from typing import TypeAlias

from reconcile.views.inert import inert

_VOID = frozenset({"br", "input", "link", "meta"})
Attribute: TypeAlias = str | int | float | bool | None


class Markup(str):
    """Text that is markup already. Made only here and from constants of ours."""

    __slots__ = ()


def tag(name: str, /, *children: str, **attributes: Attribute) -> Markup:
    """An element; text in it is escaped. None or False leave an attribute out; `class_` becomes `class`, `a_b` becomes `a-b`."""
    head = name + "".join(_attribute(key, value) for key, value in attributes.items() if value is not None and value is not False)
    if name in _VOID:
        return Markup(f"<{head}>")
    return Markup(f"<{head}>{joined(children)}</{name}>")


def joined(parts: Iterable[str]) -> Markup:
    """Parts side by side."""
    return Markup("".join(part if isinstance(part, Markup) else _text(part) for part in parts))


def _attribute(key: str, value: Attribute) -> str:
    name = key.rstrip("_").replace("_", "-")
    return f" {name}" if value is True else f' {name}="{_text(_number(value) if isinstance(value, float) else str(value))}"'


def _number(value: float) -> str:
    return f"{value:.1f}".removesuffix(".0")


def _text(text: str) -> str:
    return escape(inert(text), quote=True)
