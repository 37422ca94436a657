"""Costs that must stay in proportion to the stack: counted as operations, never timed."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import deepdiff
import pytest

import reconcile
from reconcile.cli.main import main
from reconcile.kept import Kept
from reconcile.model.outline import Lazily
from reconcile.planner.diff import differences
from reconcile.specs import alarms, recall
from reconcile.specs.load import load_config, load_specs
from reconcile.state.files import Files
from reconcile.targets.aom import AomTarget
from reconcile.targets.http.client import Http
from reconcile.views.html import render_html
from reconcile.views.markdown import render_markdown
from reconcile.views.plan_document import encode, plan_document
from reconcile.views.plan_text import render_plan
from reconcile.views.state_text import render_addresses
from reconcile.views.style import Style
from tests.world import World, alarm, desired

SIZES = (200, 400, 800)
TOOL = str(Path(reconcile.__file__).parent)
SLACK = 1.15  # of twice the growth: constant parts, buffers, the last page


def calls(work: Callable[[], Any]) -> int:
    """How many functions, of Python and of C, the tool calls at work; what the test's own servers do is not counted."""
    count = 0

    def on(frame: Any, event: str, argument: Any) -> None:
        nonlocal count
        count += event in ("call", "c_call") and frame.f_code.co_filename.startswith(TOOL)

    before = sys.getprofile()
    sys.setprofile(on)
    try:
        work()
    finally:
        sys.setprofile(before)
    return count


def assert_linear(counts: list[int]) -> None:
    """Twice as many cost at most twice as much more."""
    small, middle, large = counts
    assert large - middle <= 2 * (middle - small) * SLACK, counts


def stack(folder: Path, count: int) -> Path:
    """A config and one file of alarms."""
    (folder / "specs").mkdir(parents=True)
    (folder / "reconcile.yaml").write_text("version: 1\nstack: linear\n")
    body = "    severity: Major\n    message: CPU above 90 % for 5 minutes, on a host that somebody should look at today\n"
    rows = (f"  host-{n}:\n{body}    resource: {{provider: ecs, type: vm, id: ecs-{n}}}\n" for n in range(count))
    (folder / "specs" / "all.yaml").write_text("alarms:\n" + "".join(rows))
    return folder


def wanted(count: int) -> Any:
    """So many alarms, declared."""
    return desired(*(alarm(f"alarm.host-{n:05}") for n in range(count)))


VIEWS: dict[str, Callable[[Any], Any]] = {
    "document": lambda plan: encode(plan_document(plan)),
    "text": lambda plan: render_plan(plan, style=Style(False), width=100, full=True),
    "markdown": lambda plan: render_markdown(plan_document(plan)),
    "html": lambda plan: render_html(plan_document(plan)),
}


@pytest.mark.parametrize("view", VIEWS.values(), ids=VIEWS.keys())
def test_a_view_of_a_plan_grows_with_its_rows(view: Callable[[Any], Any]) -> None:
    """Document, text, markdown and page: no row is looked at once per other row."""
    plans = [World().plan(wanted(count)) for count in SIZES]
    view(plans[0])
    assert_linear([calls(lambda plan=plan: view(plan)) for plan in plans])  # type: ignore[misc]


def test_a_list_of_the_state_grows_with_its_addresses() -> None:
    """`state list`."""
    render_addresses(["alarm.a"])
    assert_linear([calls(lambda n=n: render_addresses([f"alarm.host-{i}" for i in range(n)])) for n in SIZES])  # type: ignore[misc]


def test_planning_and_applying_grow_with_the_stack() -> None:
    """A plan of new alarms, their apply, and the plan after it."""
    World().apply(wanted(3))
    worlds = [(World(), wanted(count)) for count in SIZES]
    assert_linear([calls(lambda w=w, d=d: w.plan(d)) for w, d in worlds])  # type: ignore[misc]
    assert_linear([calls(lambda w=w, d=d: w.apply(d)) for w, d in worlds])  # type: ignore[misc]
    assert_linear([calls(lambda w=w, d=d: w.plan(d)) for w, d in worlds])  # type: ignore[misc]


@pytest.fixture
def counted(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """Requests, waits for the disk and bytes of the journal, counted while the real thing happens."""
    found: Counter[str] = Counter()

    def watch(owner: type, name: str, key: str, amount: Callable[..., int] = lambda *given: 1) -> None:
        real = getattr(owner, name)

        def watching(*given: Any, **named: Any) -> Any:
            found[key] += amount(*given)
            return real(*given, **named)

        monkeypatch.setattr(owner, name, watching)

    watch(Files, "sync_content", "waits for the journal")
    watch(Files, "sync", "waits for the state")
    watch(Files, "write", "bytes", lambda files, handle, content: len(content))
    watch(AomTarget, "_push", "pushes")
    watch(Http, "send", "requests")
    return found


def test_an_apply_sends_and_writes_by_the_batch(tmp_path: Path, counted: Counter[str]) -> None:
    """A push a batch, one wait for the journal for several; the state is written once at the end, not once a batch."""
    seen = []
    for count in SIZES:
        counted.clear()
        assert main(["-C", str(stack(tmp_path / str(count), count)), "apply", "--auto-approve", "-q"]) == 0
        seen.append(dict(counted))
    assert [row["pushes"] for row in seen] == [count // 100 for count in SIZES]
    assert all(row["requests"] <= count // 100 + 4 for row, count in zip(seen, SIZES, strict=True))
    assert all(row["waits for the journal"] <= count // 200 + 3 for row, count in zip(seen, SIZES, strict=True))
    assert {row["waits for the state"] for row in seen} == {1}
    assert_linear([row["bytes"] for row in seen])


def test_a_plan_or_apply_with_nothing_to_do_builds_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Untouched alarms are decided by digest: neither the declared nor the recorded ones are built."""
    folder = stack(tmp_path / "stack", 900)
    assert main(["-C", str(folder), "apply", "--auto-approve", "-q"]) == 0
    assert main(["-C", str(folder), "plan"]) == 0
    built: list[str] = []
    real = Lazily.__getitem__
    monkeypatch.setattr(Lazily, "__getitem__", lambda self, address: built.append(address) or real(self, address))
    assert main(["-C", str(folder), "plan"]) == 0
    assert "No changes. 900 resources" in capsys.readouterr().out
    assert main(["-C", str(folder), "apply", "--auto-approve"]) == 0
    assert "No changes. 900 resources" in capsys.readouterr().out
    assert built == []
    path = folder / "specs" / "all.yaml"
    path.write_text(path.read_text().replace("id: ecs-7}", "id: ecs-7, name: seven}"))
    assert main(["-C", str(folder), "plan"]) == 0
    assert set(built) == {"alarm.host-7"}


def test_of_specs_that_are_remembered_those_with_secrets_are_found(tmp_path: Path) -> None:
    """Whatever else is not built: what they hold must be known to whoever writes a log."""
    folder = stack(tmp_path / "stack", 900)
    path = folder / "specs" / "all.yaml"
    path.write_text(path.read_text().replace("id: ecs-7}", 'id: ecs-7}\n    annotations: {note: "${secret.env.WORD}"}'))
    config, kept = load_config(folder, None, environ={}), Kept(tmp_path / "cache")
    for _ in range(2):  # read, then remembered
        found = load_specs(config, folder, environ={"WORD": "x"}, kept=kept)
        assert isinstance(found.declared, Lazily)
        assert [one.address for one in found.with_secrets()] == ["alarm.host-7"]
    plainly = load_specs(config, folder, environ={"WORD": "x"})
    assert [one.address for one in plainly.with_secrets()] == ["alarm.host-7"]


def spread(folder: Path, count: int) -> Path:
    """A config, and files of fifty alarms."""
    stack(folder, 0)
    for first in range(0, count, 50):
        rows = (
            f"  host-{n}: {{severity: Major, message: high, resource: {{provider: ecs, type: vm, id: ecs-{n}}}}}\n"
            for n in range(first, first + 50)
        )
        (folder / "specs" / f"{first:05}.yaml").write_text("alarms:\n" + "".join(rows))
    (folder / "specs" / "all.yaml").unlink()
    return folder


def test_reading_specs_grows_with_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a memory, and with one after the edit of a file; of this only the edited file is read and checked again."""
    monkeypatch.setattr(recall, "SMALLEST", 0)
    config = load_config(stack(tmp_path / "none", 0), None, environ={})
    folders = [spread(tmp_path / str(count), count) for count in SIZES]

    def read(folder: Path) -> Any:
        return load_specs(config, folder, environ={}, kept=Kept(folder / "cache"))

    read(spread(tmp_path / "first", 50))
    assert_linear([calls(lambda folder=folder: read(folder)) for folder in folders])  # type: ignore[misc]
    declared: list[str] = []
    real = alarms.declare
    monkeypatch.setattr(alarms, "declare", lambda instance, setting: declared.append(instance.address) or real(instance, setting))
    counts = []
    for folder in folders:
        path = folder / "specs" / "00100.yaml"
        path.write_text(path.read_text().replace("high", "higher"))
        declared.clear()
        counts.append(calls(lambda folder=folder: read(folder)))  # type: ignore[misc]
        assert len(declared) == 50
    assert_linear(counts)
    assert counts[2] < calls(lambda: load_specs(config, folders[2], environ={}, kept=Kept(tmp_path / "new"))) / 2


def test_what_is_equal_is_not_compared_in_depth(monkeypatch: pytest.MonkeyPatch) -> None:
    """Drift of untouched alarms is seen at a glance; what only Python takes for equal is not."""
    asked: list[object] = []
    real = deepdiff.DeepDiff
    monkeypatch.setattr(deepdiff, "DeepDiff", lambda *given, **named: asked.append(given) or real(*given, **named))
    one, other = (wanted(1).declared["alarm.host-00000"].content for _ in range(2))
    assert differences(one, other) == () and asked == []
    assert [found.path for found in differences({"timeout": 1}, {"timeout": 1.0})] == ["timeout"]
    assert len(asked) == 1
