"""`${…}`: variables and their order, the environment, credentials, secrets, escapes."""

from __future__ import annotations

from pathlib import Path

import pytest

from reconcile.errors import CommandLineWrong
from reconcile.model.template import fill, put_at
from tests.specs.writing import TARGETS, alarm, config, load, marked, only, problems, put, task


def message(folder: Path, text: str, **given: object) -> str:
    """What a message becomes."""
    return str(load(folder, {"alarms": {"a": alarm(message=text)}}, **given).declared["alarm.a"].content["message"])  # type: ignore[arg-type]


def test_variables_come_from_four_places_the_later_wins(tmp_path: Path) -> None:
    """Config, `RECONCILE_VAR_X`, `--var-file` in order, `--var`."""
    put(tmp_path, {"/reconcile.yaml": "variables: {a: config, b: config, c: config, d: config, e: config}" + TARGETS})
    put(tmp_path, {"/one.yaml": "{c: one, d: one}", "/two.yaml": "{d: two, e: two}"})
    environ = {"RECONCILE_VAR_b": "env", "RECONCILE_VAR_c": "env", "RECONCILE_VAR_new": "env"}
    given = {"var": ["e=flag=x"], "var_files": [Path("one.yaml"), Path("two.yaml")], "environ": environ}
    assert (
        message(tmp_path, "${var.a} ${var.b} ${var.c} ${var.d} ${var.e} ${var.new}", **given) == "config env one two flag=x env"
    )


def test_without_a_config_variables_are_still_known(tmp_path: Path) -> None:
    """`--var` needs no file."""
    assert config(tmp_path, var=["x=1"]).variables == {"x": "1"}


@pytest.mark.parametrize("text", ["x", "=1", "a b=1", "1x=2"])
def test_a_malformed_var_is_a_wrong_command_line(text: str, tmp_path: Path) -> None:
    """Exit code 64, not a problem of the specs."""
    with pytest.raises(CommandLineWrong):
        config(tmp_path, var=[text])


def test_an_undefined_variable_is_told_where_it_stands_with_the_closest(tmp_path: Path) -> None:
    """The caret is under the reference, not under the whole text."""
    found = problems(tmp_path, {"alarms": {"a": alarm(message="in ${var.regoin} and ${var.zone}")}}, var=["region=r"])
    assert [(p.code, marked(p), p.hint) for p in found] == [
        ("S042", "${var.regoin}", "did you mean `region`?"),
        ("S042", "${var.zone}", "give it with `--var zone=…` or under `variables:` in the config"),
    ]


def test_the_environment_fills_texts_and_must_be_set(tmp_path: Path) -> None:
    """Empty is set; unset is an error."""
    assert message(tmp_path, "[${env.A}][${env.B}]", environ={"A": "x", "B": ""}) == "[x][]"
    assert only(problems(tmp_path, {"alarms": {"a": alarm(message="${env.C}")}}, environ={"A": "x"})).code == "S043"


@pytest.mark.parametrize(
    "name",
    [
        "HUAWEICLOUD_SDK_AK",
        "HUAWEICLOUD_SDK_SK",
        "HW_SECRET_KEY",
        "HW_AUTH_TOKEN",
        "HW_USER_PASSWORD",
        "MY_TOKEN_2",
        "DB_PASSWORD",
        "A_SECRET_B",
        "COC_INTEGRATION_KEY",
        "github_token",
    ],
)
def test_the_environment_gives_no_credentials_to_specs(name: str, tmp_path: Path) -> None:
    """By name; the hint names the way that keeps it out of the state."""
    problem = only(problems(tmp_path, {"alarms": {"a": alarm(message=f"${{env.{name}}}")}}, environ={name: "hunter2"}))
    assert problem.code == "S044" and "secret.env" in str(problem.hint) and "hunter2" not in repr(problem)


def test_what_the_config_uses_as_credential_is_one(tmp_path: Path) -> None:
    """A variable named under `auth:` or as integration key is refused whatever its name."""
    targets = """
targets:
  aom: {type: aom, auth: {type: token, token_env: OTHER}}
  e: {type: coc-events, integration_key: "${env.LETTERS}"}
"""
    for name in ("OTHER", "LETTERS"):
        spec = {"alarms": {"a": alarm(message=f"${{env.{name}}}")}}
        assert only(problems(tmp_path, spec, targets=targets, environ={name: "x"})).code == "S044"


def test_a_doubled_dollar_is_a_literal_brace(tmp_path: Path) -> None:
    """`$${` writes `${`; other dollars stay."""
    assert message(tmp_path, "$${var.x} costs $5 and $$ {x}") == "${var.x} costs $5 and $$ {x}"


def test_what_is_filled_in_is_never_read_again(tmp_path: Path) -> None:
    """A value that looks like a reference is text, wherever it comes from."""
    environ = {"A": "${env.B} $${x}", "B": "leak"}
    assert message(tmp_path, "${env.A}|${var.v}", environ=environ, var=["v=${env.B}"]) == "${env.B} $${x}|${env.B}"
    spec = {"alarms": {"a": {**alarm(message="${each.value}"), "for_each": {"k": "$${env.B} ${var.v}"}}}}
    declared = load(tmp_path, spec, environ=environ, var=["v=${env.B}"]).declared['alarm.a["k"]']
    assert declared.content["message"] == "${env.B} ${env.B}"
    assert declared.secrets == {}


def test_a_value_that_is_not_utf_8_is_refused(tmp_path: Path) -> None:
    """The state and the wire hold UTF-8 only."""
    assert only(problems(tmp_path, {"alarms": {"a": alarm(message="${env.A}")}}, environ={"A": "\udcff"})).code == "S043"


@pytest.mark.parametrize("text", ["${", "${var.x", "${}", "${x}", "${var.}", "${vars.x}", "${each}", "${secret.X}"])
def test_a_malformed_reference_is_refused(text: str, tmp_path: Path) -> None:
    """With what may stand there."""
    assert only(problems(tmp_path, {"alarms": {"a": alarm(message=text)}}, var=["x=1"])).code == "S041"


def test_keys_are_not_filled(tmp_path: Path) -> None:
    """A reference in a key is a mistake that would otherwise go unseen."""
    assert only(problems(tmp_path, {"alarms": {"a": alarm(metadata={"${var.x}": "v"})}}, var=["x=1"])).code == "S041"


def test_a_reference_may_stand_in_any_text_value(tmp_path: Path) -> None:
    """Target, severity, timeout and nested texts alike."""
    body = alarm(target="${var.t}", severity="${var.s}", timeout="${var.d}", annotations={"x": "${var.t}"})
    spec = {"alarms": {"a": body}}
    content = load(tmp_path, spec, var=["t=legacy", "s=Minor", "d=2h"]).declared["alarm.a"].content
    assert (content["target"], content["severity"], content["timeout"]) == ("legacy", "Minor", 7_200_000)
    assert content["annotations"] == {"x": "legacy"}


def test_a_number_filled_in_stays_text(tmp_path: Path) -> None:
    """Variables are texts: `${var.n}` is never a number."""
    assert load(tmp_path, {"alarms": {"a": alarm(metadata={"n": "${var.n}"})}}, var=["n=12"]).declared["alarm.a"].content[
        "metadata"
    ] == {"n": "12"}


def test_a_secret_stays_a_template(tmp_path: Path) -> None:
    """In annotations, additional, input_param and instance strings; its value is not even looked at."""
    instances = [
        {"target_selection": "MANUAL", "order_no": 0, "target_instances": {"batches": [{"agentSn": "${secret.env.SN}"}]}}
    ]
    script = {"execute_user": "root", "script_params": [{"paramName": "p.w", "paramValue": "x$${y} ${secret.env.PW} ${var.v}"}]}
    spec = {
        "alarms": {
            "a": alarm(annotations={"hook.url": "https://h/${secret.env.HOOK}"}),
            "c": alarm(target="coc-events", additional={"deep": [{"t": "${secret.env.T}"}]}),
        },
        "handlings": {"h": task(input_param=script, target_instances=instances)},
    }
    environ = {"HOOK": "hunter2", "PW": "hunter2", "SN": "hunter2", "T": "hunter2"}
    desired = load(tmp_path, spec, var=["v=a${b}"], environ=environ)
    secrets = {address: dict(one.secrets) for address, one in desired.declared.items()}
    assert secrets == {
        "alarm.a": {'annotations["hook.url"]': "https://h/${secret.env.HOOK}"},
        "alarm.c": {"additional.deep[0].t": "${secret.env.T}"},
        "handling.h": {
            "input_param.script_params[0].paramValue": "x$${y} ${secret.env.PW} a$${b}",
            "target_instances[0].target_instances.batches[0].agentSn": "${secret.env.SN}",
        },
    }
    assert "hunter2" not in repr(desired)
    handling = desired.declared["handling.h"]
    for path, template in handling.secrets.items():
        content = put_at(handling.content, path, fill(template, lambda reference: f"<{reference.name}>"))
        assert f"<{'SN' if 'agentSn' in path else 'PW'}>" in repr(content)
    assert fill(handling.secrets["input_param.script_params[0].paramValue"], lambda _: "S") == "x${y} S a${b}"


@pytest.mark.parametrize(
    "change",
    [
        {"message": "${secret.env.X}"},
        {"name": "${secret.env.X}"},
        {"metadata": {"x": "${secret.env.X}"}},
        {"url": "${secret.env.X}"},
        {"attach_rule": {"x": "${secret.env.X}"}},
    ],
)
def test_a_secret_stands_nowhere_else(change: dict[str, object], tmp_path: Path) -> None:
    """Not in what identifies, stamps or shows an alarm."""
    assert only(problems(tmp_path, {"alarms": {"a": alarm(**change)}})).code == "S045"


def test_a_secret_cannot_travel_through_for_each(tmp_path: Path) -> None:
    """The keys and values of a `for_each` are shown in addresses and texts."""
    spec = {"alarms": {"a": {**alarm(), "for_each": {"k": "${secret.env.X}"}}}}
    assert only(problems(tmp_path, spec)).code == "S045"


def test_a_dollar_right_before_a_secret_is_refused(tmp_path: Path) -> None:
    """It would turn the reference into a literal when the template is read again."""
    spec = {"alarms": {"a": alarm(annotations={"x": "${var.d}${secret.env.X}"})}}
    assert only(problems(tmp_path, spec, var=["d=$"])).code == "S041"


def test_escapes_in_double_quotes_spell_references_too(tmp_path: Path) -> None:
    r"""`"\u0024{var.x}"` is the text `${var.x}` like any other spelling of it."""
    spec = 'alarms: {a: {severity: Info, resource: {provider: p, type: t, id: i}, message: "\\u0024{var.x}"}}'
    assert load(tmp_path, spec, var=["x=1"]).declared["alarm.a"].content["message"] == "1"
