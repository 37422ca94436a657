"""Any order of edits, applies, crashes, faults, outside changes, clock jumps and rollbacks, against a model of a few sets.

What must hold after every step:
1. No task runs twice for one alarm id, unless a person said so.
2. Every work order of ours is known: recorded, or pending, or its handling was given up, or an older state was put back.
And at any time, once faults stop: two applies reach a fixed point. Then exactly the declared alarms are active, each once, with
its content; nothing is pending but what a person must decide; and the plan is empty.
"""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from hypothesis import event as note
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from reconcile.errors import PlanRefused, ReconcileError, Refused
from reconcile.model.desired import Declared, Desired
from reconcile.model.dialects import DAY
from reconcile.model.facts import Put, Settled
from reconcile.model.snapshot import RecordedHandling
from reconcile.views.plan_document import encode, plan_document, read_document
from tests.model_check.fragile import Crash, FragileWorld
from tests.world import alarm, desired, event, handling, lost, refused

AOM = ("alarm.a", "alarm.b", "alarm.c")
COC = "alarm.e"
IDENTS = ("x", "y", "z", "w")
HANDLINGS = ("handling.h", "handling.k", "handling.lone")
TASKS = {"handling.h": "SC1", "handling.k": "SC2", "handling.lone": "SC3"}
OPTIONS: dict[str, Any] = {"allow": {"empty": None}}
words = st.sampled_from(["m1", "m2", "m3"])
severities = st.sampled_from(["Major", "Critical"])


@st.composite
def specs(draw: st.DrawFn) -> dict[str, dict[str, Any]]:
    """Address -> fields, for what is declared. No two alarms of one identity."""
    idents = draw(st.permutations(IDENTS))
    wanted: dict[str, dict[str, Any]] = {}
    for address, ident in zip(AOM, idents, strict=False):
        if draw(st.integers(0, 3)):
            wanted[address] = {"ident": ident, "message": draw(words), "severity": draw(severities)}
    if draw(st.booleans()):
        wanted[COC] = {"target": "coc-events", "message": draw(words)}
    if draw(st.booleans()):
        wanted["event.v"] = {"message": draw(words)}
    owners = [address for address in (*AOM, COC) if address in wanted]
    for address in HANDLINGS:
        if draw(st.booleans()) and (owners or address == "handling.lone"):
            number = draw(st.integers(1, 3))
            wanted[address] = {
                "alarm": None if address == "handling.lone" else draw(st.sampled_from(owners)),
                "alarm_id": f"ALM-{address[9:]}-{number}",
                "associated_task_id": TASKS[address],
                "associated_task_name": draw(words),
                "on_unknown": "retrigger" if address == "handling.lone" else "hold",
            }
    return wanted


def declared(address: str, fields: dict[str, Any]) -> Declared:
    """One resource."""
    make = {"alarm": alarm, "event": event, "handling": handling}[address.partition(".")[0]]
    return make(address, **fields)


class Life(RuleBasedStateMachine):
    """One stack, one state, one project."""

    @initialize(
        identity=st.sampled_from(["core", "metadata"]),
        repeat=st.sampled_from(["update", "ignore", "second"]),
        clear_by=st.sampled_from(["id", "metadata"]),
        lag=st.sampled_from([0, 0, 700, 3000]),
        shared=st.booleans(),
        wanted=specs(),
    )
    def begin(self, identity: str, repeat: str, clear_by: str, lag: int, shared: bool, wanted: dict[str, dict[str, Any]]) -> None:
        """A server under some hypotheses, a state on this disk or elsewhere, and first specs."""
        self.world = FragileWorld(identity=identity, repeat=repeat, clear_by=clear_by, lag=lag, shared=shared)
        self.wanted = wanted
        self.allowed: dict[tuple[str, str], int] = {}  # what people allowed on top of one run per alarm id
        self.given_up: set[str] = set()  # work orders that may be forgotten
        self.looks = False  # something happened that only a look at the list can tell
        self.events_known = True
        self.document: dict[str, Any] | None = None

    @property
    def all_specs(self) -> Desired:
        """What is declared now."""
        return desired(*(declared(address, fields) for address, fields in self.wanted.items()))

    # -- what happens ----------------------------------------------------------------------------------------------

    @rule(wanted=specs())
    def edit(self, wanted: dict[str, dict[str, Any]]) -> None:
        """Other specs. What a removed handling ran is forgotten with it; by then the histories show it."""
        self.world.coc.frozen = None
        self.wanted = wanted

    @rule(word=words, severity=severities)
    def touch(self, word: str, severity: str) -> None:
        """Every alarm changes its content, none its identity."""
        for address in AOM:
            if address in self.wanted:
                self.wanted[address] = self.wanted[address] | {"message": word, "severity": severity}

    @rule()
    def plan(self) -> None:
        """A plan changes nothing anywhere."""
        before = (dict(self.world.store.resources), dict(self.world.store.pending), self.world.store.serial)
        with suppress(Refused):
            made = self.world.plan(self.all_specs, **OPTIONS)
            self.document = read_document(encode(plan_document(made)).encode())
        assert before == (self.world.store.resources, self.world.store.pending, self.world.store.serial)

    @rule()
    def apply(self) -> None:
        """To its end, whatever the servers answer."""
        self._run()

    @rule()
    def apply_saved(self) -> None:
        """The plan saved last, which may be stale by now."""
        if self.document is not None:
            with suppress(PlanRefused):
                self._run(expect=self.document)

    @rule(effects=st.integers(1, 60))
    def crash(self, effects: int) -> None:
        """An apply that dies at an effect."""
        self._die(effects)

    @precondition(lambda self: self.world.store.shared)
    @rule(effects=st.integers(1, 60))
    def crash_and_lose_the_disk(self, effects: int) -> None:
        """A runner that is thrown away with all that lay on it: the backend must know enough."""
        self._die(effects)
        self.world.store.lose_disk()

    @rule(questions=st.integers(0, 12))
    def interrupt(self, questions: int) -> None:
        """A first signal, somewhere in between."""
        left = iter(range(questions))
        self._run(halted=lambda: None if next(left, None) is not None else 2)

    @rule(doubts=st.lists(st.one_of(st.none(), st.tuples(st.booleans(), st.sampled_from([400, 413, 500, 503, 0]))), max_size=4))
    def pushes_will_fail(self, doubts: list[tuple[bool, int] | None]) -> None:
        """A refused push took no effect; a lost answer may have."""
        for server in (self.world.aom, self.world.events):
            server.doubts = [None if d is None else (d[0] and d[1] not in (400, 413), _error(d[1])) for d in doubts]

    @rule(faults=st.lists(st.tuples(st.booleans(), st.sampled_from([400, 429, 500, 0])), min_size=1, max_size=3))
    def triggers_will_fail(self, faults: list[tuple[bool, int]]) -> None:
        """A refused POST took no effect; a lost answer may have."""
        self.world.coc.faults = [(executed and status not in (400, 429), _error(status)) for executed, status in faults]

    @rule(lists=st.integers(0, 3), histories=st.integers(0, 3))
    def questions_will_fail(self, lists: int, histories: int) -> None:
        """The list of alarms, or a history, cannot be read."""
        self.world.aom.blind = [_error(500)] * lists
        self.world.coc.blind = [_error(500)] * histories

    @rule()
    def histories_lag(self) -> None:
        """New work orders do not show, until the next pause."""
        self.world.coc.freeze()

    @rule(jump=st.sampled_from([-3_600_000, 60_000, 700_000, DAY, 4 * DAY, 6 * DAY]))
    def clock_jumps(self, jump: int) -> None:
        """Forth, so that alarms expire and settle times pass, or back a little."""
        self.world.coc.frozen = None
        self.world.clock.at += jump

    @rule(pick=st.integers(0, 7))
    def somebody_clears(self, pick: int) -> None:
        """By hand, in the console."""
        ids = sorted(self.world.aom.records)
        if ids:
            del self.world.aom.records[ids[pick % len(ids)]]
            self.world.aom._after()
            self.looks = True

    @rule(name=st.sampled_from(HANDLINGS))
    def somebody_starts_the_task(self, name: str) -> None:
        """A colleague runs the same task for the same alarm, by hand."""
        if name in self.wanted and self.world.coc.frozen is None:
            self.world.coc.start_by_hand(self.wanted[name]["alarm_id"], TASKS[name])

    @precondition(lambda self: any(i.op == "trigger" for i in self.world.store.pending.values()))
    @rule(retrigger=st.booleans())
    def somebody_resolves(self, retrigger: bool) -> None:
        """A person closes what is unknown, and knows the truth."""
        intent = next(i for i in self.world.store.pending.values() if i.op == "trigger")
        assert intent.run is not None and isinstance(intent.record, RecordedHandling)
        known = {r.ticket for h in self._handlings() for r in h.runs}
        rows = [row for row in self.world.coc.rows.get(intent.run.alarm_id, []) if row.create_name == "me"]
        tickets = [r.work_order_id for r in rows if r.work_order_id not in known and r.work_order_id not in intent.baseline]
        facts: list[Any] = [Settled(intent_id=intent.id, how="person")]
        if tickets:
            run = intent.run.model_copy(update={"outcome": "started", "ticket": tickets[-1], "how": "person"})
            record = intent.record.model_copy(update={"runs": (*intent.record.runs, run)})
            if retrigger:
                record = record.model_copy(update={"retrigger": True})
                key = (intent.run.alarm_id, intent.run.task_id)
                self.allowed[key] = self.allowed.get(key, 0) + 1
            facts.append(Put(address=intent.address, record=record))
        with self.world.store.session(operation="resolve", timeout=0) as session:
            session.record(facts)
            session.publish()

    @rule(back=st.integers(1, 3))
    def older_state_put_back(self, back: int) -> None:
        """From a backup. What the newer ones knew is lost, and only the servers remember."""
        generations = self.world.store.generations
        if len(generations) > back and self.world.coc.frozen is None:
            self.given_up |= set(self._ours())
            self.world.store.put_back(generations[-1 - back])
            self.looks = True
            self.events_known = False  # no list could tell what COC holds

    @rule()
    def quiet(self) -> None:
        """Faults stop: two applies, and everything is as declared."""
        self.world.heal()
        options = OPTIONS | {"refresh": self.looks}
        for _ in range(2):
            if self.looks:
                self._clear_by_hand()
            account = self._run(**options)
            self.world.clock.at += 2 * self.world.aom.lag
        assert account.exit_code in (0, 7), [o for o in account.outcomes if o.outcome == "failed"]
        self.looks = False
        self._check_fixed_point({o.address for o in account.outcomes if "already ran as" in o.detail})

    def _clear_by_hand(self) -> None:
        """What an older state, put back, leaves to people: alarms of a target that neither specs nor state name, and
        those whose address is now another alarm's.
        """
        state = {a: r for a, r in self.world.store.resources.items() if a in AOM}
        known = {(r.metadata["reconcile_key"], r.content["resource"]["id"]) for r in state.values()}
        known |= {(f"shop/{a}", self.wanted[a]["ident"]) for a in AOM if a in self.wanted}
        taken = {*state, *self.wanted}
        for key, record in list(self.world.aom.records.items()):
            mark = record["metadata"]["reconcile_key"]
            address = mark.removeprefix("shop/").partition("#")[0]
            if not known or (address in taken and (mark, record["metadata"]["resource_id"]) not in known):
                del self.world.aom.records[key]
        self.world.aom._after()

    def _die(self, effects: int) -> None:
        self.world.fuse.arm(effects)
        try:
            self._run()
        except Crash as end:
            note(f"crash {end}")
        finally:
            self.world.fuse.arm(None)

    # -- what must hold ----------------------------------------------------------------------------------------------

    def _run(self, **options: Any) -> Any:
        gone = {TASKS[address] for address in HANDLINGS if address not in self.wanted}
        self.given_up |= {row.work_order_id for rows in self.world.coc.rows.values() for row in rows if row.task_id in gone}
        try:
            return self.world.apply(self.all_specs, **OPTIONS | options)
        except (PlanRefused, Crash):
            raise
        except ReconcileError:
            if self.world.aom.blind or options.get("refresh") or self.world.store.lineage is None:
                return None
            raise
        finally:
            self._check_triggers()

    def _handlings(self) -> list[RecordedHandling]:
        return [record for record in self.world.store.resources.values() if isinstance(record, RecordedHandling)]

    def _ours(self) -> list[str]:
        return [row.work_order_id for rows in self.world.coc.rows.values() for row in rows if row.create_name == "me"]

    def _check_triggers(self) -> None:
        posts = self.world.coc.posts
        for key in set(posts):
            assert posts.count(key) <= 1 + self.allowed.get(key, 0), f"{key} ran {posts.count(key)} times"
        known = {run.ticket for record in self._handlings() for run in record.runs}
        open_ids = {i.run.alarm_id for i in self.world.store.pending.values() if i.run is not None}
        for alarm_id, rows in self.world.coc.rows.items():
            for row in rows:
                ours = row.create_name == "me" and row.work_order_id not in self.given_up
                assert not ours or row.work_order_id in known or alarm_id in open_ids, f"{row} is known to nobody"

    def _check_fixed_point(self, held: set[str]) -> None:
        plan = self.world.plan(self.all_specs, **OPTIONS)
        left = [c for c in plan.changes if c.action not in ("defer",) and c.address not in held]
        assert left == [], [(c.action, c.address, c.reason) for c in left]
        assert all(intent.op == "trigger" for intent in self.world.store.pending.values())
        active = sorted(
            (r["metadata"]["resource_id"], r["metadata"]["event_severity"], r["annotations"]["message"])
            for r in self.world.aom.active_now().values()
        )
        fields = [self.wanted[address] for address in AOM if address in self.wanted]
        expected = sorted((f["ident"], f["severity"], f["message"]) for f in fields)
        assert active == expected, f"active {active}, declared {expected}"
        if self.events_known:
            wanted = [self.wanted[COC]["message"]] if COC in self.wanted else []
            assert [r["annotations"]["message"] for r in self.world.events.active_now().values()] == wanted


def _error(status: int) -> Any:
    return lost() if status in (0, 500, 503) else refused(status)
