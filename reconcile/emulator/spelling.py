"""How each API spells an error: keys and codes, by path. Knows nothing of what went wrong."""

from __future__ import annotations

import secrets
from http import HTTPStatus
from typing import Any

from reconcile.emulator.exchange import Answer, as_json

AOM_CODES = {400: "AOM.0400", 401: "AOM.0401", 403: "AOM.0403", 404: "AOM.0404", 500: "AOM.0500", 503: "AOM.0503"}
THROTTLED = ("APIG.0308", "The throttling threshold has been reached: policy user over ratelimit,limit:10,time:1 second.")
COC_CODES = {400: "COC.00010002", 401: "common.01010001", 403: "common.01010003", 404: "COC.00010404", 500: "COC.00040701"}


def refused(path: str, status: int, words: str, *, code: str | None = None, dialect: str = "any") -> Answer:
    """An error answer as the API behind this path spells it; `code` overrides the API's own for the status."""
    if status == 429:
        code, words = THROTTLED
    trace = secrets.token_hex(16)
    if code is not None and code.startswith("APIG"):  # the gateway before the services speaks for itself
        return as_json(status, {"error_code": code, "error_msg": words, "request_id": trace}, ("x-request-id", trace))
    return as_json(status, _body(path, status, words, code, dialect, trace), ("x-request-id", trace))


def _body(path: str, status: int, words: str, code: str | None, dialect: str, trace: str) -> dict[str, Any]:
    if path.startswith("/v2/"):
        return _aom(status, words, code, dialect, trace)
    if path.startswith("/v3/"):
        title = HTTPStatus(status).phrase if status in set(HTTPStatus) else "Error"
        return {"error": {"code": status, "message": words, "title": title}}
    body: dict[str, Any] = {"error_code": code or COC_CODES.get(status, f"COC.00000{status}"), "error_msg": words}
    if path.startswith("/v1/event/"):
        default = "COC.00000001" if status == 400 else body["error_code"]
        body |= {"error_code": code or default, "data": None, "provider_code": "049"}
    return body


def _aom(status: int, words: str, code: str | None, dialect: str, trace: str) -> dict[str, Any]:
    """AOM's spelling: old editions say error_message, and only the current one has a trace id."""
    kind = {400: "SC_BAD_REQUEST"}.get(status, "SC_" + (HTTPStatus(status).name if status in set(HTTPStatus) else str(status)))
    key = "error_message" if dialect == "legacy" else "error_msg"
    body = {"error_code": code or AOM_CODES.get(status, f"AOM.0{status}"), key: words, "error_type": kind}
    return body if dialect in ("legacy", "cn-2021") else body | {"trace_id": trace}
