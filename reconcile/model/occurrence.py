"""Names for occurrences: from the report of an alarm until we clear or replace it."""

from __future__ import annotations

import hashlib

from reconcile.model.address import Address


def occurrence_of(stack: str, address: Address, sent_at: int) -> str:
    """Unique for an address, since no two occurrences begin in one millisecond."""
    return hashlib.sha256(f"{stack}/{address}@{sent_at}".encode()).hexdigest()[:16]
