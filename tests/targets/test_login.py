"""Logging in: which credentials are chosen, what they put on the wire, and the one resend after a 401."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import pytest

from reconcile.errors import Effect, SecretMissing, TargetError
from reconcile.model.config import Auth
from reconcile.targets.credentials import KeyChoice, PasswordChoice, TokenChoice, choose
from reconcile.targets.http.login import Lease, Leased
from tests.targets.opening import PROJECT, aom, coc, coc_events, opened
from tests.targets.server import Reply, Seen, Server, SteppingClock, run
from tests.targets.test_faults import ALM, DOUBTFUL, HANDLING, STARTED

SDK = {"HUAWEICLOUD_SDK_AK": "AKSDK00000000000", "HUAWEICLOUD_SDK_SK": "SKSDK-secret-0000"}
HW = {"HW_ACCESS_KEY": "AKHW000000000000", "HW_SECRET_KEY": "SKHW-secret-0000"}
TOKEN = {"HW_AUTH_TOKEN": "ready-made-token"}
PASSWORD = {"HW_USER_NAME": "bot", "HW_USER_PASSWORD": "pass-word-0000", "HW_DOMAIN_NAME": "acme"}
EVENTS = Reply(json={"events": []})


def day(hours: float = 24) -> str:
    return datetime.fromtimestamp(1_795_161_600 + hours * 3600, UTC).isoformat().replace("+00:00", "Z")


# -- the choice ------------------------------------------------------------------------------------------------------


def test_the_order_is_that_of_the_contract(tmp_path: Path) -> None:
    """Take away the first, and the next is used."""
    write_file(tmp_path, "[basic]\nak = AKFILE\nsk = SKFILE-secret\n")
    environ: dict[str, str] = {**SDK, **HW, **TOKEN, **PASSWORD, "HOME": str(tmp_path)}
    sources = []
    for layer in (SDK, HW, TOKEN, PASSWORD, {"HOME": ""}):
        sources.append(choose(None, environ, target="aom", kind="aom").source)
        environ = {name: value for name, value in environ.items() if name not in layer}
    assert sources == [
        "HUAWEICLOUD_SDK_AK + HUAWEICLOUD_SDK_SK",
        "HW_ACCESS_KEY + HW_SECRET_KEY",
        "HW_AUTH_TOKEN",
        "HW_USER_NAME + HW_USER_PASSWORD + HW_DOMAIN_NAME",
        "~/.huaweicloud/credentials [basic]",
    ]
    with pytest.raises(SecretMissing, match="target `aom` has no credentials"):
        choose(None, environ, target="aom", kind="aom")


def write_file(home: Path, text: str) -> None:
    (home / ".huaweicloud").mkdir()
    (home / ".huaweicloud/credentials").write_text(text)


@pytest.mark.parametrize(("kind", "section"), [("aom", "basic"), ("coc", "global")])
def test_the_credentials_file_has_a_section_for_each_kind(tmp_path: Path, kind: Any, section: str) -> None:
    """[basic] for projects, [global] for COC; a percent sign is no interpolation."""
    write_file(tmp_path, "[basic]\nak=b\nsk=b%s\nproject_id=p1\n[global]\nak=g\nsk=g%s\ndomain_id=d1\n")
    choice = choose(None, {"HOME": str(tmp_path)}, target="t", kind=kind)
    assert isinstance(choice, KeyChoice)
    assert (choice.keys.ak, choice.keys.sk) == (section[0], f"{section[0]}%s")
    assert (choice.project_id, choice.domain_id) == (("p1", None) if kind == "aom" else (None, "d1"))


def test_a_broken_credentials_file_is_named_without_its_text(tmp_path: Path) -> None:
    """A parse error would quote the line, and the line holds a secret."""
    write_file(tmp_path, "sk = hunter2-secret\n")
    with pytest.raises(SecretMissing, match="cannot be read") as caught:
        choose(None, {"HOME": str(tmp_path)}, target="t", kind="aom")
    assert caught.value.__cause__ is None
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize("missing", [*SDK, *HW])
def test_half_a_pair_is_an_error_and_no_reason_to_look_further(missing: str) -> None:
    """Falling through would silently use another identity."""
    pair = SDK if missing in SDK else HW
    environ = {name: value for name, value in {**pair, **TOKEN}.items() if name != missing}
    with pytest.raises(SecretMissing, match=missing):
        choose(None, environ, target="aom", kind="aom")


def test_a_target_may_pin_a_way_and_name_its_variables() -> None:
    """`auth:` goes before everything else that is set."""
    environ = {**SDK, "OTHER_TOKEN": "other", "MY_USER": "u", "HW_USER_PASSWORD": "p", "HW_DOMAIN_NAME": "d"}
    token = choose(Auth(type="token", token_env="OTHER_TOKEN"), environ, target="t", kind="aom")
    assert isinstance(token, TokenChoice) and token.token == "other"
    password = choose(Auth(type="password", user_env="MY_USER"), environ, target="t", kind="aom")
    assert isinstance(password, PasswordChoice) and (password.user, password.domain) == ("u", "d")
    keys = choose(Auth(type="aksk", ak_env="MY_USER", sk_env="OTHER_TOKEN"), environ, target="t", kind="aom")
    assert isinstance(keys, KeyChoice) and (keys.keys.ak, keys.keys.sk) == ("u", "other")
    with pytest.raises(SecretMissing, match="HW_AUTH_TOKEN"):
        choose(Auth(type="token"), environ, target="t", kind="aom")


def test_the_agency_is_only_used_when_asked_for() -> None:
    """A laptop must not wait for a link-local address."""
    assert choose(Auth(type="agency"), {}, target="t", kind="aom").type == "agency"
    with pytest.raises(SecretMissing):
        choose(None, {}, target="t", kind="aom")


def test_custom_events_need_no_credentials_beside_the_key() -> None:
    """The integration key is the credential."""
    assert choose(None, {}, target="t", kind="coc-events").type == "none"


def test_a_credential_with_a_line_end_is_refused_by_name() -> None:
    """It would break the header, and an error of the library would quote it."""
    with pytest.raises(SecretMissing, match="HW_AUTH_TOKEN") as caught:
        choose(None, {"HW_AUTH_TOKEN": "secret-token\n"}, target="t", kind="aom")
    assert "secret-token" not in str(caught.value)


def test_no_choice_shows_its_secret() -> None:
    """Reprs end up in tracebacks."""
    for environ in (SDK, HW, TOKEN, PASSWORD):
        shown = repr(choose(None, environ, target="t", kind="aom"))
        assert "secret" not in shown and "ready-made" not in shown and "pass-word" not in shown


# -- on the wire -----------------------------------------------------------------------------------------------------


class Cloud:
    """IAM and the APIs on one port, as far as a log-in needs them."""

    def __init__(self, *, valid: int = 1, life_hours: float = 24, projects: int = 1, project: str | None = PROJECT) -> None:
        self.tokens = 0
        self.valid_from = valid
        self._life = life_hours
        self._projects = projects
        self._project = project

    def __call__(self, seen: Seen) -> Reply:
        if seen.path == "/v3/auth/tokens":
            self.tokens += 1
            token: dict[str, Any] = {"expires_at": day(self._life)}
            if self._project:
                token["project"] = {"id": self._project, "name": "cn-north-4"}
            return Reply(201, json={"token": token}, headers={"X-Subject-Token": f"token-{self.tokens}"})
        if seen.path == "/v3/projects":
            return Reply(json={"projects": [{"id": f"{n}" * 32} for n in range(1, self._projects + 1)]})
        token_number = int(seen.headers.get("x-auth-token", "token-999").removeprefix("token-"))
        if token_number < self.valid_from:
            return Reply(401, json={"error_code": "AOM.0401", "error_msg": "token expired"})
        return STARTED if "auto-process" in seen.path else EVENTS


def listed(
    cloud: Any, environ: Mapping[str, str], *, times: int = 1, clock: SteppingClock | None = None, **changes: Any
) -> Server:
    """List so many times, and return the server with what it saw."""

    async def scenario() -> Server:
        async with Server(cloud) as server:
            full = {"HW_AUTH_URL": server.url + "/v3", **environ}
            async with opened(aom(server.url, **changes), environ=full, clock=clock) as targets:
                for _ in range(times):
                    await targets.alarms["aom"].active(since=0)
                    if clock is not None:
                        await clock.sleep(3600)
        return server

    found: Server = run(scenario())
    return found


def paths(server: Server) -> list[str]:
    return [seen.path for seen in server.seen]


def test_a_password_is_traded_for_a_token_once_a_run() -> None:
    """The scope is the project; two targets and many requests share the token."""
    server = listed(Cloud(), PASSWORD, times=3)
    assert paths(server).count("/v3/auth/tokens") == 1
    asked = server.seen[0]
    assert asked.query == {"nocatalog": "1"}
    assert asked.json == {
        "auth": {
            "identity": {
                "methods": ["password"],
                "password": {"user": {"name": "bot", "password": "pass-word-0000", "domain": {"name": "acme"}}},
            },
            "scope": {"project": {"id": PROJECT}},
        }
    }
    assert {seen.headers.get("x-auth-token") for seen in server.seen[1:]} == {"token-1"}


@pytest.mark.parametrize(
    ("environ", "scope"),
    [
        ({"HW_PROJECT_NAME": "cn-north-4_team"}, {"project": {"name": "cn-north-4_team"}}),
        ({"HW_REGION_NAME": "cn-north-4"}, {"project": {"name": "cn-north-4"}}),
    ],
)
def test_the_scope_may_be_a_projects_name_or_the_region(environ: dict[str, str], scope: Any) -> None:
    """IAM answers with the id, so that it need not be looked up."""
    server = listed(Cloud(), {**PASSWORD, **environ}, project_id=None)
    assert server.seen[0].json["auth"]["scope"] == scope
    assert paths(server) == ["/v3/auth/tokens", f"/v2/{PROJECT}/events"]


def test_a_token_is_renewed_before_it_ends() -> None:
    """Nine tenths of its life: with ten hours, the tenth request of an hourly run."""
    server = listed(Cloud(life_hours=10), PASSWORD, times=10, clock=SteppingClock())
    assert paths(server).count("/v3/auth/tokens") == 2
    assert [seen.headers.get("x-auth-token") for seen in server.seen if "/v2/" in seen.path] == ["token-1"] * 9 + ["token-2"]


def test_a_refused_token_is_replaced_once_and_the_request_resent() -> None:
    """A 401 executed nothing."""
    server = listed(Cloud(valid=2), PASSWORD)
    assert paths(server) == ["/v3/auth/tokens", f"/v2/{PROJECT}/events", "/v3/auth/tokens", f"/v2/{PROJECT}/events"]


def test_a_trigger_is_resent_once_after_a_401_with_a_fresh_token() -> None:
    """Contract section 6; a second 401 ends it."""

    async def scenario(valid: int) -> tuple[list[str], Any]:
        async with Server(Cloud(valid=valid)) as server:
            environ = {**PASSWORD, "HW_AUTH_URL": server.url + "/v3"}
            async with opened(coc(server.url, project_id=PROJECT), environ=environ) as targets:
                try:
                    outcome: Any = await targets.tasks["coc"].trigger(ALM, HANDLING)
                except TargetError as error:
                    outcome = error.effect
            return [seen.path.rpartition("/")[2] for seen in server.seen], outcome

    resent = ["tokens", "auto-process", "tokens", "auto-process"]
    assert run(scenario(2)) == (resent, "SCR1")
    assert run(scenario(9)) == (resent, Effect.REFUSED)


def test_many_requests_that_meet_a_401_together_fetch_one_token() -> None:
    """Eight workers must not log in eight times."""
    import asyncio

    async def scenario() -> int:
        cloud = Cloud()
        async with Server(cloud) as server:
            environ = {**PASSWORD, "HW_AUTH_URL": server.url + "/v3"}
            async with opened(aom(server.url), environ=environ) as targets:
                target = targets.alarms["aom"]
                await target.active(since=0)
                cloud.valid_from = 2
                await asyncio.gather(*(target.active(since=0) for _ in range(8)))
        return cloud.tokens

    assert run(scenario()) == 2


def test_targets_of_one_run_may_use_different_credentials() -> None:
    """Each request carries its own target's; targets with the same user and scope share one token."""

    async def scenario() -> tuple[list[str | None], int]:
        cloud = Cloud()
        async with Server(cloud) as server:
            environ = {**PASSWORD, "OTHER": "token-77", "HW_AUTH_URL": server.url + "/v3"}
            other = aom(server.url, auth=Auth(type="token", token_env="OTHER")).model_copy(update={"name": "other"})
            third = aom(server.url).model_copy(update={"name": "third"})
            async with opened(aom(server.url), other, third, environ=environ) as targets:
                for name in ("aom", "other", "third"):
                    await targets.alarms[name].active(since=0)
            return [seen.headers.get("x-auth-token") for seen in server.seen if "/v2/" in seen.path], cloud.tokens

    assert run(scenario()) == (["token-1", "token-77", "token-1"], 1)


@pytest.mark.parametrize("fault", [fault for fault in DOUBTFUL if not fault.startswith(("3", "501"))])
def test_a_log_in_is_tried_again_where_that_can_help(fault: str) -> None:
    """Fetching a token twice does no harm, and the request behind it leaves once."""
    cloud, failed = Cloud(), []

    def script(seen: Seen) -> Reply:
        if seen.path == "/v3/auth/tokens" and not failed:
            failed.append(fault)
            return DOUBTFUL[fault]
        return cloud(seen)

    server = listed(script, PASSWORD, clock=SteppingClock(), request_timeout=300)
    assert paths(server) == ["/v3/auth/tokens", "/v3/auth/tokens", f"/v2/{PROJECT}/events"]


@pytest.mark.parametrize("fault", DOUBTFUL)
def test_a_log_in_that_fails_for_good_sends_nothing(fault: str) -> None:
    """The trigger behind it provably never left."""

    async def scenario() -> tuple[Effect, set[str]]:
        async with Server(DOUBTFUL[fault]) as server:
            environ = {**PASSWORD, "HW_AUTH_URL": server.url + "/v3"}
            target = coc(server.url, project_id=PROJECT, request_timeout=100)
            async with opened(target, environ=environ, clock=SteppingClock()) as targets:
                with pytest.raises(TargetError) as caught:
                    await targets.tasks["coc"].trigger(ALM, HANDLING)
            return caught.value.effect, {seen.path for seen in server.seen}

    assert run(scenario()) == (Effect.NOT_SENT, {"/v3/auth/tokens"})


def test_a_ready_made_token_is_not_replaced() -> None:
    """There is no other one: the 401 is told."""
    with pytest.raises(TargetError, match="401"):
        listed(Reply(401, json={"error_code": "AOM.0401", "error_msg": "no"}), TOKEN)


def test_a_wrong_password_is_told_as_such_and_is_no_missing_right_to_list() -> None:
    """IAM's own status is not the answer of the API."""

    async def scenario() -> TargetError:
        async with Server(Reply(403, json={"error": {"code": 403, "message": "locked"}})) as server:
            environ = {**PASSWORD, "HW_AUTH_URL": server.url + "/v3"}
            async with opened(aom(server.url), environ=environ) as targets:
                with pytest.raises(TargetError) as caught:
                    await targets.alarms["aom"].active(since=0)
                return caught.value

    error = run(scenario())
    assert "cannot log in" in str(error) and "locked" in str(error)
    assert (error.answer.status, error.effect) == (None, Effect.NOT_SENT)
    assert "pass-word" not in str(error)


def test_keys_sign_each_request_with_the_projects_id() -> None:
    """AOM: X-Project-Id, and it is signed."""
    server = listed(EVENTS, SDK)
    headers = server.seen[0].headers
    assert headers["authorization"].startswith("SDK-HMAC-SHA256 Access=AKSDK00000000000, SignedHeaders=content-type;")
    assert "x-project-id;x-sdk-date" in headers["authorization"]
    assert (headers["x-project-id"], headers["x-sdk-date"]) == (PROJECT, "20261120T080000Z")
    assert "x-auth-token" not in headers


def test_temporary_keys_carry_their_security_token() -> None:
    """X-Security-Token, signed as well."""
    server = listed(EVENTS, {**SDK, "HUAWEICLOUD_SDK_SECURITY_TOKEN": "tmp-token"})
    assert server.seen[0].headers["x-security-token"] == "tmp-token"
    assert "x-security-token" in server.seen[0].headers["authorization"]


@pytest.mark.parametrize(
    ("target", "environ", "expected"),
    [
        ({"domain_id": "d1", "project_id": "p1"}, {}, ("d1", None)),
        ({"project_id": "p1"}, {}, (None, "p1")),
        ({}, {"HW_DOMAIN_ID": "d2"}, ("d2", None)),
        ({}, {}, (None, None)),
    ],
)
def test_coc_is_told_the_domain_else_the_project(target: dict[str, str], environ: dict[str, str], expected: Any) -> None:
    """A global service: the account where it is known."""

    async def scenario() -> Mapping[str, str]:
        async with Server(STARTED) as server, opened(coc(server.url, **target), environ={**SDK, **environ}) as targets:
            await targets.tasks["coc"].trigger(ALM, HANDLING)
            return server.seen[0].headers

    headers = run(scenario())
    assert (headers.get("x-domain-id"), headers.get("x-project-id")) == expected


@pytest.mark.parametrize("environ", [SDK, {"HW_AUTH_TOKEN": "token-1"}])
def test_an_absent_project_id_is_looked_up_by_the_region_once(environ: dict[str, str]) -> None:
    """GET projects?name=REGION, with the same credentials."""
    server = listed(Cloud(project=None), environ, times=2, project_id=None, region="cn-north-4")
    assert [(s.method, s.target) for s in server.seen[:1]] == [("GET", "/v3/projects?name=cn-north-4")]
    assert paths(server) == ["/v3/projects", *[f"/v2/{'1' * 32}/events"] * 2]


@pytest.mark.parametrize("projects", [0, 2])
def test_a_project_that_is_not_unique_is_an_error(projects: int) -> None:
    """Guessing would report into somebody else's project."""
    with pytest.raises(TargetError, match=f"knows {projects} projects named `cn-north-4`"):
        listed(Cloud(projects=projects), SDK, project_id=None, region="cn-north-4")


def test_no_project_and_no_region_is_said_before_anything_is_sent() -> None:
    """Exit 10."""

    async def scenario() -> None:
        async with Server(EVENTS) as server, opened(aom(server.url, project_id=None), environ=SDK) as targets:
            try:
                targets.check(["aom"])
            finally:
                assert server.seen == []

    with pytest.raises(SecretMissing, match="neither `project_id` nor a region"):
        run(scenario())


@pytest.mark.parametrize(("minutes", "words"), [(20, "20 minutes ahead of"), (-40, "40 minutes behind")])
def test_a_clock_that_is_off_is_named(minutes: int, words: str) -> None:
    """Signatures die after a quarter of an hour; the server's Date shows why."""
    server_time = datetime.fromtimestamp(1_795_161_600 - minutes * 60, UTC)
    reply = Reply(401, json={"error_code": "APIGW.0301"}, headers={"date": format_datetime(server_time, usegmt=True)})
    with pytest.raises(TargetError, match=f"clock is {words} the server's"):
        listed(reply, SDK)


def test_a_clock_that_is_a_little_off_is_not_blamed() -> None:
    """Ten minutes are within what the gateway forgives."""
    server_time = datetime.fromtimestamp(1_795_161_600 - 600, UTC)
    reply = Reply(401, json={"error_code": "APIGW.0301"}, headers={"date": format_datetime(server_time, usegmt=True)})
    with pytest.raises(TargetError) as caught:
        listed(reply, SDK)
    assert "clock" not in str(caught.value)


# -- the agency ------------------------------------------------------------------------------------------------------


class Machine:
    """The metadata service of an ECS with an agency, and the APIs."""

    def __init__(self, *, session_tokens: bool = True, valid: int = 1) -> None:
        self.given = 0
        self._session_tokens = session_tokens
        self._valid = valid

    def __call__(self, seen: Seen) -> Reply:
        if seen.path == "/meta-data/latest/api/token":
            assert (seen.method, seen.headers["x-metadata-token-ttl-seconds"]) == ("PUT", "21600")
            return Reply(body=b"session-1") if self._session_tokens else Reply(404)
        if seen.path == "/openstack/latest/securitykey":
            assert seen.headers.get("x-metadata-token") == ("session-1" if self._session_tokens else None)
            self.given += 1
            key = {"access": f"AK-{self.given}", "secret": "agency-secret", "securitytoken": "agency-token", "expires_at": day()}
            return Reply(json={"credential": key})
        if f"Access=AK-{self._valid}," not in seen.headers["authorization"]:
            return Reply(401, json={"error_code": "APIGW.0301"})
        return EVENTS


@pytest.mark.parametrize("session_tokens", [True, False])
def test_an_agency_gives_temporary_keys(session_tokens: bool) -> None:
    """With a session token of the metadata service, or without where it knows none."""
    machine = Machine(session_tokens=session_tokens)
    server = with_agency(machine)
    assert server.seen[-1].headers["x-security-token"] == "agency-token"
    assert machine.given == 1


def test_refused_agency_keys_are_fetched_anew_once() -> None:
    """As with tokens."""
    machine = Machine(valid=2)
    with_agency(machine)
    assert machine.given == 2


def with_agency(machine: Machine) -> Server:
    async def scenario() -> Server:
        async with Server(machine) as server:
            environ = {"RECONCILE_ECS_METADATA_URL": server.url}
            async with opened(aom(server.url, auth=Auth(type="agency")), environ=environ) as targets:
                await targets.alarms["aom"].active(since=0)
        return server

    found: Server = run(scenario())
    return found


# -- secrets ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("environ", [SDK, HW, TOKEN, PASSWORD])
@pytest.mark.parametrize("status", [400, 401, 403, 500])
def test_no_secret_is_in_an_error_or_a_log_even_where_the_server_quotes_the_request(environ: dict[str, str], status: int) -> None:
    """Header, body and signature are echoed back; none of it is shown."""
    log: list[str] = []

    def echo(seen: Seen) -> Reply:
        if seen.path == "/v3/auth/tokens" and status != 500:
            return Reply(201, json={"token": {"expires_at": day()}}, headers={"X-Subject-Token": "fetched-token"})
        return Reply(status, json={"error_msg": json.dumps([seen.headers, seen.body.decode(), *environ.values()])})

    async def scenario() -> TargetError:
        async with Server(echo) as server:
            full = {**environ, "HW_AUTH_URL": server.url + "/v3"}
            async with opened(
                aom(server.url), coc_events(server.url, integration_key="x" * 32), environ=full, log=log
            ) as targets:
                with pytest.raises(TargetError) as caught:
                    await targets.alarms["aom"].active(since=0)
                return caught.value

    error = run(scenario())
    shown = str(error) + repr(error.answer) + repr(error.__cause__) + "\n".join(log)
    for word in ("secret-0000", "ready-made-token", "pass-word-0000", "fetched-token"):
        assert word not in shown


def test_a_lease_is_renewed_for_whoever_notices_first() -> None:
    """The second who comes with the same stale secret gets the new one without a fetch."""
    fetched: list[int] = []

    async def fetch() -> Lease[str]:
        fetched.append(1)
        return Lease(f"s{len(fetched)}", 10**15)

    async def scenario() -> tuple[str | None, str | None]:
        source = Leased(fetch, now=lambda: 0)
        stale = await source.get()
        return await source.fresh(stale), await source.fresh(stale)

    assert run(scenario()) == ("s2", "s2")
    assert len(fetched) == 2
