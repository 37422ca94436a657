"""Alarms that an earlier run reported and did not see: looked for once more before anything is planned.

Seen now, and alone: confirmed. With a twin, or not there although the list had its time: in doubt, so that the plan reports them
again, and the read-back of that report sees to the rest.
"""

from __future__ import annotations

from collections.abc import Mapping

from reconcile.applier.converge import Verdict, judge
from reconcile.applier.readback import Seen, listed, ours_among
from reconcile.applier.records import in_doubt
from reconcile.applier.run import Run
from reconcile.model.address import Address
from reconcile.model.facts import Put
from reconcile.model.snapshot import RecordedAlarm
from reconcile.ports import AlarmTarget, AnyFact


async def confirm_earlier(run: Run) -> None:
    """Complete what is unconfirmed, with one listing per target."""
    now = run.clock.now()
    waiting: dict[str, dict[Address, RecordedAlarm]] = {}
    for address, record in run.session.snapshot.resources.items():
        if isinstance(record, RecordedAlarm) and _is_waiting(record, now):
            waiting.setdefault(record.target, {})[address] = record
    for name, records in sorted(waiting.items()):
        if name in run.targets.alarms:
            await _complete(run, run.targets.alarms[name], records)


def _is_waiting(record: RecordedAlarm, now: int) -> bool:
    alive = record.expires_at is None or record.expires_at > now
    return record.confirmation == "unconfirmed" and record.digest != "" and alive


async def _complete(run: Run, target: AlarmTarget, records: Mapping[Address, RecordedAlarm]) -> None:
    found = await listed(run, target, records)
    if found is None:
        return
    facts: list[AnyFact] = []
    for address, record in records.items():
        waited = not 0 <= run.clock.now() - record.reported_at < target.confirm_timeout  # a clock may be set back
        judgement = judge(record, ours_among(found, record), waited=waited, disturbed=False)
        if judgement.kept is not None and not judgement.wrong:
            facts.append(Put(address=address, record=Seen(record, judgement.kept.id).confirmed()))
        elif waited or judgement.wrong or judgement.verdict is Verdict.RESEND:
            facts.append(Put(address=address, record=in_doubt(record)))
    run.session.record(facts)
