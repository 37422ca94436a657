"""SDK-HMAC-SHA256: signs a request with an access key and its secret (signing guide of API Gateway). Pure, but for httpx.Auth.

Signed are the host, the content type and every header that begins with `x-`: what a proxy on the way adds or rewrites is not.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable, Generator, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from urllib.parse import parse_qsl, quote, unquote

import httpx

ALGORITHM = "SDK-HMAC-SHA256"
SIGNED_WHOLE = frozenset({"host", "content-type", "enterprise-project-id"})
HASHED_TYPES = ("application/json", "application/bson")


@dataclass(frozen=True, slots=True)
class Keys:
    """An access key pair; `security_token` belongs to temporary ones."""

    ak: str
    sk: str = field(repr=False)
    security_token: str | None = field(default=None, repr=False)


def authorization(
    keys: Keys, *, method: str, path: str, params: Iterable[tuple[str, str]], headers: Mapping[str, str], body: bytes
) -> str:
    """The Authorization header for exactly these headers, `X-Sdk-Date` among them."""
    lowered = {name.lower(): value.strip() for name, value in headers.items() if "_" not in name}
    names = sorted(lowered)
    signed = ";".join(names)
    canonical = "\n".join(
        (
            method.upper(),
            _canonical_path(path),
            "&".join(f"{quote(k, safe='~')}={quote(v, safe='~')}" for k, v in sorted(params)),
            "".join(f"{name}:{lowered[name]}\n" for name in names),
            signed,
            _body_hash(lowered, body),
        )
    )
    to_sign = f"{ALGORITHM}\n{lowered['x-sdk-date']}\n{hashlib.sha256(canonical.encode()).hexdigest()}"
    signature = hmac.new(keys.sk.encode(), to_sign.encode(), hashlib.sha256).hexdigest()
    return f"{ALGORITHM} Access={keys.ak}, SignedHeaders={signed}, Signature={signature}"


def _canonical_path(path: str) -> str:
    spelled = "/".join(quote(part, safe="~") for part in unquote(path).split("/"))
    return spelled if spelled.endswith("/") else spelled + "/"


def _body_hash(headers: Mapping[str, str], body: bytes) -> str:
    if body and "x-sdk-content-sha256" in headers:
        return headers["x-sdk-content-sha256"]
    return hashlib.sha256(body).hexdigest()


class Signed(httpx.Auth):
    """Signs each request as it leaves, so that one sent again carries a fresh date. `scope` is X-Project-Id or X-Domain-Id."""

    requires_request_body = True

    def __init__(self, keys: Keys, *, scope: Mapping[str, str], now: Callable[[], int]) -> None:
        self.keys = keys
        self._scope = dict(scope)
        self._now = now

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        """Add date, scope, security token and signature."""
        instant = datetime.fromtimestamp(self._now() / 1000, UTC)
        request.headers.update({**self._scope, "X-Sdk-Date": instant.strftime("%Y%m%dT%H%M%SZ")})
        if self.keys.security_token:
            request.headers["X-Security-Token"] = self.keys.security_token
        content_type = request.headers.get("content-type", "")
        if content_type and not content_type.startswith(HASHED_TYPES):
            request.headers["X-Sdk-Content-Sha256"] = "UNSIGNED-PAYLOAD"
        names = [name for name in request.headers if name.lower() in SIGNED_WHOLE or name.lower().startswith("x-")]
        path, _, query = request.url.raw_path.decode("ascii").partition("?")
        request.headers["Authorization"] = authorization(
            self.keys,
            method=request.method,
            path=path,
            params=parse_qsl(query, keep_blank_values=True),
            headers={name: request.headers[name] for name in names},
            body=request.content,
        )
        yield request
