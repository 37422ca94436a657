"""Who may come in: tokens, signatures, integration keys, and how each refusal is spelled."""

from __future__ import annotations

import hashlib
import json
from datetime import UTC, datetime
from typing import Any

import pytest
from huaweicloudsdkcore.auth.credentials import BasicCredentials
from huaweicloudsdkcore.sdk_request import SdkRequest
from huaweicloudsdkcore.signer.signer import Signer

from reconcile.emulator import credentials as known
from reconcile.emulator.credentials import KeyPair
from reconcile.emulator.exchange import Call
from reconcile.emulator.signature import BadSignature, verify
from tests.emulator.bench import ALARM_ID, JSON, PROJECT, Bench, bench

PAIR = KeyPair("AKEXAMPLE00000000000", "SKEXAMPLE0000000000000000000000000000000")
DATE = "20261121T073000Z"
NOW = int(datetime(2026, 11, 21, 7, 30, tzinfo=UTC).timestamp() * 1000)
SHOW = f"/v1/alarm-mgmt/alarm/{ALARM_ID}"
CLEAR = (
    b'{"events":[{"ends_at":1763710000000,"id":"6775161208461480000","metadata":{"event_name":"disk-full",'
    b'"event_severity":"Major","event_type":"alarm","resource_provider":"demo","resource_type":"vm","resource_id":"vm-1"}}]}'
)
VECTORS = [
    ("PUT", f"/v2/{PROJECT}/push/events", "action=clear", CLEAR,
     {"content-type": "application/json", "host": "aom.cn-north-4.myhuaweicloud.com", "x-project-id": PROJECT},
     "e0ca995f8899751e199b4e694515f03eec32e6f97e8b587b31cb38de0720fd21"),
    ("POST", f"/v2/{PROJECT}/events", "type=active_alert&limit=1000&marker=0", b'{"time_range":"-1.-1.60"}',
     {"content-type": "application/json", "host": "aom.cn-north-4.myhuaweicloud.com", "x-project-id": PROJECT,
      "x-security-token": "tmp/tok+en=="},
     "6c674a8b0f9ca6b28fb20092d6d02b527632e2eebacfd131d7474e059eef610c"),
    ("GET", SHOW, "", b"", {"host": "coc.myhuaweicloud.com", "x-domain-id": "d" * 32},
     "13032147585d4de1b8b43700396d8db90b53f6de65afa68d38477660b6a780dc"),
]  # fmt: skip


def _signed(method: str, path: str, query: str, body: bytes, headers: dict[str, str], mac: str) -> Call:
    names = sorted([*headers, "x-sdk-date"])
    authorization = f"SDK-HMAC-SHA256 Access={PAIR.ak}, SignedHeaders={';'.join(names)}, Signature={mac}"
    sent = headers | {"x-sdk-date": DATE, "authorization": authorization}
    return Call(method, path, query, {name: value.encode() for name, value in sent.items()}, body)


def _find(ak: str) -> KeyPair | None:
    return PAIR if ak == PAIR.ak else None


@pytest.mark.parametrize("vector", VECTORS, ids=["clear", "list", "show"])
def test_known_signatures_hold_and_any_change_breaks_them(vector: tuple[Any, ...]) -> None:
    """Body, path, query, header or signature: one letter more and it is refused."""
    method, path, query, body, headers, mac = vector
    assert verify(_signed(*vector), _find, NOW) == PAIR
    altered = [
        (method, path + "x", query, body, headers, mac),
        (method, path, query + "&x=1", body, headers, mac),
        (method, path, query, body + b" ", headers, mac),
        (method, path, query, body, headers | {"host": "elsewhere"}, mac),
        (method, path, query, body, headers, mac[::-1]),
    ]
    for other in altered:
        with pytest.raises(BadSignature, match="verify aksk signature fail"):
            verify(_signed(*other), _find, NOW)


def test_a_signature_is_good_for_15_minutes_either_way() -> None:
    """And the reason names the date."""
    call = _signed(*VECTORS[0])
    for skew in (-899_000, 899_000):
        verify(call, _find, NOW + skew)
    for skew in (-901_000, 901_000):
        with pytest.raises(BadSignature, match="X-Sdk-Date"):
            verify(call, _find, NOW + skew)


def test_verification_agrees_with_the_vendors_signer_on_odd_requests() -> None:
    """Paths and queries with what must be quoted, unsorted and repeated parameters, headers beyond ASCII."""
    odd = [
        ("GET", "/v1/a b/ü~*'()", [("b", "2 &="), ("a", "ü/~"), ("a", "1")], b""),
        ("POST", "/v1/x", [("z", ""), ("A", "+")], b'{"k": "\xc3\xbc"}'),
        ("PUT", "/v1/x/", [], b"{}"),
    ]
    for method, path, query, body in odd:
        headers = {"Content-Type": "application/json", "Host": "h:1", "X-Note": " ü "}
        request = SdkRequest(method=method, host="h:1", resource_path=path, query_params=query, header_params=headers, body=body)
        request.header_params["X-Sdk-Date"] = DATE
        Signer(BasicCredentials(PAIR.ak, PAIR.sk, PROJECT)).sign(request)
        sent = {name.lower(): value.encode("latin-1") for name, value in request.header_params.items()}
        text = request.uri.partition("?")[2]
        assert verify(Call(method, path, text, sent, body), _find, NOW) == PAIR


def _try(b: Bench, target: str = SHOW, method: str = "GET", body: Any = None, **headers: str) -> tuple[int, Any]:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return b.call(method, target, body, JSON | named)


def test_nobody_comes_in_without_credentials() -> None:
    """401 in the spelling of the API that was called."""
    with bench(auth_required=True) as b:
        assert _try(b) == (401, {"error_code": "common.01010001", "error_msg": "Token missing or invalid."})
        assert _try(b, x_auth_token="wrong")[0] == 401
        status, body = _try(b, f"/v2/{PROJECT}/events", "POST", {})
        assert (status, body["error_code"]) == (401, "AOM.0401")
        status, body = _try(b, authorization="SDK-HMAC-SHA256 Access=x, SignedHeaders=x-sdk-date, Signature=" + "0" * 64)
        assert (status, body["error_code"]) == (401, "APIGW.0301")
        assert "AK" in body["error_msg"]
        assert _try(b, x_auth_token=known.FIXED_TOKEN)[0] == 200


def test_embedded_nobody_is_asked() -> None:
    """No credentials, no refusal."""
    with bench() as b:
        assert _try(b)[0] == 200


def test_the_environments_credentials_replace_the_fixed_ones() -> None:
    """Each kind by itself."""
    with bench(auth_required=True, environ={"HW_AUTH_TOKEN": "mine"}) as b:
        assert _try(b, x_auth_token="mine")[0] == 200
        assert _try(b, x_auth_token=known.FIXED_TOKEN)[0] == 401
        assert known.FIXED_AK in b.desk.credentials.pairs
    with bench(environ={"HUAWEICLOUD_SDK_AK": "a", "HUAWEICLOUD_SDK_SK": "s", "HW_ACCESS_KEY": "b", "HW_SECRET_KEY": "t"}) as b:
        assert set(b.desk.credentials.pairs) == {"a", "b"}


def _login(b: Bench, *, password: str = known.FIXED_PASSWORD, scope: Any = None) -> tuple[int, Any, str | None]:
    user = {"name": known.FIXED_USER, "password": password, "domain": {"name": known.FIXED_DOMAIN}}
    auth = {"identity": {"methods": ["password"], "password": {"user": user}}, "scope": scope}
    call = Call("POST", "/v3/auth/tokens", "", {"content-type": b"application/json"}, json.dumps({"auth": auth}).encode())
    answer = b.desk.answer(call)
    return answer.status, json.loads(answer.body), dict(answer.headers).get("x-subject-token")


@pytest.mark.parametrize("scope", [{"project": {"name": "cn-north-4"}}, {"project": {"id": known.FIXED_PROJECT_ID}}])
def test_a_password_buys_a_token_for_its_project_alone(scope: Any) -> None:
    """201, the token in a header, and 24 hours to live; another project is a 403."""
    with bench(auth_required=True) as b:
        status, body, token = _login(b, scope=scope)
        assert (status, body["token"]["project"]["id"]) == (201, known.FIXED_PROJECT_ID)
        assert token is not None
        listing = {"time_range": "-1.-1.60"}
        assert _try(b, f"/v2/{known.FIXED_PROJECT_ID}/events", "POST", listing, x_auth_token=token)[0] == 200
        status, body = _try(b, f"/v2/{PROJECT}/events", "POST", listing, x_auth_token=token)
        assert (status, body["error_code"]) == (403, "AOM.0403")
        b.shift(24 * 3_600_000 + 1)
        assert _try(b, x_auth_token=token)[0] == 401


def test_a_domain_token_is_for_coc_not_for_aom() -> None:
    """AOM wants a project's."""
    with bench(auth_required=True) as b:
        token = _login(b, scope={"domain": {"name": known.FIXED_DOMAIN}})[2]
        assert token is not None
        assert _try(b, x_auth_token=token)[0] == 200
        assert _try(b, f"/v2/{PROJECT}/events", "POST", {}, x_auth_token=token)[0] == 403


def test_a_wrong_password_and_an_unknown_project_are_refused() -> None:
    """401, in Keystone's spelling; a body that is no login is a 400."""
    with bench(auth_required=True) as b:
        status, body, token = _login(b, password="wrong", scope={"project": {"name": "cn-north-4"}})
        assert (status, body["error"]["code"], token) == (401, 401, None)
        assert _login(b, scope={"project": {"id": "f" * 32}})[0] == 401
        assert _login(b, scope={})[0] == 400


def test_projects_are_found_by_name() -> None:
    """One for a region's name, none for what is no region; every region has its own."""
    with bench() as b:
        assert b.call("GET", "/v3/projects?name=cn-north-4")[1]["projects"][0]["id"] == known.FIXED_PROJECT_ID
        other = b.call("GET", "/v3/projects?name=ap-southeast-3")[1]["projects"][0]["id"]
        assert len(other) == 32
        assert other != known.FIXED_PROJECT_ID
        assert b.call("GET", "/v3/projects?name=Nowhere")[1]["projects"] == []
        assert len(b.call("GET", "/v3/auth/domains")[1]["domains"]) == 1


def test_the_metadata_service_hands_out_keys_that_work() -> None:
    """With its own token only; the keys sign, and need their security token beside them."""
    with bench(auth_required=True) as b:
        assert b.call("GET", "/openstack/latest/securitykey")[0] == 401
        answer = b.desk.answer(Call("PUT", "/meta-data/latest/api/token", "", {"x-metadata-token-ttl-seconds": b"21600"}, b""))
        token = answer.body.decode()
        status, body = _try(b, "/openstack/latest/securitykey", x_metadata_token=token)
        assert status == 200
        assert _try(b, x_auth_token=token)[0] == 401
        pair = body["credential"]
        signed = _sdk_signed(b, pair["access"], pair["secret"])
        assert _try(b, **signed)[0] == 401
        assert _try(b, **signed, x_security_token=pair["securitytoken"])[0] == 200


def _sdk_signed(b: Bench, ak: str, sk: str) -> dict[str, str]:
    request = SdkRequest(method="GET", host="h", resource_path=SHOW, query_params=[], header_params={"Host": "h"}, body="")
    now = datetime.fromtimestamp(b.desk.now() / 1000, UTC)
    request.header_params["X-Sdk-Date"] = now.strftime("%Y%m%dT%H%M%SZ")
    Signer(BasicCredentials(ak, sk, PROJECT)).sign(request)
    return {name.lower().replace("-", "_"): value for name, value in request.header_params.items()}


def test_integration_keys() -> None:
    """Any 32 letters and digits, or the environment's alone; what comes beside it must be right."""
    path = "/v1/event/huawei/custom/"
    with bench(auth_required=True) as b:
        assert b.call("POST", path + "k" * 32, {})[0] == 400
        assert b.call("POST", path + "k" * 31, {}) == (
            401, {"error_code": "common.01010001", "error_msg": "Token missing or invalid.", "data": None, "provider_code": "049"}
        )  # fmt: skip
        assert _try(b, path + "k" * 32, "POST", {}, x_auth_token="wrong")[0] == 401
    with bench(auth_required=True, environ={"COC_INTEGRATION_KEY": "the-only-one"}) as b:
        assert b.call("POST", path + "the-only-one", {})[0] == 400
        assert b.call("POST", path + "k" * 32, {})[0] == 401


def test_paths_and_methods_that_are_not_there() -> None:
    """404 and 405 come from the gateway."""
    with bench() as b:
        assert b.call("GET", "/v1/nothing")[1]["error_code"] == "APIGW.0101"
        status, body = b.call("DELETE", SHOW)
        assert (status, body["error_code"]) == (405, "APIGW.0106")


def test_the_log_keeps_no_credentials() -> None:
    """Neither tokens, keys nor passwords; integration keys are blotted out."""
    from reconcile.emulator.desk import log_rows

    with bench(auth_required=True, keep_bodies=True) as b:
        _login(b, scope={"project": {"name": "cn-north-4"}})
        _try(b, x_auth_token=known.FIXED_TOKEN)
        b.call("POST", "/v1/event/huawei/custom/" + "k" * 32, {"alarmId": "a"})
        text = json.dumps(log_rows(b.desk.store, 0))
        for secret in (known.FIXED_TOKEN, known.FIXED_PASSWORD, "k" * 32):
            assert secret not in text
        assert '"alarmId": "a"' in text
        assert hashlib.sha256(known.FIXED_TOKEN.encode()).hexdigest() not in text
