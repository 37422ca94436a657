"""An apply as lines, as its closing account, and as JSON lines; errors; the state."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from reconcile.errors import Answer, Effect, ReconcileError, Refused, StateUnusable, TargetError
from reconcile.model.change import Difference, Drift
from reconcile.model.snapshot import LastRun, Snapshot
from reconcile.ports import Progress
from reconcile.views import apply_json
from reconcile.views.apply_text import progress_line, render_account
from reconcile.views.drift_views import drift_document, render_drift
from reconcile.views.errors_text import render_error
from reconcile.views.state_text import render_addresses, render_entries, render_resource, render_state
from reconcile.views.style import PLAIN, Style
from tests.views.samples import AS_OF, DAY, HOSTILE, alarm, full_plan, recorded, recorded_event, recorded_handling, run

Golden = Callable[[str, str], None]
OUTCOMES = [
    Progress("alarm.web-1", "report", "done", "id 42"),
    Progress("alarm.web-2", "report", "unconfirmed"),
    Progress("alarm.web-3", "update", "done"),
    Progress(
        'alarm.queue["a b"]',
        "clear",
        "failed",
        f"ListEvents failed with 409 AOM.0409: linked {HOSTILE}",
        "it is tried again next time",
    ),
    Progress(
        'handling.disk["a b"]', "trigger", "unknown", "sent 08:02:14, connection lost before an answer", "reconcile resolve"
    ),
    Progress("handling.web", "trigger", "skipped", "alarm.web-9 was not reported"),
    Progress("handling.db", "trigger", "done", "work order SC1"),
    Progress("alarm.old", "renew", "done"),
    Progress("alarm.moved", "move", "done"),
]


def test_every_step_has_a_line(golden: Golden) -> None:
    """Count, symbol, word, address, outcome."""
    lines = [progress_line(step, done=n + 1, total=120, style=PLAIN) for n, step in enumerate(OUTCOMES)]
    golden("progress.txt", "\n".join(lines) + "\n")


def test_in_a_terminal_a_long_step_goes_on_below_itself() -> None:
    """Elsewhere it stays one line; a detail that only repeats the outcome is left out."""
    step = Progress("handling.web", "trigger", "failed", "ListAlarmHandleHistories failed with 404: there is no such alarm")
    text = progress_line(step, done=1, total=9, style=PLAIN, width=80)
    assert text.split("\n") == [
        "1/9  >   trigger  handling.web  FAILED",
        "     ListAlarmHandleHistories failed with 404: there is no such alarm",
    ]
    assert progress_line(step, done=1, total=9, style=PLAIN) == text.replace("\n    ", ":")
    assert progress_line(step, done=1, total=9, style=PLAIN, width=110) == text.replace("\n    ", ":")
    cleared = Progress("alarm.web", "clear", "done", "cleared")
    assert progress_line(cleared, done=1, total=9, style=PLAIN) == "1/9  -   clear    alarm.web  cleared"


@pytest.mark.parametrize("width", [80, 120])
def test_the_account_of_an_apply_that_partly_failed(golden: Golden, width: int) -> None:
    """The unknown first, with the command that closes it; the counts last."""
    golden(f"account-{width}.txt", render_account(OUTCOMES, exit_code=7, serial=42, style=PLAIN, width=width))


def test_the_account_of_an_apply_that_went_well() -> None:
    """One line."""
    text = render_account([OUTCOMES[0], OUTCOMES[6]], exit_code=0, serial=3, style=PLAIN)
    assert text == "Applied: 1 reported; 1 task triggered. State serial 3.\n"
    assert render_account([], exit_code=0, serial=3, style=PLAIN) == "Nothing to do.\n"


def test_an_account_of_ten_thousand_failures_stays_short() -> None:
    """With the count of what was left out."""
    text = render_account([OUTCOMES[3]] * 10_000, exit_code=1, serial=3, style=PLAIN)
    assert "... and 9,800 more" in text and "Applied: nothing. 10,000 failed." in text
    assert len(text.splitlines()) < 900


def test_json_lines_begin_with_the_version_and_end_with_the_summary(golden: Golden) -> None:
    """Each line is one JSON object, in ASCII."""
    refused = TargetError("PushEvents failed", effect=Effect.REFUSED, answer=Answer(403, "AOM.0403", HOSTILE, "t-1"))
    lines = [
        apply_json.version_line(),
        *apply_json.change_lines(full_plan()),
        *map(apply_json.progress_line, OUTCOMES),
        apply_json.told_line(HOSTILE),
        apply_json.error_line(refused),
        apply_json.summary_line(exit_code=7, counts={"done": 6}, serial=42),
    ]
    text = "".join(lines)
    golden("apply.jsonl", text)
    rows = [json.loads(line) for line in text.splitlines()]
    assert text.isascii() and len(rows) == len(lines)
    assert rows[0]["type"] == "version"
    assert rows[-1] == {"type": "summary", "exit_code": 7, "counts": {"done": 6}, "serial": 42}


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (ReconcileError("it failed"), "Error: it failed\n"),
        (
            Refused("5 alarms\nand more", where="reconcile.yaml", hint="--allow clears=5"),
            "Error: 5 alarms\n       and more\n  at reconcile.yaml\n\nHint: --allow clears=5\n",
        ),
        (
            StateUnusable("is refused: it is older", where="old.json", hint="pull again"),
            "Error: old.json is refused: it is older\n\nHint: pull again\n",
        ),
        (
            TargetError("PushEvents failed", effect=Effect.REFUSED, answer=Answer(400, "AOM.0400", "bad\x1b[2J", "t-1")),
            "Error: PushEvents failed\n  HTTP status  400\n  server said  AOM.0400 bad\\x1b[2J\n  trace id     t-1\n",
        ),
    ],
)
def test_errors_say_what_where_and_what_to_do(error: ReconcileError, text: str) -> None:
    """The hint stands on a line of its own; servers are quoted, inert."""
    assert render_error(error, style=PLAIN) == text


def test_errors_are_wrapped_where_a_person_reads_them() -> None:
    """Below themselves; the lines of ours stay lines."""
    error = ReconcileError("it failed " * 12 + "\nand more", hint="plan again " * 12)
    text = render_error(error, style=PLAIN, width=80)
    assert all(len(line) <= 80 for line in text.splitlines()) and "\n       and more\n" in text
    assert " ".join(text.split()) == " ".join(render_error(error, style=PLAIN).split())


def test_a_resource_fits_a_narrow_terminal() -> None:
    """Long values go on below themselves, and nothing of them is lost."""
    record = recorded(alarm(message="word " * 60, url="https://wiki.example/" + "x" * 200))
    text = render_resource("alarm.web", record, style=PLAIN, width=80)
    assert max(map(len, text.splitlines())) <= 80 and text.count("word") == 60 and text.count("x") > 200


def test_the_state_as_text(golden: Golden) -> None:
    """Head, a line per resource, what is pending, the counts."""
    snapshot = Snapshot(
        stack="payments-prod",
        lineage="0b7c",
        serial=41,
        resources={
            "handling.web": recorded_handling(run(), run(outcome="unknown", ticket=None, status="RUNNING")),
            "handling.new": recorded_handling(),
            "event.deployed": recorded_event(),
            'alarm.disk["磁盘\x1b"]': recorded(alarm(), protect=True),
        },
        pending={intent.id: intent for intent in full_plan().pending},
        last_run=LastRun(at=AS_OF, command="apply", who=f"ci@runner{HOSTILE}", exit_code=3),
    )
    entries = "".join(render_resource(address, record, style=PLAIN) for address, record in snapshot.resources.items())
    text = (
        render_state(snapshot, where="state/default.json", style=PLAIN) + entries + render_addresses(sorted(snapshot.resources))
    )
    golden("state.txt", text)
    assert [c for c in text if not c.isprintable() and c != "\n"] == []
    assert list(json.loads(render_entries(snapshot.resources))) == list(snapshot.resources)


def test_a_missing_state_says_so() -> None:
    """And counts nothing."""
    assert render_state(Snapshot(), where="state/x.json", style=Style(False)) == "No state yet at state/x.json.\n0 resources.\n"


def test_drift_as_text_and_as_a_document(golden: Golden) -> None:
    """A row per difference with what differs, the counts last."""
    snapshot = Snapshot(stack="payments-prod", lineage="0b7c", serial=41, resources={"alarm.web-1": recorded(alarm())})
    diff = (Difference("severity", "Major", "Minor"), Difference("url", None, "https://x"), Difference("timeout", DAY, None))
    found = (Drift("alarm.web-1", "changed", "aom", "its content differs", diff, "42"), *full_plan().drift)
    golden("drift.txt", render_drift(found, snapshot, as_of=AS_OF, style=PLAIN, width=80))
    golden("drift.json", drift_document(found, snapshot, as_of=AS_OF))
    assert render_drift((), snapshot, as_of=AS_OF, style=PLAIN, width=80).endswith("No drift. 1 alarm looked at.\n")
    assert "and 300 more" in render_drift(found[1:2] * 500, snapshot, as_of=AS_OF, style=PLAIN, width=80)
