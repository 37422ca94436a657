"""What alarms and events become: names, defaults of a file, `for_each`, targets, times."""

from __future__ import annotations

from pathlib import Path

import pytest

from reconcile.model.desired import Source
from reconcile.model.resources import Alarm, Event
from tests.specs.writing import alarm, load, marked, only, problems, put

DAY = 86_400_000


def test_a_small_alarm_gets_its_defaults(tmp_path: Path) -> None:
    """Name from the key, the default target, the dialect's timeout, the default enterprise project."""
    declared = load(tmp_path, {"alarms": {"web-1": alarm()}}).declared["alarm.web-1"]
    assert declared.content == {
        "target": "aom",
        "name": "web-1",
        "severity": "Major",
        "resource": {"provider": "ecs", "type": "vm", "id": "ecs-1"},
        "message": "CPU is high",
        "enterprise_project_id": "0",
        "timeout": 15 * DAY,
    }
    assert declared.kind == "alarm"
    assert declared.source == Source("specs/a.yaml", 3)
    assert declared.digest.startswith("sha256:")


def test_every_key_of_an_alarm_arrives(tmp_path: Path) -> None:
    """The keys of the contract, as they stand there."""
    spec = """
    alarms:
      web-1-cpu-high:
        target: aom
        name: CPU usage high
        severity: Major
        resource: {provider: ecs, type: vm, id: ecs-123, name: web-1, region: cn-north-4}
        message: CPU above 90 % for 5 minutes
        probable_cause: runaway batch job
        fix_suggestion: restart the agent
        url: https://wiki.example/cpu
        timeout: 5d
        starts_at: 2026-11-20T08:00:00Z
        enterprise_project_id: "7"
        metadata: {team: core}
        annotations: {runbook: R-12, tries: 3, deep: {a: [1, null]}}
        attach_rule: {}
        lifecycle: {protect: true, ignore_changes: [message], renew_before: 1d, on_external_clear: accept}
    """
    resource = load(tmp_path, spec).declared["alarm.web-1-cpu-high"].resource
    assert isinstance(resource, Alarm)
    assert (resource.name, resource.timeout, resource.starts_at) == ("CPU usage high", 5 * DAY, 1_795_161_600_000)
    assert resource.lifecycle.model_dump() == {
        "protect": True,
        "ignore_changes": ("message",),
        "renew_before": DAY,
        "on_external_clear": "accept",
    }
    assert resource.annotations == {"runbook": "R-12", "tries": 3, "deep": {"a": [1, None]}}
    assert resource.attach_rule == {}
    assert resource.resource.region == "cn-north-4"


def test_an_event_is_an_alarm_without_timeout_and_lifecycle(tmp_path: Path) -> None:
    """An event and an alarm may share a NAME; the event has no timeout."""
    desired = load(tmp_path, {"alarms": {"x": alarm()}, "events": {"x": alarm()}})
    event = desired.declared["event.x"].resource
    assert type(event) is Event
    assert "timeout" not in desired.declared["event.x"].content
    found = problems(tmp_path, {"events": {"x": alarm(timeout="5d", lifecycle={})}})
    assert [(problem.code, marked(problem)) for problem in found] == [("S030", '"timeout"'), ("S030", '"lifecycle"')]


def test_files_are_read_below_the_folder_sorted_with_several_documents(tmp_path: Path) -> None:
    """Recursion, both endings, several documents; other files are left alone."""
    put(
        tmp_path, {"b.yml": {"alarms": {"b": alarm(name="b")}}, "sub/deep/c.yaml": {"events": {"c": alarm()}}, "notes.txt": "- ["}
    )
    desired = load(
        tmp_path, "alarms: {a1: &a {severity: Info, resource: {provider: p, type: t, id: i}, message: m}}\n---\nforget: []\n"
    )
    assert list(desired.declared) == ["alarm.a1", "alarm.b", "event.c"]
    assert [one.source.file for one in desired.declared.values()] == ["specs/a.yaml", "specs/b.yml", "specs/sub/deep/c.yaml"]


def test_a_name_stands_once_over_all_files(tmp_path: Path) -> None:
    """The second is told, with the place of the first."""
    put(tmp_path, {"b.yaml": {"alarms": {"a": alarm(name="other")}}})
    problem = only(problems(tmp_path, {"alarms": {"a": alarm()}}))
    assert (problem.code, problem.file, problem.line) == ("S026", "specs/b.yaml", 3)
    assert "specs/a.yaml:3" in problem.what


def test_defaults_hold_for_the_whole_file_and_merge_key_by_key(tmp_path: Path) -> None:
    """Mappings merge, else the resource's value wins; other files know nothing of it; a null takes a default away."""
    put(tmp_path, {"b.yaml": {"alarms": {"other": alarm(name="other")}}})
    spec = """
    alarms:
      a: {severity: Info, resource: {id: x}, message: m, metadata: {team: web}}
      b: {resource: {id: y, type: disk}, message: m, url: null}
    ---
    defaults:
      alarms: {severity: Minor, timeout: 1h, url: u, resource: {provider: p, type: t}, metadata: {team: core, site: s}}
    """
    declared = load(tmp_path, spec).declared
    a, b, other = (declared[f"alarm.{name}"].content for name in ("a", "b", "other"))
    assert a["severity"] == "Info" and b["severity"] == "Minor"
    assert a["metadata"] == {"team": "web", "site": "s"}
    assert b["resource"] == {"provider": "p", "type": "disk", "id": "y"}
    assert a["timeout"] == 3_600_000 and a["url"] == "u" and "url" not in b
    assert other["timeout"] == 15 * DAY


def test_a_wrong_default_is_told_once_where_it_stands(tmp_path: Path) -> None:
    """Not once per resource that takes it."""
    spec = """
    defaults: {alarms: {timeout: soon, severity: Info, resource: {provider: p, type: t}, message: m}}
    alarms: {a: {resource: {id: a}}, b: {resource: {id: b}}}
    """
    problem = only(problems(tmp_path, spec))
    assert (problem.code, problem.line, marked(problem)) == ("S028", 2, "soon")


@pytest.mark.parametrize(
    ("spec", "code", "hint"),
    [
        ({"alrms": {}}, "S020", "did you mean `alarms`?"),
        ({"alarms": {"a": alarm(severty="x")}}, "S020", "did you mean `severity`?"),
        (
            {"alarms": {"a": alarm(resource={"provider": "p", "type": "t", "id": "i", "regon": "r"})}},
            "S020",
            "did you mean `region`?",
        ),
        ({"alarms": {"a": alarm(lifecycle={"protekt": True})}}, "S020", "did you mean `protect`?"),
        ({"defaults": {"alarm": {}}}, "S020", "did you mean `alarms`?"),
        ({"defaults": {"alarms": {"sevrity": "Info"}}}, "S020", "did you mean `severity`?"),
        ({"alarms": {"a": alarm(severity="Critcal")}}, "S024", "did you mean `Critical`?"),
        ({"alarms": {"a": alarm(severity="critical")}}, "S024", "did you mean `Critical`?"),
        ({"alarms": {"a": alarm(target="amo")}}, "S050", "did you mean `aom`?"),
        ({"alarms": {"a": alarm(message=3)}}, "S022", 'quote it: "3"'),
        ({"alarms": {"a": alarm(message=True)}}, "S022", 'quote it: "true"'),
        ({"alarms": {"a": alarm(metadata={"n": 1.5})}}, "S022", 'quote it: "1.5"'),
        ({"alarms": {"a": alarm(lifecycle={"protect": "yes"})}}, "S021", "write true; in YAML 1.2 `yes` is text"),
        ({"alarms": {"a": alarm(lifecycle={"ignore_changes": ["mesage"]})}}, "S024", "did you mean `message`?"),
    ],
)
def test_an_unknown_word_gets_the_closest_match(spec: dict[str, object], code: str, hint: str, tmp_path: Path) -> None:
    """What is wrong, and what was probably meant."""
    problem = only(problems(tmp_path, spec))
    assert (problem.code, problem.hint) == (code, hint)


@pytest.mark.parametrize("key", ["severity", "resource", "message"])
def test_a_required_key_is_missed_at_the_name(key: str, tmp_path: Path) -> None:
    """The place is the resource's own key; the sentence names what is missing."""
    problem = only(problems(tmp_path, {"alarms": {"web": alarm(**{key: None})}}))
    assert (problem.code, problem.what, marked(problem)) == ("S023", f"`{key}` is required", '"web"')


@pytest.mark.parametrize("key", ["provider", "type", "id"])
def test_the_identity_of_the_resource_is_required(key: str, tmp_path: Path) -> None:
    """Missing or empty, it is told at its mapping or value."""
    about = {"provider": "p", "type": "t", "id": "i"}
    missing = {name: text for name, text in about.items() if name != key}
    problem = only(problems(tmp_path, {"alarms": {"web": alarm(resource=missing)}}))
    assert (problem.code, marked(problem)) == ("S023", '"resource"')
    problem = only(problems(tmp_path, {"alarms": {"web": alarm(resource={**about, key: ""})}}))
    assert (problem.code, marked(problem)) == ("S023", '""')


@pytest.mark.parametrize(
    ("text", "expected"),
    [("500ms", 500), ("30s", 30_000), ("5m", 300_000), ("12h", 43_200_000), ("5d", 5 * DAY), (60_000, 60_000)],
)
def test_a_duration_is_read_to_milliseconds(text: object, expected: int, tmp_path: Path) -> None:
    """Every unit of the contract, and whole milliseconds."""
    content = load(tmp_path, {"alarms": {"a": alarm(timeout=text)}}).declared["alarm.a"].content
    assert content["timeout"] == expected


@pytest.mark.parametrize("text", ["5", "5 d", "1h30m", "-5m", "1.5h", "5w", "", "0s", 0, -1, True, [1], "9" * 30 + "d"])
def test_a_malformed_duration_is_refused(text: object, tmp_path: Path) -> None:
    """Nothing is guessed; only a bare number in quotes passes as milliseconds."""
    if text == "5":
        assert load(tmp_path, {"alarms": {"a": alarm(timeout=text)}}).declared["alarm.a"].content["timeout"] == 5
    else:
        assert only(problems(tmp_path, {"alarms": {"a": alarm(timeout=text)}})).code == "S028"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-11-20T08:00:00Z", 1_795_161_600_000),
        ("2026-11-20T16:00:00+08:00", 1_795_161_600_000),
        ("2026-11-20t08:00:00.25z", 1_795_161_600_250),
        (1_795_161_600_000, 1_795_161_600_000),
    ],
)
def test_an_instant_needs_its_zone(text: object, expected: int, tmp_path: Path) -> None:
    """RFC 3339, never shifted."""
    assert load(tmp_path, {"alarms": {"a": alarm(starts_at=text)}}).declared["alarm.a"].content["starts_at"] == expected


@pytest.mark.parametrize(
    "text",
    ["2026-11-20", "2026-11-20T08:00:00", "2026-13-20T08:00:00Z", "2026-11-20T25:00:00Z", "0001-01-01T00:00:00+23:59", "now", 5],
)
def test_a_malformed_instant_is_refused(text: object, tmp_path: Path) -> None:
    """A date alone, a time without zone, a day that is not on the calendar."""
    assert only(problems(tmp_path, {"alarms": {"a": alarm(starts_at=text)}})).code == "S029"


def test_for_each_over_a_list_and_over_a_mapping(tmp_path: Path) -> None:
    """One instance per key, with its own address; `each.value` of a list is the key."""
    spec = """
    alarms:
      disk:
        for_each: {data: {path: /data, size: 5}, 'we"ird': {path: /w, size: 6}}
        severity: Info
        resource: {provider: p, type: t, id: "${each.key}"}
        message: ${each.value.path} of ${each.value.size} GiB
      host:
        for_each: [h1, h2]
        severity: Info
        resource: {provider: p, type: t, id: "host-${each.value}"}
        message: "down: ${each.key}"
    """
    declared = load(tmp_path, spec).declared
    assert list(declared) == ['alarm.disk["data"]', 'alarm.disk["we\\"ird"]', 'alarm.host["h1"]', 'alarm.host["h2"]']
    assert declared['alarm.disk["data"]'].content["message"] == "/data of 5 GiB"
    assert declared['alarm.disk["data"]'].content["name"] == "disk"
    assert declared['alarm.host["h2"]'].content["resource"]["id"] == "host-h2"
    assert {one.source.line for one in declared.values()} == {3, 8}


@pytest.mark.parametrize(
    ("for_each", "code"),
    [
        (["a", "a"], "S040"),
        ("text", "S040"),
        (3, "S040"),
        (None, "S040"),
        ([1], "S022"),
        ([["a"]], "S021"),
        ([""], "S040"),
        (["a\nb"], "S040"),
        ([f"k{n}" for n in range(100_001)], "S040"),
    ],
)
def test_a_malformed_for_each_is_refused(for_each: object, code: str, tmp_path: Path) -> None:
    """Keys are distinct printable texts."""
    assert code in {p.code for p in problems(tmp_path, {"alarms": {"a": {**alarm(), "for_each": for_each}}})}


def test_a_for_each_that_unfolds_to_too_much_text_is_refused(tmp_path: Path) -> None:
    """A long message times many keys is told before memory is spent."""
    spec = {"alarms": {"a": {**alarm(message="x" * 1_000_000), "for_each": [f"k{n}" for n in range(100)]}}}
    assert only(problems(tmp_path, spec)).code == "S040"


def test_an_empty_for_each_declares_nothing(tmp_path: Path) -> None:
    """No key, no instance, no problem."""
    assert load(tmp_path, {"alarms": {"a": {**alarm(), "for_each": []}}}).declared == {}


def test_each_outside_for_each_and_each_of_a_mapping_are_refused(tmp_path: Path) -> None:
    """`${each.…}` needs a `for_each`, and only texts can be filled in."""
    assert only(problems(tmp_path, {"alarms": {"a": alarm(message="${each.key}")}})).code == "S041"
    spec = {"alarms": {"a": {**alarm(message="${each.value}"), "for_each": {"k": {"x": 1}}}}}
    assert only(problems(tmp_path, spec)).code == "S021"
    spec = {"alarms": {"a": {**alarm(message="${each.value.y}"), "for_each": {"k": {"x": 1}}}}}
    assert only(problems(tmp_path, spec)).code == "S042"


def test_one_identity_on_one_target_is_an_error_naming_both_places(tmp_path: Path) -> None:
    """AOM would take the two for one alarm; another target, project or id makes them two."""
    same = alarm(name="same")
    problem = only(problems(tmp_path, {"alarms": {"a": same, "b": {**same, "message": "other", "severity": "Info"}}}))
    assert (problem.code, problem.line, marked(problem)) == ("S052", 13, '"b"')
    assert "alarm.a at specs/a.yaml:3" in problem.what
    others = {"c": {**same, "target": "legacy"}, "d": {**same, "enterprise_project_id": "7"}, "e": {**same, "name": "e"}}
    assert len(load(tmp_path, {"alarms": {"a": same, **others}, "events": {"a": same}}).declared) == 5


def test_instances_with_one_identity_are_told_once(tmp_path: Path) -> None:
    """A `for_each` whose texts do not use the key is one mistake, not one per pair."""
    spec = {"alarms": {"a": {**alarm(name="same"), "for_each": [f"k{n}" for n in range(50)]}}}
    assert only(problems(tmp_path, spec)).code == "S052"


def test_coc_alarms_may_look_alike(tmp_path: Path) -> None:
    """Their identity is the address itself."""
    same = alarm(name="same", target="coc-events")
    assert len(load(tmp_path, {"alarms": {"a": same, "b": same}}).declared) == 2


def test_the_digest_moves_with_what_is_declared_and_with_the_targets(tmp_path: Path) -> None:
    """Not with comments, order or the files things stand in."""
    first = load(tmp_path, {"alarms": {"a": alarm(), "b": alarm(name="b")}}).digest
    assert load(tmp_path, {"alarms": {"b": alarm(name="b"), "a": alarm()}}).digest == first
    assert load(tmp_path, {"alarms": {"a": alarm(message="x"), "b": alarm(name="b")}}).digest != first
    assert load(tmp_path, {"alarms": {"a": alarm(), "b": alarm(name="b")}, "forget": ["alarm.c"]}).digest != first
    put(tmp_path, {"/reconcile.yaml": "targets: {aom: {type: aom, stamp: false}}"})
    assert load(tmp_path, {"alarms": {"a": alarm(), "b": alarm(name="b")}}).digest != first
