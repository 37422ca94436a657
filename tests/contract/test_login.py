"""Contract section 3: every way to log in, redirects, plain http, and what a config may not hold."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from huaweicloudsdkcore.auth.credentials import BasicCredentials
from huaweicloudsdkcore.sdk_request import SdkRequest
from huaweicloudsdkcore.signer.signer import Signer

from tests.contract.cloud import PROJECT, Cloud, Reply, Seen
from tests.contract.conftest import TOKEN, Project

AK, SK = "AKEXAMPLE00000000000", "SKEXAMPLE0000000000000000000000000000000"


def signature_of(seen: Seen, host: str, ak: str, sk: str) -> str:
    """What the vendor's own signer makes of the headers that were signed."""
    authorization = str(seen.header("Authorization"))
    names = re.search(r"SignedHeaders=([^,]+)", authorization)
    assert names is not None and "host" in names[1] and "x-sdk-date" in names[1]
    headers = {name: str(seen.header(name)) for name in names[1].split(";")}
    query = [tuple(pair.split("=", 1)) for pair in seen.query.split("&") if pair]
    request = SdkRequest(
        method=seen.method,
        schema="http",
        host=host,
        resource_path=seen.path,
        uri=seen.path,
        query_params=query,
        header_params=dict(headers),
        body=seen.raw.decode() or None,
    )
    signed = Signer(BasicCredentials(ak, sk, PROJECT)).sign(request)
    return str(signed.header_params["Authorization"])


@pytest.mark.parametrize("names", ["HUAWEICLOUD_SDK_AK HUAWEICLOUD_SDK_SK HUAWEICLOUD_SDK_SECURITY_TOKEN",
                                   "HW_ACCESS_KEY HW_SECRET_KEY HW_SECURITY_TOKEN"])  # fmt: skip
def test_requests_are_signed_as_the_vendors_signer_does(project: Project, cloud: Cloud, names: str) -> None:
    """Push and list, with a temporary key's security token and the project; the first names win over the token."""
    env = dict(zip(names.split(), (AK, SK, "tmp/tok+en=="), strict=True))
    project.alarms("a")
    ran = project.apply("-v", env=env)
    host = cloud.url.removeprefix("http://")
    for seen in (*cloud.pushes, *cloud.lists):
        assert seen.header("X-Auth-Token") is None and seen.header("X-Security-Token") == "tmp/tok+en=="
        assert seen.header("X-Project-Id") == PROJECT and f"Access={AK}," in str(seen.header("Authorization"))
        assert signature_of(seen, host, AK, SK) == seen.header("Authorization")
    for secret in (SK, "tmp/tok+en=="):
        assert secret.encode() not in project.everything() and secret not in ran.out + ran.err


def test_the_credentials_file_comes_last(project: Project, cloud: Cloud) -> None:
    """`~/.huaweicloud/credentials`, section [basic]; a token in the environment goes before it."""
    folder = project.root / ".huaweicloud"
    folder.mkdir()
    (folder / "credentials").write_text(f"[basic]\nak = {AK}\nsk = {SK}\nproject_id = {PROJECT}\n")
    project.alarms("a")
    project.apply()
    assert cloud.pushes[0].header("X-Auth-Token") == TOKEN
    project.alarms("a", message="b")
    assert project.run("apply", "--auto-approve", token=None).code == 0
    assert f"Access={AK}," in str(cloud.pushes[1].header("Authorization"))


def test_a_password_is_turned_into_a_token_once_a_run_and_again_after_a_401(project: Project, cloud: Cloud) -> None:
    """POST /auth/tokens with the project's scope; the token is in no file."""
    tokens = ["first-token-aaaaaaaaaaaa", "second-token-bbbbbbbbbbbb"]
    given: list[Seen] = []

    def iam(seen: Seen) -> Reply | None:
        if seen.path != "/v3/auth/tokens":
            return None
        given.append(seen)
        body = {"token": {"expires_at": "2099-01-01T00:00:00.000000Z", "project": {"id": PROJECT}}}
        return Reply(201, body, {"X-Subject-Token": tokens[min(len(given), 2) - 1]})

    cloud.before, cloud.token = iam, tokens[1]
    env = {"HW_USER_NAME": "ann", "HW_USER_PASSWORD": "p-4ssw0rd!", "HW_DOMAIN_NAME": "acme", "HW_AUTH_URL": cloud.url + "/v3"}
    project.alarms("a", "b")
    ran = project.run("apply", "--auto-approve", "-v", env=env, token=None)
    assert ran.code == 0, (ran.out, ran.err)
    assert len(given) == 2 and cloud.active()
    auth = given[0].body["auth"]
    assert auth["identity"]["password"]["user"] == {"name": "ann", "password": "p-4ssw0rd!", "domain": {"name": "acme"}}
    assert auth["scope"] == {"project": {"id": PROJECT}} and auth["identity"]["methods"] == ["password"]
    for secret in ("p-4ssw0rd!", *tokens):
        assert secret.encode() not in project.everything() and secret not in ran.out + ran.err


def test_auth_may_pin_one_way_and_name_its_variables(project: Project, cloud: Cloud) -> None:
    """Keys are set, too, and not used."""
    project.config(aom="auth: {type: token, token_env: OTHER_TOKEN}")
    project.alarms("a")
    env = {"OTHER_TOKEN": "another-token-123456", "HUAWEICLOUD_SDK_AK": AK, "HUAWEICLOUD_SDK_SK": SK}
    project.apply(env=env)
    assert {seen.header("X-Auth-Token") for seen in cloud.seen} == {"another-token-123456"}
    assert project.run("apply", "--auto-approve", "--refresh").code in (1, 10)


def test_a_plan_needs_no_credentials_and_an_apply_without_sends_nothing(project: Project, cloud: Cloud) -> None:
    """`${env.X}` of a target is resolved when it is first used: exit 10 names target and variable."""
    text = (project.root / "reconcile.yaml").read_text().replace(PROJECT, '"${env.NO_SUCH_PROJECT}"')
    (project.root / "reconcile.yaml").write_text(text)
    project.alarms("a")
    assert project.run("plan", token=None).code == 0
    ran = project.run("apply", "--auto-approve")
    assert ran.code == 10 and "NO_SUCH_PROJECT" in ran.err and "aom" in ran.err and cloud.seen == []


def test_a_redirect_is_never_followed(project: Project, cloud: Cloud) -> None:
    """The token would go to a stranger: it fails, and says where it was sent."""
    cloud.before = lambda seen: Reply(307, {}, {"Location": "http://127.0.0.1:1/steal"}) if "push" in seen.path else None
    project.alarms("a")
    ran = project.apply(code=1)
    assert "redirect" in (ran.out + ran.err).lower() and len(cloud.pushes) <= 5


def test_plain_http_is_for_loopback_only(project: Project) -> None:
    """Refused in the config, before anything is looked up."""
    text = (project.root / "reconcile.yaml").read_text()
    for host, code in (("http://aom.example.com", 10), ("http://10.0.0.1", 10), ("http://127.0.0.1.evil.example", 10)):
        (project.root / "reconcile.yaml").write_text(re.sub(r"http://127[^\"]*", host, text))
        assert project.run("validate").code == code, host
    for host in ("http://127.0.0.1:9", "http://localhost:9", "http://[::1]:9", "https://aom.example.com"):
        (project.root / "reconcile.yaml").write_text(re.sub(r"http://127[^\"]*", host, text))
        assert project.run("validate").code == 0, host


@pytest.mark.parametrize("line", ["integration_key: abcdefghijklmnopqrstuvwxyz012345", "auth: {type: token, token: abc}",
                                  "auth: {type: aksk, ak: x, sk: y}", "auth: {type: password, password: x}"])  # fmt: skip
def test_a_literal_credential_in_the_config_is_refused(project: Project, line: str) -> None:
    """Exit 10, with the place, and without the value."""
    kind = "coc-events" if "integration" in line else "aom"
    (project.root / "reconcile.yaml").write_text(f"version: 1\nstack: s\ntargets:\n  x:\n    type: {kind}\n    {line}\n")
    ran = project.run("validate")
    assert ran.code == 10 and "reconcile.yaml:6" in ran.err + ran.out and "abcdefghij" not in ran.err + ran.out


def test_the_error_names_the_clock_when_it_is_off(project: Project, cloud: Cloud) -> None:
    """A refusal whose Date is an hour away."""
    cloud.before = lambda seen: Reply(401, {"error_code": "APIGW.0301"})
    project.alarms("a")
    env = {"HUAWEICLOUD_SDK_AK": AK, "HUAWEICLOUD_SDK_SK": SK}
    ran = project.run("apply", "--auto-approve", env=env)
    assert ran.code == 1 and "APIGW.0301" in ran.out + ran.err and len(cloud.pushes) == 1


def test_a_report_of_what_the_tool_wrote_holds_no_token(project: Project, cloud: Cloud, tmp_path: Path) -> None:
    """State, journal, plan, output of a failing and a working run."""
    cloud.before = lambda seen: (
        Reply(500, {"error_code": "X", "error_msg": f"token {TOKEN} bad"}) if len(cloud.seen) < 2 else None
    )
    project.alarms("a")
    ran = project.run("apply", "--auto-approve", "-v")
    planned = project.run("plan", "--out", "p.json", "-v")
    assert TOKEN.encode() not in project.everything() and TOKEN not in ran.out + ran.err + planned.out + planned.err
    assert json.loads((tmp_path / "p.json").read_text())["format_version"] == "1.0"
