"""Desired + Snapshot -> Plan.

The order of the changes is the order of an apply (contract section 7), by address within a rank:
0 move · 1 adopt · 2 forget · 3 clear what gives up an identity that this plan reports again ·
4 report, update, renew · 5 replace · 6 trigger · 7 clear · 8 defer (nothing is done)
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from reconcile.model.address import Address, base_of, kind_of
from reconcile.model.change import Adopt, Change, Clear, Defer, Forget, Move, Renew, Replace, Report, Trigger, Update
from reconcile.model.config import Config
from reconcile.model.desired import Declared, Desired
from reconcile.model.live import Live
from reconcile.model.plan import Plan
from reconcile.model.snapshot import AnyRecorded, RecordedAlarm, RecordedEvent, RecordedHandling, Snapshot
from reconcile.planner.alarms import Ground, plan_alarm, plan_event, plan_removed
from reconcile.planner.checks import failed_checks
from reconcile.planner.drift import drifts
from reconcile.planner.globs import naming_nothing
from reconcile.planner.guards import violations_of
from reconcile.planner.handlings import Alarms, plan_handling, plan_removed_handling
from reconcile.planner.identity import Identity, identity_of
from reconcile.planner.moves import relocate
from reconcile.planner.options import PlanOptions
from reconcile.planner.refresh import Seen, orphans
from reconcile.planner.settled import settled, without

MOST_NAMED = 20  # globs that name nothing
RANKS: dict[type, int] = {
    Move: 0,
    Adopt: 1,
    Forget: 2,
    Report: 4,
    Update: 4,
    Renew: 4,
    Replace: 5,
    Trigger: 6,
    Clear: 7,
    Defer: 8,
}


def make_plan(
    desired: Desired,
    snapshot: Snapshot,
    config: Config,
    *,
    options: PlanOptions,
    now: int,
    environ: Mapping[str, str],
    stack: str,
    live: Live | None = None,
) -> Plan:
    """Decide everything. `now` in ms; `live` is what `--refresh` showed. Pure: the same arguments give the same plan, and
    none of them is changed.
    """
    wanted = replace(desired, declared={}) if options.destroy else desired
    nothing_declared = not wanted.declared
    same = settled(wanted, snapshot.resources, options, now) if live is None else set()
    wanted = replace(wanted, declared=without(wanted.declared, same))
    records, origins = relocate(wanted, without(snapshot.resources, same), config.targets)
    seen = Seen.of(live, records, stack, adopt_unstamped=options.adopt) if live else None
    ground = Ground(now, config.targets, environ, options, origins, seen=seen)
    selected = _Selection(options, origins)
    changes = _alarms(wanted, records, ground, selected)
    alarms = Alarms(changes, records, selected.left_out)
    changes |= _handlings(wanted, records, alarms, snapshot, ground, selected)
    changes |= _removed(wanted, records, ground, selected)
    changes |= _orphans(wanted, records, ground, selected)
    ordered = _ordered([c for c in changes.values() if c is not None], config)
    if options.renew_only:
        ordered = tuple(change for change in ordered if isinstance(change, Renew))
    made = Plan(
        as_of=now,
        stack=stack,
        lineage=snapshot.lineage,
        serial=snapshot.serial,
        spec_digest=desired.digest,
        changes=ordered,
        unchanged=len(same) + sum(1 for change in changes.values() if change is None),
        left_out=len(selected.left_out),
        notes=(*desired.notes, *_notes(ground), *_unnamed(options, {*changes, *selected.left_out, *records, *origins.values()})),
        violations=(
            *violations_of(ordered, records, config.guards, options, nothing_declared=nothing_declared, settled=same),
            *(seen.violations if seen else ()),
        ),
        drift=drifts(snapshot, live, stack=stack, now=now) if live else (),
        pending=tuple(snapshot.pending[i] for i in sorted(snapshot.pending)),
        destroy=options.destroy,
        options=options.document(),
    )
    return replace(made, violations=(*made.violations, *failed_checks(made, config.checks, config.file)))


class _Selection:
    """`--target`, `--exclude`, `--on`: which resources the plan looks at, and which it left out."""

    def __init__(self, options: PlanOptions, origins: Mapping[Address, Address]) -> None:
        self._options, self._origins = options, origins
        self.left_out: set[Address] = set()

    def __call__(self, address: Address, target: str) -> bool:
        if self._options.selects(address, target, self._origins.get(address)):
            return True
        self.left_out.add(address)
        return False


def _alarms(
    desired: Desired, records: Mapping[Address, AnyRecorded], ground: Ground, selected: _Selection
) -> dict[Address, Change | None]:
    changes: dict[Address, Change | None] = {}
    for address, declared in sorted(desired.declared.items()):
        if declared.kind == "handling" or not selected(address, declared.resource.target):
            continue
        before = records.get(address)
        if declared.kind == "event":
            changes[address] = plan_event(declared, before if isinstance(before, RecordedEvent) else None, ground)
        else:
            changes[address] = plan_alarm(declared, before if isinstance(before, RecordedAlarm) else None, ground)
    return changes


def _handlings(
    desired: Desired,
    records: Mapping[Address, AnyRecorded],
    alarms: Alarms,
    snapshot: Snapshot,
    ground: Ground,
    selected: _Selection,
) -> dict[Address, Change | None]:
    changes: dict[Address, Change | None] = {}
    for address, declared in sorted(desired.declared.items()):
        if declared.kind == "handling" and selected(address, declared.resource.target):
            before = records.get(address)
            recorded = before if isinstance(before, RecordedHandling) else None
            changes[address] = plan_handling(declared, recorded, alarms, snapshot.pending, ground)
    return changes


def _removed(
    desired: Desired, records: Mapping[Address, AnyRecorded], ground: Ground, selected: _Selection
) -> dict[Address, Change | None]:
    forgotten = {entry.address for entry in desired.forget}
    changes: dict[Address, Change | None] = {}
    for address in sorted(records.keys() - desired.declared.keys()):
        before = records[address]
        if not selected(address, before.target):
            continue
        listed = address in forgotten or base_of(address) in forgotten
        if isinstance(before, RecordedHandling):
            reason = "forget" if listed else "destroy" if ground.options.destroy else "removed"
            changes[address] = plan_removed_handling(address, before, ground, reason=reason)
        else:
            changes[address] = plan_removed(address, before, ground, forgotten=listed)
    return changes


def _orphans(
    desired: Desired, records: Mapping[Address, AnyRecorded], ground: Ground, selected: _Selection
) -> dict[Address, Change | None]:
    """With `--refresh`: what bears our stamp and nobody knows. An address under `forget` is left alone."""
    if ground.seen is None:
        return {}
    taken = {*records, *desired.declared, *(entry.address for entry in desired.forget)}
    found = orphans(ground.seen, taken)
    return {address: clear for address, clear in found.items() if selected(address, clear.target)}


def _ordered(changes: Sequence[Change], config: Config) -> tuple[Change, ...]:
    reported = _reported(changes, config)
    settled = [_first(change, reported, config) for change in changes]
    return tuple(sorted(settled, key=lambda change: (_rank(change), change.address)))


def _rank(change: Change) -> int:
    return 3 if isinstance(change, Clear) and change.first else RANKS[type(change)]


def _reported(changes: Sequence[Change], config: Config) -> dict[Identity, Address]:
    """The identities that this plan reports, each with its address."""
    found: dict[Identity, Address] = {}
    for change in changes:
        if isinstance(change, Report | Replace | Update | Adopt) and kind_of(change.address) == "alarm":
            after: Declared = change.after
            found[identity_of(after.resource.target, after.content, change.address, config.targets)] = change.address
    return found


def _first(change: Change, reported: Mapping[Identity, Address], config: Config) -> Change:
    if not isinstance(change, Clear | Replace):
        return change
    given_up = identity_of(change.before.target, change.before.content, change.address, config.targets)
    if reported.get(given_up, change.address) == change.address:
        return change
    return replace(change, first=True) if isinstance(change, Clear) else replace(change, clear_first=True)


def _unnamed(options: PlanOptions, addresses: set[Address]) -> Iterator[str]:
    """Globs of the command line that name nothing: most likely a slip of the pen."""
    given = (
        ("--target", options.targets),
        ("--exclude", options.excludes),
        ("--replace", options.replace),
        ("--rerun", options.rerun),
    )
    for name, globs in given:
        idle = list(naming_nothing(globs, addresses))
        yield from (f"{name} {glob} names nothing in specs or state" for glob in idle[:MOST_NAMED])
        if len(idle) > MOST_NAMED:
            yield f"{name}: {len(idle) - MOST_NAMED:,} more name nothing in specs or state"


def _notes(ground: Ground) -> tuple[str, ...]:
    return tuple(f"${{secret.env.{name}}} is not set here: whether it changed is not known" for name in sorted(ground.unset))
