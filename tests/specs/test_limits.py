"""Which key belongs to which target, and the bounds of the documents, each told at its place."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.specs.writing import TARGETS, alarm, load, marked, only, problems, put

DAY = 86_400_000


def one(folder: Path, **changes: Any) -> dict[str, Any]:
    """The content of the only alarm."""
    return dict(load(folder, {"alarms": {"a": alarm(**changes)}}).declared["alarm.a"].content)


def refused(folder: Path, **changes: Any) -> tuple[str, str]:
    """Code and underlined text of the only problem of an alarm."""
    problem = only(problems(folder, {"alarms": {"a": alarm(**changes)}}))
    return problem.code, marked(problem)


@pytest.mark.parametrize("key", ["namespace", "application_id", "source"])
def test_aom_has_no_place_for_the_keys_of_coc(key: str, tmp_path: Path) -> None:
    """Told at the key."""
    assert refused(tmp_path, **{key: "x"}) == ("S030", f'"{key}"')
    assert refused(tmp_path, additional={"x": 1}) == ("S030", '"additional"')


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("timeout", "5d"),
        ("metadata", {"a": "b"}),
        ("annotations", {"a": "b"}),
        ("attach_rule", {}),
        ("enterprise_project_id", "0"),
        ("resource_group_id", "x"),
        ("lifecycle", {"renew_before": "1d"}),
    ],
)
def test_coc_has_no_place_for_the_keys_of_aom(key: str, value: object, tmp_path: Path) -> None:
    """Nothing expires there, so nothing is renewed."""
    marked_key = '"renew_before"' if key == "lifecycle" else f'"{key}"'
    assert refused(tmp_path, target="coc-events", **{key: value}) == ("S030", marked_key)


def test_coc_takes_its_three_keys_from_the_resource_or_the_target(tmp_path: Path) -> None:
    """Required here or there; the resource wins; a target's `${env.X}` is filled."""
    content = one(tmp_path, target="coc-events", namespace="shanghai", lifecycle={"protect": True})
    assert (content["namespace"], content["application_id"], content["source"]) == ("shanghai", "app-1", "gitops")
    assert "timeout" not in content and "enterprise_project_id" not in content
    found = problems(tmp_path, {"alarms": {"a": alarm(target="bare", source="s")}})
    assert [p.what.split()[0] for p in found] == ["`application_id`", "`namespace`"]
    put(tmp_path, {"/reconcile.yaml": TARGETS.replace("namespace: prod", 'namespace: "${env.NS}"')})
    spec = {"alarms": {"a": alarm(target="coc-events")}}
    assert load(tmp_path, spec, environ={"NS": "blue"}).declared["alarm.a"].content["namespace"] == "blue"
    assert only(problems(tmp_path, spec)).code == "S043"


def test_events_and_alarms_go_only_where_they_can(tmp_path: Path) -> None:
    """COC takes no events, task targets take no alarms."""
    assert refused(tmp_path, target="coc") == ("S050", '"coc"')
    problem = only(problems(tmp_path, {"events": {"e": alarm(target="coc-events")}}))
    assert (problem.code, marked(problem)) == ("S050", '"coc-events"')


def test_a_default_target_that_does_not_fit_is_told(tmp_path: Path) -> None:
    """Without `target`, the config's default counts."""
    text = "default_target: coc\ntargets: {coc: {type: coc}, x: {type: aom}, y: {type: aom}}"
    assert only(problems(tmp_path, {"alarms": {"a": alarm()}}, targets=text)).code == "S050"
    text = "targets: {x: {type: aom}, y: {type: aom}}"
    assert only(problems(tmp_path, {"alarms": {"a": alarm()}}, targets=text)).code == "S050"
    put(tmp_path, {"/reconcile.yaml": "targets: {x: {type: aom}}"})
    assert one(tmp_path)["target"] == "x"


def test_the_default_timeout_is_the_dialects(tmp_path: Path) -> None:
    """15 days, or 3 in the older documents."""
    for target, days in (("aom", 15), ("legacy", 3), ("old", 3)):
        assert one(tmp_path, target=target)["timeout"] == days * DAY


def test_fifteen_days_are_the_most_in_the_current_dialect(tmp_path: Path) -> None:
    """The older documents state no bound."""
    assert one(tmp_path, timeout="15d")["timeout"] == 15 * DAY
    assert refused(tmp_path, timeout="16d") == ("S060", '"16d"')
    assert refused(tmp_path, timeout=15 * DAY + 1)[0] == "S060"
    assert one(tmp_path, target="legacy", timeout="16d")["timeout"] == 16 * DAY


def test_renew_before_is_shorter_than_the_timeout(tmp_path: Path) -> None:
    """Else it would be renewed on every run."""
    assert refused(tmp_path, timeout="1d", lifecycle={"renew_before": "1d"}) == ("S027", '"1d"')
    assert refused(tmp_path, target="legacy", lifecycle={"renew_before": "4d"})[0] == "S027"
    assert refused(tmp_path, lifecycle={"renew_before": "soon"})[0] == "S028"


@pytest.mark.parametrize("place", ["name", "id", "name of resource", "metadata"])
def test_metadata_values_have_at_most_2048_characters(place: str, tmp_path: Path) -> None:
    """In the current dialect, whatever key they come from; characters, not bytes."""

    def changes(text: str) -> dict[str, Any]:
        about = {"provider": "p", "type": "t", "id": "i"}
        return {
            "name": {"name": text},
            "id": {"resource": {**about, "id": text}},
            "name of resource": {"resource": {**about, "name": text}},
            "metadata": {"metadata": {"k": text}},
        }[place]

    assert one(tmp_path, **changes("ä" * 2048))
    assert refused(tmp_path, **changes("ä" * 2049))[0] == "S060"
    assert one(tmp_path, target="legacy", **changes("ä" * 2049))


def test_metadata_and_annotations_may_not_be_empty_or_take_the_tools_keys(tmp_path: Path) -> None:
    """The keys of the table and of the stamp are the tool's."""
    assert refused(tmp_path, metadata={"k": ""}) == ("S060", '""')
    assert refused(tmp_path, metadata={"": "v"}) == ("S060", '""')
    for key in (
        "event_name",
        "event_severity",
        "event_type",
        "resource_id",
        "resource_name",
        "region",
        "managed_by",
        "reconcile_key",
    ):
        assert refused(tmp_path, metadata={key: "v"}) == ("S061", f'"{key}"')
    assert refused(tmp_path, annotations={"message": "v"}) == ("S061", '"message"')
    assert refused(tmp_path, url="u", annotations={"url": "v"}) == ("S061", '"url"')
    assert one(tmp_path, annotations={"url": "v"})["annotations"] == {"url": "v"}
    assert refused(tmp_path, target="coc-events", fix_suggestion="x", additional={"fix_suggestion": "y"})[0] == "S061"


@pytest.mark.parametrize("target", ["legacy", "old"])
def test_thirty_keys_of_metadata_in_the_older_dialects(target: str, tmp_path: Path) -> None:
    """The tool's own eight and the optional two count."""
    keys = {f"k{n}": "v" for n in range(22)}
    about = {"provider": "p", "type": "t", "id": "i", "name": "n", "region": "r"}
    assert one(tmp_path, target=target, metadata=keys)
    assert refused(tmp_path, target=target, metadata={**keys, "more": "v"}) == ("S060", '"metadata"')
    assert refused(tmp_path, target=target, resource=about, metadata=keys)[0] == "S060"
    put(tmp_path, {"/reconcile.yaml": TARGETS.replace("dialect:", "stamp: false, dialect:")})
    assert one(tmp_path, target=target, resource=about, metadata=keys)
    assert one(tmp_path, target="aom", metadata={**keys, "more": "v"})


def test_annotations_are_text_in_legacy_and_thirty_in_cn_2021(tmp_path: Path) -> None:
    """Each older dialect has its own bound."""
    assert refused(tmp_path, target="legacy", annotations={"n": 3}) == ("S060", "3")
    assert one(tmp_path, target="old", annotations={f"k{n}": n for n in range(29)})
    assert refused(tmp_path, target="old", annotations={f"k{n}": n for n in range(30)}) == ("S060", '"annotations"')


def test_keys_of_single_dialects(tmp_path: Path) -> None:
    """attach_rule is new, resource_group_id is old, enterprise projects need the header."""
    assert one(tmp_path, attach_rule={"a": 1})["attach_rule"] == {"a": 1}
    assert refused(tmp_path, target="legacy", attach_rule={}) == ("S030", '"attach_rule"')
    assert one(tmp_path, target="old", resource_group_id="g")["resource_group_id"] == "g"
    assert refused(tmp_path, resource_group_id="g") == ("S030", '"resource_group_id"')
    assert refused(tmp_path, target="legacy", enterprise_project_id="7") == ("S030", '"enterprise_project_id"')
    assert one(tmp_path, target="legacy", enterprise_project_id="0")
    assert refused(tmp_path, enterprise_project_id="a\nb")[0] == "S027"
    assert refused(tmp_path, enterprise_project_id="all_granted_eps")[0] == "S027"


@pytest.mark.parametrize("key", ["name", "message", "url", "namespace", "application_id", "source"])
def test_255_characters_are_the_most_in_coc(key: str, tmp_path: Path) -> None:
    """Every text field of a custom event."""
    assert one(tmp_path, target="coc-events", **{key: "ä" * 255})
    assert refused(tmp_path, target="coc-events", **{key: "ä" * 256}) == ("S060", '"' + "\\u00e4" * 256 + '"')


@pytest.mark.parametrize("key", ["id", "name", "region"])
def test_255_characters_are_the_most_for_a_coc_resource(key: str, tmp_path: Path) -> None:
    """Provider and type are not sent there, so they have no bound."""
    about = {"provider": "p" * 300, "type": "t", "id": "i"}
    assert one(tmp_path, target="coc-events", resource=about)
    assert refused(tmp_path, target="coc-events", resource={**about, key: "x" * 256})[0] == "S060"


@pytest.mark.parametrize("key", ["name", "message"])
def test_required_texts_are_not_empty(key: str, tmp_path: Path) -> None:
    """Both kinds of target need at least one character."""
    assert refused(tmp_path, **{key: ""}) == ("S023", '""')
    assert refused(tmp_path, target="coc-events", **{key: ""}) == ("S023", '""')
    assert refused(tmp_path, target="coc-events", source="") == ("S023", '""')
