"""Opening targets: variables, endpoints, embedded, and what `whoami` tells."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from reconcile.errors import InputInvalid, ReconcileError, SecretMissing
from reconcile.model.config import DEFAULT_TARGETS, Auth, Config, Target
from reconcile.targets.identity import describe_identity
from reconcile.targets.open import open_targets
from reconcile.targets.settings import EMBEDDED_PROJECT, is_loopback, region_of, resolve
from tests.targets.opening import aom, coc, coc_events, config_of, opened
from tests.targets.server import Reply, Server, SteppingClock, run
from tests.targets.test_faults import ALM, HANDLING
from tests.targets.test_login import PASSWORD, SDK, TOKEN
from tests.targets.test_wire import alarm


def checked(*targets: Target, environ: dict[str, str] | None = None, names: list[str] | None = None) -> None:
    """Open these targets and resolve them all; nothing listens anywhere."""

    async def scenario() -> None:
        async with opened(*targets, environ=environ or {}) as found:
            found.check([target.name for target in targets] if names is None else names)

    run(scenario())


def test_a_missing_variable_names_target_and_variable_before_anything_is_sent() -> None:
    """Exit 10."""
    target = aom("https://aom.cn-north-4.myhuaweicloud.com", project_id="${env.MY_PROJECT}")
    with pytest.raises(SecretMissing, match=r"target `aom`: `project_id` needs MY_PROJECT, which is not set") as caught:
        checked(target, environ=TOKEN)
    assert caught.value.exit_code == 10


def test_a_target_is_only_resolved_when_it_is_used() -> None:
    """A plan on one target needs no credentials of another."""

    async def scenario() -> None:
        async with Server(Reply(json={"events": []})) as server:
            other = coc_events("https://coc.myhuaweicloud.com")
            async with opened(aom(server.url), other, environ=TOKEN) as targets:
                await targets.alarms["aom"].active(since=0)
                assert set(targets.alarms) == {"aom", "coc-events"}
                assert "coc-events" in targets.alarms
                with pytest.raises(SecretMissing, match="COC_INTEGRATION_KEY"):
                    targets.alarms["coc-events"]

    run(scenario())


def test_a_target_is_opened_once() -> None:
    """The same adapter each time: it may remember its project."""

    async def scenario() -> None:
        async with opened(aom("http://127.0.0.1:1")) as targets:
            assert targets.alarms["aom"] is targets.alarms["aom"]
            with pytest.raises(KeyError):
                targets.tasks["aom"]

    run(scenario())


def test_an_unknown_name_is_refused() -> None:
    """`check` is where the run learns it."""
    with pytest.raises(InputInvalid) as caught:
        checked(names=["nowhere"])
    assert caught.value.problems[0].what == "no target is named `nowhere`"


@pytest.mark.parametrize(
    ("endpoint", "words"),
    [
        ("http://aom.example.com", "http is for loopback only"),
        ("http://169.254.169.254", "http is for loopback only"),
        ("http://127.0.0.1.example.com", "http is for loopback only"),
        ("ftp://x", "no http or https URL"),
        ("aom.example.com", "no http or https URL"),
        ("https://", "no http or https URL"),
        ("https://h:notaport", "is no URL"),
        ("https://user:hunter2@aom.example.com", "credentials never stand in a URL"),
        ("https://aom.example.com?x=1", "query or fragment"),
        ("https://aom.example.com/ x", "no http or https URL"),
    ],
)
def test_an_endpoint_must_be_https_or_loopback_and_nothing_but_a_place(endpoint: str, words: str) -> None:
    """A token must not travel in the clear."""
    with pytest.raises(InputInvalid) as caught:
        checked(aom(endpoint), environ=TOKEN)
    assert words in caught.value.problems[0].what
    assert "hunter2" not in caught.value.problems[0].what


@pytest.mark.parametrize("variable", ["HW_AUTH_URL", "RECONCILE_ECS_METADATA_URL"])
def test_the_places_of_log_ins_are_checked_likewise(variable: str) -> None:
    """A password must not travel in the clear either."""
    with pytest.raises(InputInvalid) as caught:
        checked(aom("https://aom.example.com"), environ={**TOKEN, variable: "http://iam.example.com/v3"})
    assert variable in caught.value.problems[0].what


@pytest.mark.parametrize(
    ("host", "expected"), [("localhost", True), ("127.0.0.1", True), ("127.9.9.9", True), ("::1", True), ("10.0.0.1", False),
                           ("localhost.example.com", False), (None, False)],
)  # fmt: skip
def test_loopback_is_this_machine(host: str | None, expected: bool) -> None:
    """And nothing that looks like it."""
    assert is_loopback(host) is expected


@pytest.mark.parametrize(
    ("endpoint", "region"),
    [
        ("https://aom.cn-north-4.myhuaweicloud.com", "cn-north-4"),
        ("https://aom.ap-southeast-3.myhuaweicloud.com:443/x", "ap-southeast-3"),
        ("https://aom.eu-west-101.myhuaweicloud.eu", "eu-west-101"),
        ("https://coc.myhuaweicloud.com", None),
        ("https://localhost", None),
    ],
)
def test_the_region_is_read_off_the_endpoint(endpoint: str, region: str | None) -> None:
    """So that the project can be looked up."""
    assert region_of(endpoint) == region


def test_the_regions_iam_is_the_default() -> None:
    """HW_AUTH_URL goes before it."""
    target = aom("https://aom.cn-north-4.myhuaweicloud.com")
    assert resolve(target, config_of(target), {}).iam == "https://iam.cn-north-4.myhuaweicloud.com/v3"
    assert resolve(target, config_of(target), {"HW_AUTH_URL": "https://iam.example/v3/"}).iam == "https://iam.example/v3"


@pytest.mark.parametrize(
    ("changes", "rate"),
    [({}, 20.0), ({"rate": 5.0}, 5.0), ({"endpoint": "http://127.0.0.1:1"}, None), ({"endpoint": "embedded"}, None)],
)
def test_a_rate_is_kept_towards_real_servers_only(changes: dict[str, Any], rate: float | None) -> None:
    """20/s unless the config says otherwise; none for loopback and embedded."""
    target = Target(**{"name": "aom", "type": "aom", "endpoint": "https://aom.example.com", "project_id": "p", **changes})
    assert resolve(target, config_of(target), {}).rate == rate


def test_a_ca_file_that_is_none_is_refused(tmp_path: Path) -> None:
    """Absent, or without a certificate; found beside the config."""
    (tmp_path / "conf").mkdir()
    (tmp_path / "conf/ca.pem").write_text("nonsense")
    for name, words in (("absent.pem", "names no file"), ("ca.pem", "holds no certificate")):
        target = aom("https://aom.example.com", ca_file=name)
        config = Config(file="conf/reconcile.yaml", targets={"aom": target})

        async def scenario(config: Config = config) -> None:
            async with open_targets(
                config,
                environ=TOKEN,
                embedded=lambda: None,
                clock=SteppingClock(),
                log=lambda _: None,
                names=["aom"],
                directory=tmp_path,
            ):
                pass

        with pytest.raises(InputInvalid) as caught:
            run(scenario())
        assert words in caught.value.problems[0].what


# -- embedded --------------------------------------------------------------------------------------------------------


class Echo:
    """An app that answers as AOM and COC would, and keeps what it saw."""

    def __init__(self) -> None:
        self.seen: list[tuple[str, str, dict[str, str]]] = []
        self.made = 0

    def __call__(self) -> Starlette:
        self.made += 1
        return Starlette(routes=[Route("/{rest:path}", self.answer, methods=["GET", "PUT", "POST"])])

    async def answer(self, request: Request) -> Response:
        self.seen.append((request.method, request.url.path, dict(request.headers)))
        if request.url.path.endswith("/broken/auto-process"):
            raise RuntimeError("the app fell over")
        if request.url.path.endswith("/push/events"):
            return Response(status_code=204)
        if request.url.path.endswith("/auto-process"):
            return JSONResponse({"errorCode": "200", "data": "SCR1"})
        if "custom" in request.url.path:
            return JSONResponse({"error_code": "COC.00000000"})
        return JSONResponse({"events": []})


def test_embedded_targets_need_no_account() -> None:
    """No variable, no credential, no socket: a fixed project and key, one app for all."""
    echo = Echo()
    given = {**DEFAULT_TARGETS, "aom": Target(name="aom", type="aom", project_id="${env.HUAWEICLOUD_SDK_PROJECT_ID}")}

    async def scenario() -> str:
        config = Config(targets=given)
        names = list(given)
        async with open_targets(
            config, environ={}, embedded=echo, clock=SteppingClock(), log=lambda _: None, names=names
        ) as targets:
            for name in ("aom", "coc-events"):
                target = targets.alarms[name]
                sending = target.compose(alarm(), address="alarm.a", starts_at=1, stamp=None, alarm_id="rec1")
                await target.report([sending])
            return await targets.tasks["coc"].trigger(ALM, HANDLING)

    assert run(scenario()) == "SCR1"
    assert [path for _, path, _ in echo.seen] == [
        f"/v2/{EMBEDDED_PROJECT}/push/events",
        "/v1/event/huawei/custom/EmbeddedIntegrationKey0123456789",
        f"/v1/alarm-mgmt/alarm/{ALM}/auto-process",
    ]
    assert echo.made == 1
    assert not any({"authorization", "x-auth-token"} & set(headers) for _, _, headers in echo.seen)


def test_an_emulator_that_falls_over_is_a_server_error() -> None:
    """Its exception stays its own."""

    async def scenario() -> str:
        async with open_targets(
            Config(targets=DEFAULT_TARGETS), environ={}, embedded=Echo(), clock=SteppingClock(), log=lambda _: None
        ) as targets:
            with pytest.raises(ReconcileError, match="500") as caught:
                await targets.tasks["coc"].trigger("broken", HANDLING)
            return str(caught.value)

    assert "500" in run(scenario())


# -- whoami ----------------------------------------------------------------------------------------------------------

PLACE = "https://aom.cn-north-4.myhuaweicloud.com"


@pytest.mark.parametrize(
    ("target", "environ", "expected"),
    [
        (aom(PLACE), SDK, {"method": "aksk", "access_key": "AKSD…", "source": "HUAWEICLOUD_SDK_AK + HUAWEICLOUD_SDK_SK"}),
        (aom(PLACE), TOKEN, {"method": "token", "source": "HW_AUTH_TOKEN", "region": "cn-north-4"}),
        (aom(PLACE, project_id=None), SDK, {"project": "looked up by name `cn-north-4`"}),
        (aom(PLACE), PASSWORD, {"method": "password", "user": "acme/bot"}),
        (aom(PLACE, auth=Auth(type="agency")), SDK, {"method": "agency", "why": "the config pins `auth: {type: agency}`"}),
        (aom(PLACE), {}, {"problem": "target `aom` has no credentials"}),
        (aom("http://aom.example.com"), SDK, {"method": "none"}),
        (Target(name="aom", type="aom"), {}, {"endpoint": "embedded", "method": "none", "problem": None}),
        (coc("https://coc.myhuaweicloud.com"), {**SDK, "HW_DOMAIN_ID": "d1"}, {"domain_id": "d1"}),
    ],
)
def test_whoami_says_which_identity_and_why(target: Target, environ: dict[str, str], expected: dict[str, Any]) -> None:
    """Nothing is sent, nothing secret is told."""
    identity = describe_identity(config_of(target), target.name, environ)
    assert {name: getattr(identity, name) for name in expected} == expected
    shown = repr(identity)
    assert not any(value in shown for name, value in environ.items() if "SK" in name or "PASSWORD" in name or "TOKEN" in name)
    assert json.dumps(identity.problem) is not None
