"""What AOM would take two alarms for one by, and the memory of all identities seen so far. Knows no files."""

from __future__ import annotations

import hashlib
from typing import TypeAlias

from reconcile.model.address import Address, base_of
from reconcile.model.desired import Declared
from reconcile.model.resources import Alarm

Identity: TypeAlias = tuple[str, ...]
MARK = 16  # bytes that stand for an identity
NO_MARK = bytes(MARK)


def identity_of(one: Declared) -> Identity | None:
    """What AOM would take two alarms for one by. Events may repeat, and a COC alarm's identity is its own address."""
    resource = one.resource
    if not isinstance(resource, Alarm) or resource.timeout is None:
        return None
    about = resource.resource
    return (resource.target, resource.enterprise_project_id or "", resource.name, about.provider, about.type, about.id)


def mark_of(one: Declared) -> bytes:
    """The identity in few bytes; NO_MARK where there is none."""
    identity = identity_of(one)
    return NO_MARK if identity is None else hashlib.blake2b(repr(identity).encode(), digest_size=MARK).digest()


class Identities:
    """Who came first with each identity. A pair of resources that clash is told once, whatever the number of instances."""

    def __init__(self) -> None:
        self._firsts: dict[bytes, Address] = {}
        self._told: set[tuple[Address, Address]] = set()

    def clash(self, address: Address, mark: bytes) -> Address | None:
        """Note an address; the one that has its identity already, unless that has been told."""
        if mark == NO_MARK:
            return None
        first = self._firsts.setdefault(mark, address)
        pair = (base_of(first), base_of(address))
        if first is address or pair in self._told:
            return None
        self._told.add(pair)
        return first
