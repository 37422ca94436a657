"""The loop around `converge.judge`: list, decide, correct, until every alarm is right or the deadline has passed."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from reconcile.applier.converge import Judgement, Verdict, identity_key, is_ours, judge
from reconcile.applier.foreign import foreign_among
from reconcile.applier.records import in_doubt
from reconcile.applier.run import Run
from reconcile.model.address import Address
from reconcile.model.facts import Put
from reconcile.model.snapshot import RecordedAlarm
from reconcile.ports import AlarmTarget, Lean, LiveAlarm, as_listed

CORRECTIONS_MAX = 3
Clears = Mapping[Address, Sequence[RecordedAlarm]]


@dataclass(slots=True)
class _Case:
    """One alarm under observation. `touched` is when we last sent something for it, `cleared` the ids cleared since."""

    record: RecordedAlarm
    touched: int
    disturbed: bool = False
    corrections: int = 0
    cleared: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Seen:
    """An alarm that is the one active record of its identity, under this id; `record` is what was last sent for it."""

    record: RecordedAlarm
    id: str

    def confirmed(self) -> RecordedAlarm:
        """The state's entry for it."""
        return self.record.but(confirmation="confirmed", remote_id=self.id)


@dataclass(slots=True)
class Correction:
    """How the loop acts: `clear` sends clears, `resend` reports again and returns the new records (absent where it failed);
    `sent` is the event last sent for an address.
    """

    clear: Callable[[Clears], Awaitable[None]]
    resend: Callable[[Sequence[Address]], Awaitable[Mapping[Address, RecordedAlarm]]]
    sent: Callable[[Address], Mapping[str, Any]]


async def confirm(
    run: Run, target: AlarmTarget, records: Iterable[tuple[Address, RecordedAlarm]], correction: Correction
) -> dict[Address, Seen]:
    """Watch reported alarms until each is the one active record of its identity; returns those that are."""
    now = run.clock.now()
    cases = {address: _Case(record, now) for address, record in records}
    lean = _as_sent(cases, correction)
    confirmed: dict[Address, Seen] = {}
    pause = 0.1
    while cases:
        found = await listed(run, target, {address: case.record for address, case in cases.items()}, lean)
        if found is None:
            break
        resend: list[Address] = []
        clears: dict[Address, list[RecordedAlarm]] = {}
        for address, case in list(cases.items()):
            judgement = _judge(run, target, case, found, correction.sent(address))
            if _note_foreign(run, address, case, found) and judgement.verdict is not Verdict.RIGHT:
                del cases[address]
                continue
            if judgement.verdict is Verdict.RIGHT and judgement.kept is not None:
                confirmed[address] = Seen(case.record, judgement.kept.id)
                del cases[address]
            elif judgement.verdict in (Verdict.CLEAR, Verdict.RESEND):
                _note_correction(run, case, judgement)
                clears[address] = [as_record(case.record, wrong) for wrong in judgement.wrong]
                resend += [address] * (judgement.verdict is Verdict.RESEND)
            elif run.clock.now() - case.touched >= target.confirm_timeout:
                del cases[address]
        del found  # before the next listing comes in
        await _correct(run, cases, clears, resend, correction)
        if cases:
            await run.clock.sleep(pause)
            pause = min(pause * 1.6, 1.0)
    return confirmed


def _as_sent(cases: Mapping[Address, _Case], correction: Correction) -> Lean:
    """What shows the very words we sent is kept as ours are: a list of a hundred thousand then weighs little beside them."""
    sent = {case.record.metadata.get("reconcile_key"): correction.sent(address) for address, case in cases.items()}

    def lean(live: LiveAlarm) -> LiveAlarm:
        ours = sent.get(live.metadata.get("reconcile_key"), {})
        if live.metadata != ours.get("metadata") or live.annotations != ours.get("annotations"):
            return live
        words = ours["metadata"], ours["annotations"]
        return LiveAlarm(live.id, live.starts_at, live.timeout, *words, live.arrives_at, live.ends_at, live.enterprise_project_id)

    return lean


def _judge(
    run: Run, target: AlarmTarget, case: _Case, found: Mapping[tuple[str, ...], list[LiveAlarm]], sent: Mapping[str, Any]
) -> Judgement:
    waited = run.clock.now() - case.touched >= target.confirm_timeout // 2
    if waited and case.cleared:
        case.cleared = frozenset()
    ours = [live for live in ours_among(found, case.record) if live.id not in case.cleared]
    content = None if case.corrections else sent  # corrected once, it is the server that rewrites
    judgement = judge(case.record, ours, waited=waited, disturbed=case.disturbed, sent=content)
    if case.corrections >= CORRECTIONS_MAX and judgement.verdict in (Verdict.CLEAR, Verdict.RESEND):
        return Judgement(Verdict.WAIT)
    if judgement.verdict is Verdict.RIGHT and case.disturbed and not waited:
        return Judgement(Verdict.WAIT)  # what we cleared may still take the kept one with it
    return judgement


def _note_foreign(run: Run, address: Address, case: _Case, found: Mapping[tuple[str, ...], list[LiveAlarm]]) -> bool:
    """Whether another stack's record has this identity: it is left alone, and so is ours from here on."""
    same = found.get(identity_key(case.record.metadata, None), [])
    holder = foreign_among(same, case.record.content.get("enterprise_project_id"), run.stack)
    if holder is not None:
        run.foreign[address] = holder
    return holder is not None


def _note_correction(run: Run, case: _Case, judgement: Judgement) -> None:
    case.corrections += 1
    case.touched = run.clock.now()
    case.disturbed = judgement.verdict is Verdict.CLEAR
    case.cleared |= {live.id for live in judgement.wrong}


async def _correct(
    run: Run, cases: Mapping[Address, _Case], clears: Clears, resend: Sequence[Address], correction: Correction
) -> None:
    wanted = {address: records for address, records in clears.items() if records}
    if wanted:  # a clear may take the kept one with it: until that is seen, or reported again, it is in doubt
        run.session.record([Put(address=address, record=in_doubt(cases[address].record)) for address in wanted])
        await correction.clear(wanted)
    if resend:
        for address, record in (await correction.resend(resend)).items():
            cases[address].record = record
            cases[address].touched = run.clock.now()


async def listed(
    run: Run, target: AlarmTarget, records: Mapping[Address, RecordedAlarm], lean: Lean = as_listed
) -> Mapping[tuple[str, ...], list[LiveAlarm]] | None:
    """A bulk listing wide enough for these records, ready to be asked for one alarm's; None where none can be had."""
    live = await run.active(target, records, lean)
    if live is None:
        return None
    found: dict[tuple[str, ...], list[LiveAlarm]] = {}
    for alarm in live:
        found.setdefault(identity_key(alarm.metadata, None), []).append(alarm)
    return found


def ours_among(found: Mapping[tuple[str, ...], list[LiveAlarm]], record: RecordedAlarm) -> list[LiveAlarm]:
    """The live records that bear our stamp and have this record's identity."""
    return [live for live in found.get(identity_key(record.metadata, None), []) if is_ours(live, record)]


def as_record(record: RecordedAlarm, live: LiveAlarm) -> RecordedAlarm:
    """The record of ours as it is live: with that id and metadata it can be cleared."""
    return record.model_copy(update={"remote_id": live.id, "metadata": dict(live.metadata)})


async def leftovers(
    run: Run, target: AlarmTarget, records: Mapping[Address, RecordedAlarm]
) -> dict[Address, list[LiveAlarm]] | None:
    """What is still active of these records, by address; None where it could not be listed."""
    found = await listed(run, target, records)
    if found is None:
        return None
    remaining = {address: ours_among(found, record) for address, record in records.items()}
    return {address: alarms for address, alarms in remaining.items() if alarms}
