"""The config file: defaults, paths, variables, guards, targets, and what must not stand in it."""

from __future__ import annotations

from pathlib import Path

import pytest

from reconcile.model.config import DEFAULT_TARGETS, Config, Guards
from tests.specs.writing import TARGETS, alarm, config, config_problems, load, marked, only, put


def test_no_config_means_all_defaults_embedded(tmp_path: Path) -> None:
    """A fresh checkout works without an account."""
    found = config(tmp_path)
    assert found == Config(targets=DEFAULT_TARGETS)
    assert found.file is None and found.stack is None and all(target.embedded for target in found.targets.values())


def test_an_empty_config_means_the_defaults_too(tmp_path: Path) -> None:
    """But it has a name."""
    assert config(tmp_path, "# nothing\n") == Config(file="reconcile.yaml", targets=DEFAULT_TARGETS)


def test_every_key_of_the_config_arrives(tmp_path: Path) -> None:
    """As the contract writes it."""
    text = """
    version: 1
    stack: payments-${var.env}
    specs: specs
    state: state/default.json
    default_target: aom
    variables: {env: prod}
    guards: {max_clears: 30%, max_triggers: 20}
    targets:
      aom:
        type: aom
        endpoint: https://aom.cn-north-4.myhuaweicloud.com
        dialect: current
        project_id: ${env.HUAWEICLOUD_SDK_PROJECT_ID}
        stamp: true
        batch_size: 100
        concurrency: 8
        rate: 20/s
        clear_without_id: false
        ca_file: ca.pem
        proxy: http://127.0.0.1:3128
        request_timeout: 30s
        auth: {type: token, token_env: OTHER_TOKEN}
      coc-events:
        type: coc-events
        endpoint: https://coc.myhuaweicloud.com
        integration_key: "${env.COC_INTEGRATION_KEY}"
        application_id: app-1
        namespace: ${var.env}
        source: gitops
      coc: {type: coc, endpoint: embedded}
    """
    found = config(tmp_path, text)
    aom = found.targets["aom"]
    assert (found.stack, found.specs, found.state.path, found.default_target) == (
        "payments-prod",
        "specs",
        "state/default.json",
        "aom",
    )
    assert found.guards == Guards(max_clears_share=0.3, max_clears_count=None, max_triggers=20)
    assert (aom.project_id, aom.rate, aom.request_timeout) == ("${env.HUAWEICLOUD_SDK_PROJECT_ID}", 20.0, 30_000)
    assert aom.auth is not None and (aom.auth.type, aom.auth.token_env) == ("token", "OTHER_TOKEN")
    assert found.targets["coc-events"].integration_key == "${env.COC_INTEGRATION_KEY}"
    assert found.targets["coc-events"].namespace == "prod"


def test_the_environment_is_read_late_in_targets_and_at_once_elsewhere(tmp_path: Path) -> None:
    """So that a plan without credentials works; a literal `${` of a target stays escaped until then."""
    text = """
    stack: s-${env.NAME}
    variables: {v: "${env.NAME}"}
    targets: {aom: {type: aom, project_id: "${env.P}-${var.v}", region: "r$${x}"}}
    """
    found = config(tmp_path, text, environ={"NAME": "n"})
    assert (found.stack, found.variables) == ("s-n", {"v": "n"})
    assert (found.targets["aom"].project_id, found.targets["aom"].region) == ("${env.P}-n", "r$${x}")
    assert [(p.code, marked(p)) for p in config_problems(tmp_path, text)] == [("C043", "${env.NAME}"), ("C043", "${env.NAME}")]


@pytest.mark.parametrize(
    ("text", "code", "place"),
    [
        ("version: 2", "C070", "2"),
        ("version: '1'", "C070", "'1'"),
        ("version: true", "C070", "true"),
        ("stak: x", "C020", "stak"),
        ("stack: 7", "C022", "7"),
        ("stack: a b", "C077", "a b"),
        ("stack: ''", "C077", "''"),
        ("stack: ${var.x}", "C042", "${var.x}"),
        ("specs: []", "C021", "[]"),
        ("state: {backend: locl}", "C075", "locl"),
        ("state: {backend: local, pth: x}", "C020", "pth"),
        ("default_target: amo", "C076", "amo"),
        ("variables: {env: 3}", "C022", "3"),
        ("variables: {env: no, x: true}", "C022", "true"),
        ("variables: {x: null}", "C021", "null"),
        ("variables: [x]", "C021", "[x]"),
        ("variables: {x: '${var.y}', y: z}", "C041", "'${var.y}'"),
        ("variables: {x: '${env.HW_SECRET_KEY}'}", "C044", "${env.HW_SECRET_KEY}"),
        ("guards: {max_clears: 130%}", "C073", "130%"),
        ("guards: {max_clears: some}", "C073", "some"),
        ("guards: {max_clears: true}", "C073", "true"),
        ("guards: {max_triggers: -1}", "C073", "-1"),
        ("guards: {max_clear: 3}", "C020", "max_clear"),
        ("targets: [aom]", "C021", "[aom]"),
        ("targets: {aom: }", "C021", "aom"),
        ("targets: {-x: {type: aom}}", "C025", "-x"),
        ("targets: {aom: {}}", "C023", "aom"),
        ("targets: {aom: {type: amo}}", "C024", "amo"),
        ("targets: {aom: {type: aom, dialekt: legacy}}", "C020", "dialekt"),
        ("targets: {aom: {type: aom, dialect: legcy}}", "C024", "legcy"),
        ("targets: {aom: {type: aom, method: POST}}", "C030", "POST"),
        ("targets: {aom: {type: aom, rate: 20}}", "C074", "20"),
        ("targets: {aom: {type: aom, rate: 20/m}}", "C074", "20/m"),
        ("targets: {aom: {type: aom, rate: 0/s}}", "C074", "0/s"),
        ("targets: {aom: {type: aom, request_timeout: soon}}", "C028", "soon"),
        ("targets: {aom: {type: aom, batch_size: 0}}", "C027", "0"),
        ("targets: {aom: {type: aom, stamp: yes}}", "C021", "yes"),
        ("targets: {aom: {type: aom, namespace: x}}", "C030", "namespace"),
        ("targets: {coc: {type: coc, dialect: legacy}}", "C030", "dialect"),
        ("targets: {aom: {type: aom, auth: {type: tokn}}}", "C024", "tokn"),
        ("targets: {aom: {type: aom, project_id: 12}}", "C022", "12"),
        ("targets: {aom: {type: aom, project_id: '${secret.env.X}'}}", "C045", "${secret.env.X}"),
        ("targets: {e: {type: coc-events, endpoint: https://coc.myhuaweicloud.com}}", "C023", "e"),
        ("- a", "C021", "- a"),
        ("a: [", "C005", ""),
        ("version: 1\nversion: 1", "C006", "version"),
        ("version: 1\n---\nversion: 1", "C021", "version: 1"),
    ],
)
def test_a_wrong_config_is_told_with_its_code_and_place(text: str, code: str, place: str, tmp_path: Path) -> None:
    """One sentence of the contract each."""
    problem = only(config_problems(tmp_path, text))
    assert (problem.code, problem.file) == (code, "reconcile.yaml")
    assert marked(problem) == place or not place


@pytest.mark.parametrize(
    ("body", "place"),
    [
        ("integration_key: abcdef", "abcdef"),
        ("integration_key: 12345678", "12345678"),
        ("integration_key: 'x${env.K}'", "'x${env.K}'"),
        ("integration_key: '${var.k}'", "'${var.k}'"),
        ("proxy: http://user:pw@proxy:3128", "http://user:pw@proxy:3128"),
    ],
)
def test_a_literal_credential_is_refused(body: str, place: str, tmp_path: Path) -> None:
    """Credentials never stand in the config; a variable is no way round it; the shown line is without them."""
    text = "targets: {e: {type: coc-events, " + body + "}}\nvariables: {k: v}\n"
    problem = next(p for p in config_problems(tmp_path, text) if p.code == "C071")
    assert marked(problem) == "*" * len(place) and "env" in str(problem.hint)
    assert place not in str(problem.line_text)


@pytest.mark.parametrize("key", ["token", "ak", "sk", "password", "access_key", "secret_key", "security_token", "auth_token"])
def test_a_literal_under_any_name_of_a_credential_is_refused(key: str, tmp_path: Path) -> None:
    """On a target, under `auth:` and in a state backend; its value is in no message."""
    for text in (
        "targets: {aom: {type: aom, %s: hunter2}}",
        "targets: {aom: {type: aom, auth: {type: token, %s: hunter2}}}",
        "state: {backend: http, address: https://h, %s: hunter2}",
    ):
        found = config_problems(tmp_path, text % key)
        assert "C071" in {p.code for p in found}
        assert all("hunter2" not in p.what + str(p.hint) for p in found)


def test_a_state_backend_may_name_its_secrets(tmp_path: Path) -> None:
    """Variables are filled, the environment is left for the moment of use."""
    text = "state: {backend: http, address: 'https://h/${var.x}', password: '${env.PW}', retries: 3}\nvariables: {x: y}\n"
    state = config(tmp_path, text).state
    assert (state.backend, state.options) == ("http", {"address": "https://h/y", "password": "${env.PW}", "retries": 3})
    for url in ("https://u:p@h/", "postgres://u:p@h/db"):
        assert "C071" in {p.code for p in config_problems(tmp_path, f"state: {{backend: http, address: '{url}'}}")}
    assert config(tmp_path, "state: {backend: postgres, dsn: 'postgres://${env.U}:${env.P}@h/db'}").state.options


@pytest.mark.parametrize(
    "endpoint",
    [
        "embedded",
        "https://aom.cn-north-4.myhuaweicloud.com",
        "https://aom.example:8443/base",
        "http://127.0.0.1:8080",
        "http://127.1.2.3",
        "http://localhost:1",
        "http://[::1]:8080",
        "https://${env.HOST}",
    ],
)
def test_endpoints_that_are_fine(endpoint: str, tmp_path: Path) -> None:
    """http only to this machine; what `${env.X}` completes is checked when it is used."""
    text = "targets: {aom: {type: aom, endpoint: '" + endpoint + "'}}"
    assert config(tmp_path, text).targets["aom"].endpoint == endpoint


@pytest.mark.parametrize(
    "endpoint",
    [
        "http://aom.example.com",
        "http://127.0.0.1.example.com",
        "http://localhost.example.com",
        "http://10.0.0.1",
        "ftp://x",
        "aom.example.com",
        "https://",
        "https://a b",
        "https://h:99999",
        "https://h?x=1",
        "embeded",
        "//h",
    ],
)
def test_endpoints_that_are_refused(endpoint: str, tmp_path: Path) -> None:
    """Nothing is sent in the clear, nothing is guessed."""
    problem = only(config_problems(tmp_path, f"targets: {{aom: {{type: aom, endpoint: '{endpoint}'}}}}"))
    assert (problem.code, marked(problem)) == ("C072", f"'{endpoint}'")


@pytest.mark.parametrize(
    ("text", "guards"),
    [
        ("{max_clears: 0%}", Guards(max_clears_share=0.0)),
        ("{max_clears: 12.5%}", Guards(max_clears_share=0.125)),
        ("{max_clears: 40}", Guards(max_clears_share=None, max_clears_count=40)),
        ("{max_triggers: 0}", Guards(max_triggers=0)),
        ("{}", Guards()),
    ],
)
def test_guards_are_a_share_or_a_count(text: str, guards: Guards, tmp_path: Path) -> None:
    """30 % and 20 by default."""
    assert config(tmp_path, f"guards: {text}").guards == guards


def test_paths_are_seen_from_the_folder_of_the_config(tmp_path: Path) -> None:
    """Whichever directory the tool is started in."""
    put(
        tmp_path,
        {"/env/prod.yaml": "specs: rules\nstate: s/prod.json\n" + TARGETS, "/env/rules/a.yaml": {"alarms": {"a": alarm()}}},
    )
    found = config(tmp_path, file=Path("env/prod.yaml"))
    assert (found.file, found.specs, found.state.path) == ("env/prod.yaml", "env/rules", "env/s/prod.json")
    assert load(tmp_path, file=Path("env/prod.yaml")).declared["alarm.a"].source.file == "env/rules/a.yaml"
    below = tmp_path / "below"
    below.mkdir()
    found = config(below, file=tmp_path / "env" / "prod.yaml")
    assert Path(found.specs) == tmp_path / "env" / "rules"
    assert below / found.state.path == tmp_path / "env" / "s" / "prod.json"


def test_a_config_that_is_named_must_exist(tmp_path: Path) -> None:
    """`--config` and `--var-file` name files, not wishes."""
    assert only(config_problems(tmp_path, "", file=Path("no.yaml"))).code == "C001"
    assert only(config_problems(tmp_path, "", var_files=[Path("no.yaml")])).file == "no.yaml"


def test_a_variable_file_is_checked_like_any_other(tmp_path: Path) -> None:
    """Texts by name; everything wrong at once, with its place."""
    put(tmp_path, {"/v.yaml": "a: 1\nb: {c: d}\n'x y': z\nok: fine\n", "/w.yaml": "[1]\n"})
    found = config_problems(tmp_path, "version: 2", var_files=[Path("v.yaml"), Path("w.yaml")])
    assert [(p.file, p.line, p.code) for p in found] == [
        ("reconcile.yaml", 1, "C070"),
        ("v.yaml", 1, "C022"),
        ("v.yaml", 2, "C021"),
        ("v.yaml", 3, "C025"),
        ("w.yaml", 1, "C021"),
    ]
