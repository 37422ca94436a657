"""Signatures: the published vectors, and the vendor's own signer as judge."""

from __future__ import annotations

import random
import string
from typing import Any

import httpx
import pytest
from huaweicloudsdkcore.auth.credentials import BasicCredentials
from huaweicloudsdkcore.sdk_request import SdkRequest
from huaweicloudsdkcore.signer.signer import Signer

from reconcile.targets.http.signer import Keys, Signed, authorization

KEYS = Keys("AKEXAMPLE00000000000", "SKEXAMPLE0000000000000000000000000000000")
DATE = "20261121T073000Z"
NOW = 1_795_246_200_000
PROJECT = "0123456789abcdef0123456789abcdef"
CLEAR = (
    b'{"events":[{"ends_at":1763710000000,"id":"6775161208461480000","metadata":{"event_name":"disk-full",'
    b'"event_severity":"Major","event_type":"alarm","resource_provider":"demo","resource_type":"vm","resource_id":"vm-1"}}]}'
)
AOM = "https://aom.cn-north-4.myhuaweicloud.com"
VECTORS = [
    (
        "PUT",
        f"{AOM}/v2/{PROJECT}/push/events?action=clear",
        {"X-Project-Id": PROJECT},
        None,
        CLEAR,
        "content-type;host;x-project-id;x-sdk-date",
        "e0ca995f8899751e199b4e694515f03eec32e6f97e8b587b31cb38de0720fd21",
    ),
    (
        "POST",
        f"{AOM}/v2/{PROJECT}/events?type=active_alert&limit=1000&marker=0",
        {"X-Project-Id": PROJECT},
        "tmp/tok+en==",
        b'{"time_range":"-1.-1.60"}',
        "content-type;host;x-project-id;x-sdk-date;x-security-token",
        "6c674a8b0f9ca6b28fb20092d6d02b527632e2eebacfd131d7474e059eef610c",
    ),
    (
        "GET",
        "https://coc.myhuaweicloud.com/v1/alarm-mgmt/alarm/ALM2025071417361705s6mUUrF",
        {"X-Domain-Id": "d" * 32},
        None,
        b"",
        "host;x-domain-id;x-sdk-date",
        "13032147585d4de1b8b43700396d8db90b53f6de65afa68d38477660b6a780dc",
    ),
]


@pytest.mark.parametrize(("method", "url", "scope", "token", "body", "names", "signature"), VECTORS)
def test_the_three_vectors_come_out(
    method: str, url: str, scope: dict[str, str], token: str | None, body: bytes, names: str, signature: str
) -> None:
    """A request as httpx builds it, signed as it leaves: what httpx adds by itself is not signed."""
    headers = {"content-type": "application/json"} if body else {}
    with httpx.Client(trust_env=False) as client:
        request = client.build_request(method, url, headers=headers, content=body or None)
    auth = Signed(Keys(KEYS.ak, KEYS.sk, token), scope=scope, now=lambda: NOW)
    signed = next(auth.auth_flow(request))
    assert signed.headers["X-Sdk-Date"] == DATE
    assert signed.headers["Authorization"] == (f"SDK-HMAC-SHA256 Access={KEYS.ak}, SignedHeaders={names}, Signature={signature}")


def random_request(dice: random.Random) -> dict[str, Any]:
    letters = string.ascii_letters + string.digits + "-._~ %+&=/?上海é\"'()*:;,@!$"
    word = lambda most: "".join(dice.choice(letters) for _ in range(dice.randint(0, most)))  # noqa: E731
    plain = lambda most: "".join(dice.choice(string.ascii_letters) for _ in range(dice.randint(1, most)))  # noqa: E731
    headers = {f"X-{plain(8).lower()}": word(20).encode("ascii", "ignore").decode() for _ in range(dice.randint(0, 5))}
    if dice.random() < 0.2:
        headers["with_underscore"] = "left out"
    if dice.random() < 0.7:
        headers["Content-Type"] = dice.choice(["application/json", "application/json;charset=UTF-8"])
    return {
        "method": dice.choice(["GET", "PUT", "POST", "DELETE"]),
        "host": f"{plain(10)}.myhuaweicloud.com",
        "path": "/" + "/".join(word(12).replace("/", "").replace("%", "") for _ in range(dice.randint(0, 5))),
        "params": [(plain(6), word(12)) for _ in range(dice.randint(0, 6))],
        "headers": headers,
        "body": bytes(dice.getrandbits(8) for _ in range(dice.randint(0, 200))) if dice.random() < 0.7 else b"",
    }


def test_500_random_requests_are_signed_as_the_vendors_sdk_signs_them() -> None:
    """Odd characters in path, query and headers included."""
    dice = random.Random(20261121)
    for _ in range(500):
        given = random_request(dice)
        headers = {**given["headers"], "Host": given["host"], "X-Sdk-Date": DATE}
        judge = SdkRequest(
            method=given["method"],
            schema="https",
            host=given["host"],
            resource_path=given["path"],
            query_params=list(given["params"]),
            header_params=dict(headers),
            body=given["body"],
        )
        expected = Signer(BasicCredentials(KEYS.ak, KEYS.sk, PROJECT)).sign(judge).header_params["Authorization"]
        actual = authorization(
            KEYS,
            method=given["method"],
            path=given["path"],
            params=given["params"],
            headers=headers,
            body=given["body"],
        )
        assert actual == expected, given


def test_another_content_type_is_sent_unsigned_as_the_vendor_does() -> None:
    """Bodies other than JSON are declared unsigned."""
    with httpx.Client(trust_env=False) as client:
        request = client.build_request("POST", f"{AOM}/x", headers={"content-type": "text/plain"}, content=b"x")
    signed = next(Signed(KEYS, scope={}, now=lambda: NOW).auth_flow(request))
    assert signed.headers["X-Sdk-Content-Sha256"] == "UNSIGNED-PAYLOAD"


def test_each_sending_carries_a_fresh_date() -> None:
    """A retry after a quarter of an hour would be refused otherwise."""
    instants = iter([NOW, NOW + 60_000])
    auth = Signed(KEYS, scope={}, now=lambda: next(instants))
    with httpx.Client(trust_env=False) as client:
        request = client.build_request("GET", f"{AOM}/x")
    dates = [next(auth.auth_flow(request)).headers["X-Sdk-Date"] for _ in range(2)]
    assert dates == ["20261121T073000Z", "20261121T073100Z"]


def test_keys_do_not_show_their_secret() -> None:
    """A repr ends up in tracebacks."""
    assert "SKEXAMPLE" not in repr(Keys(KEYS.ak, KEYS.sk, "tok"))
    assert "tok" not in repr(Keys(KEYS.ak, KEYS.sk, "tok"))
