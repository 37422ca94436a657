"""What is recorded, in columns: the state's side of `outline`, apart from it so that reading specs needs no state's nouns."""

from __future__ import annotations

from array import array
from collections.abc import Mapping

from reconcile.model.address import Address
from reconcile.model.outline import ALARM, NEVER, PLAIN, WIDTH, Lazily, Outlines, raw_digest
from reconcile.model.snapshot import AnyRecorded, RecordedAlarm, RecordedHandling


class Outlining:
    """Outlines of recorded resources, growing."""

    def __init__(self) -> None:
        self._addresses: list[Address] = []
        self._digests, self._flags, self._ends = bytearray(), bytearray(), array("q")

    def take(self, address: Address, record: AnyRecorded) -> None:
        """Add one."""
        digest = raw_digest(record.digest)
        alarm = record if isinstance(record, RecordedAlarm) else None
        cleared = alarm is not None and alarm.confirmation == "cleared"
        plain = digest is not None and not cleared and not isinstance(record, RecordedHandling)
        ends = alarm.expires_at if alarm is not None else None
        self._addresses.append(address)
        self._digests += digest or bytes(WIDTH)
        self._flags.append(plain * PLAIN | (alarm is not None) * ALARM)
        self._ends.append(NEVER if ends is None else max(-NEVER, min(ends, NEVER)))

    def whole(self) -> Outlines:
        """All of them."""
        return Outlines(self._addresses, bytes(self._digests), bytes(self._flags), self._ends)


def outlined(resources: Mapping[Address, AnyRecorded]) -> Lazily[AnyRecorded]:
    """Records that are there, by their outlines."""
    outlining = Outlining()
    for address in sorted(resources):
        outlining.take(address, resources[address])
    outlines = outlining.whole()
    return Lazily(outlines, lambda place: resources[outlines.addresses[place]])
