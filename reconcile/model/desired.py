"""The checked set of all specs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from reconcile.model.address import Address, Kind
from reconcile.model.outline import Lazily
from reconcile.model.resources import AnyResource


class Source(NamedTuple):
    """Where a resource stands: the file as the user would write it, and its line, from 1."""

    file: str
    line: int


@dataclass(frozen=True, slots=True)
class Declared:
    """One declared resource.

    `content` is `resource.content()`, `digest` the digest of it. `secrets` maps the dotted path of each string that
    needs a secret (`annotations.token`, `input_param.script_params[0].paramValue`) to its template, in which
    `${secret.env.X}` stands for the value and `$${` for a literal `${`. In `content` such a string is its template.
    """

    address: Address
    kind: Kind
    resource: AnyResource
    content: Mapping[str, Any]
    digest: str
    source: Source
    secrets: Mapping[str, str] = field(default_factory=dict)


class Moved(NamedTuple):
    """`moved: [{from, to}]`; an address without a key means all its instances."""

    old: Address
    new: Address
    source: Source


class Forgotten(NamedTuple):
    """`forget: [address]`; the remote alarm is left alone."""

    address: Address
    source: Source


@dataclass(frozen=True, slots=True)
class Desired:
    """All declared resources by address, sorted; `digest` covers everything a plan is decided by on this side.

    `notes` are warnings about the specs that are no errors; `files` says how many of them declare something.
    """

    declared: Mapping[Address, Declared]
    moved: tuple[Moved, ...] = ()
    forget: tuple[Forgotten, ...] = ()
    digest: str = ""
    notes: tuple[str, ...] = ()
    files: int = 0

    def with_secrets(self) -> Iterator[Declared]:
        """Those of which strings need a secret."""
        declared = self.declared
        some = declared.special() if isinstance(declared, Lazily) else iter(declared.values())
        return (one for one in some if one.secrets)
