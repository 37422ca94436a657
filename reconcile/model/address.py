"""Addresses: a resource's name for life, `alarm.NAME` or `alarm.NAME["key"]`. Plain strings: states and plans read well."""

from __future__ import annotations

import json
import re
from functools import lru_cache
from typing import Literal, NamedTuple, TypeAlias

Address: TypeAlias = str
Kind: TypeAlias = Literal["alarm", "event", "handling"]
KINDS: tuple[Kind, ...] = ("alarm", "event", "handling")

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,127}")
_ADDRESS = re.compile(r'(alarm|event|handling)\.([A-Za-z0-9][A-Za-z0-9_.-]{0,127})(\[(".*")\])?', re.DOTALL)


class Parts(NamedTuple):
    """An address taken apart; `key` is None without `for_each`."""

    kind: Kind
    name: str
    key: str | None


def address_of(kind: Kind, name: str, key: str | None = None) -> Address:
    """Build the address of a resource, or of one instance of a `for_each`."""
    return f"{kind}.{name}" if key is None else f"{kind}.{name}[{json.dumps(key, ensure_ascii=False)}]"


def parse_address(text: str) -> Parts:
    """Take an address apart. Raises ValueError with a sentence for the user."""
    match = _ADDRESS.fullmatch(text)
    if match is None:
        raise ValueError(f'`{text}` is not an address; write `alarm.NAME`, `event.NAME`, `handling.NAME` or `alarm.NAME["key"]`')
    key = None
    if match[4] is not None:
        try:
            key = json.loads(match[4])
        except ValueError:
            raise ValueError(f"the key of `{text}` is not a quoted string") from None
    return Parts(match[1], match[2], key)  # type: ignore[arg-type]


def kind_of(address: Address) -> Kind:
    """The kind of a well-formed address."""
    return address.partition(".")[0]  # type: ignore[return-value]


def base_of(address: Address) -> Address:
    """The address without its `for_each` key: what stands in the specs."""
    return address.partition("[")[0]


@lru_cache(maxsize=256)
def _glob(pattern: str) -> re.Pattern[str]:
    parts = (".*" if c == "*" else "." if c == "?" else re.escape(c) for c in pattern)
    return re.compile("".join(parts), re.DOTALL)


def matches(pattern: str, address: Address) -> bool:
    """Whether a glob names the address: `*` and `?` are special, `[` is not; an address without a key names all its instances."""
    compiled = _glob(pattern)
    return compiled.fullmatch(address) is not None or compiled.fullmatch(base_of(address)) is not None
