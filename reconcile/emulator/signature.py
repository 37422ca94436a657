"""Verification of SDK-HMAC-SHA256 signatures, written from the description of the algorithm. Knows no API."""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Callable
from datetime import UTC, datetime
from urllib.parse import quote

from reconcile.emulator.credentials import KeyPair
from reconcile.emulator.exchange import Call

ALGORITHM = "SDK-HMAC-SHA256"
SKEW_MS = 15 * 60 * 1000
_AUTHORIZATION = re.compile(
    rf"{ALGORITHM} +Access=(?P<ak>[^,]+), *SignedHeaders=(?P<names>[^,]+), *Signature=(?P<mac>[0-9a-f]{{64}})"
)


class BadSignature(ValueError):
    """The signature does not hold; the message is the reason that the client is told."""


def verify(call: Call, find_pair: Callable[[str], KeyPair | None], now: int) -> KeyPair:
    """The key pair that signed this request. Raises BadSignature."""
    shape = _AUTHORIZATION.fullmatch(call.header("authorization") or "")
    if shape is None:
        raise BadSignature("Authorization format is incorrect")
    pair = find_pair(shape["ak"])
    if pair is None:
        raise BadSignature("Get secretKey failed, the AK does not exist")
    date = call.header("x-sdk-date") or ""
    _check_date(date, now)
    names = shape["names"].split(";")
    if "x-sdk-date" not in names:
        raise BadSignature("x-sdk-date is not signed")
    if not hmac.compare_digest(_sign(pair.sk, date, _canonical(call, names)), shape["mac"]):
        raise BadSignature("verify aksk signature fail")
    if pair.security_token is not None and call.header("x-security-token") != pair.security_token:
        raise BadSignature("the security token is missing or does not belong to the AK")
    return pair


def _check_date(date: str, now: int) -> None:
    try:
        signed_at = datetime.strptime(date, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC).timestamp() * 1000
    except ValueError as error:
        raise BadSignature("X-Sdk-Date is missing or not YYYYMMDDTHHMMSSZ") from error
    if abs(now - signed_at) > SKEW_MS:
        raise BadSignature("the signature expired: X-Sdk-Date is more than 15 minutes from the server's time")


def _canonical(call: Call, names: list[str]) -> bytes:
    path = "/".join(quote(part, safe="~") for part in call.path.split("/"))
    query = "&".join(f"{quote(key, safe='~')}={quote(value, safe='~')}" for key, value in sorted(call.query))
    lines: list[bytes] = [call.method.encode(), (path if path.endswith("/") else path + "/").encode(), query.encode()]
    for name in names:
        value = call.headers.get(name)
        if value is None:
            raise BadSignature(f"signed header {name} is missing")
        lines.append(name.encode() + b":" + value.strip())
    return b"\n".join([*lines, b"", ";".join(names).encode(), _payload(call).encode()])


def _payload(call: Call) -> str:
    """The body's hash; a body that is neither JSON nor BSON is left unsigned by the SDKs, and says so."""
    declared = call.header("x-sdk-content-sha256")
    kind = call.header("content-type") or ""
    if call.body and declared == "UNSIGNED-PAYLOAD" and not kind.startswith(("application/json", "application/bson")):
        return declared
    return hashlib.sha256(call.body).hexdigest()


def _sign(sk: str, date: str, canonical: bytes) -> str:
    to_sign = f"{ALGORITHM}\n{date}\n{hashlib.sha256(canonical).hexdigest()}"
    return hmac.new(sk.encode(), to_sign.encode(), hashlib.sha256).hexdigest()
