"""Failures of the wire -> one error type that says whether the request can have taken effect. The tables are the policy.

What the server said is taken from its body in all the spellings of the documents, shortened and made inert for a terminal.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import datetime
from email.utils import parsedate_to_datetime
from typing import Any

from reconcile.errors import Answer, Effect, TargetError
from reconcile.targets.http.wire import Request

TRANSIENT_STATUSES = frozenset({408, 429, 500, 502, 503, 504})
THROTTLED_CODES = frozenset({"APIG.0308"})
CODE_KEYS = ("error_code", "errorCode", "code")
WORDS_KEYS = ("error_msg", "error_message", "errorMsg", "errorMessage", "message")
TRACE_KEYS = ("trace_id", "request_id")
TRACE_HEADERS = ("x-request-id", "x-trace-id")
WORDS_MAX = 400
SKEW_MAX = 15 * 60  # seconds the gateway forgives (signing guide of API Gateway)
_WINDOW = re.compile(r"time:\s*(\d+)\s*(second|minute|hour)", re.IGNORECASE)
_SECONDS = {"second": 1, "minute": 60, "hour": 3600}


class WireError(TargetError):
    """A TargetError with what the wrappers need: whether another try may help, and when.

    `transient`: another try may succeed. `throttled`: the gateway refused for lack of quota, so nothing ran.
    `wait`: seconds the server asked to wait. `skewed`: the clocks are too far apart for signatures.
    """

    transient = False
    throttled = False
    wait: float | None = None
    skewed = False


def effect_of_status(status: int) -> Effect:
    """Contract section 6: a refusal is a 4xx other than 408; anything else that is no success is unknown."""
    return Effect.REFUSED if 400 <= status < 500 and status != 408 else Effect.UNKNOWN


def refused(request: Request, status: int, headers: Mapping[str, str], body: str, *, now: float, where: str) -> WireError:
    """The error for an answer that is no success. `now` is this machine's time in seconds."""
    answer = answer_from(status, headers, body)
    throttled = status == 429 or answer.code in THROTTLED_CODES
    skew = _skew(headers, now) if status in (401, 403) else 0.0
    error = WireError(
        _sentence(request, answer, headers) + _skew_words(skew),
        effect=Effect.REFUSED if throttled else effect_of_status(status),
        answer=answer,
        where=where,
        hint=_hint(request, status, skew),
    )
    error.transient = throttled or status in TRANSIENT_STATUSES
    error.throttled = throttled
    error.wait = _wait(headers, now) or (_window(answer.words) if throttled else None)
    error.skewed = abs(skew) > SKEW_MAX
    return error


def unusable(request: Request, status: int, headers: Mapping[str, str], why: str, *, where: str) -> WireError:
    """The error for a success that cannot be used: truncated, no JSON, no ticket. It may well have taken effect."""
    answer = Answer(status=status, words=why, trace_id=_trace({}, headers))
    error = WireError(f"{request.label} was answered with {status}, but {why}", effect=Effect.UNKNOWN, answer=answer, where=where)
    error.transient = True
    return error


def answer_from(status: int, headers: Mapping[str, str], body: str) -> Answer:
    """What the server said. A body that is no JSON object is shown as text."""
    try:
        said = json.loads(body)
    except (ValueError, RecursionError):
        said = None
    if not isinstance(said, dict):
        return Answer(status, None, inert(body) or None, _trace({}, headers))
    nested = said.get("error")
    fields: dict[str, Any] = {**nested, **said} if isinstance(nested, dict) else said
    code, words = _first(fields, CODE_KEYS), _first(fields, WORDS_KEYS)
    return Answer(status, code, words or (None if code else inert(json.dumps(said))), _trace(fields, headers))


def inert(text: str, limit: int = WORDS_MAX) -> str:
    """One line of printable text, at most `limit` characters: no escape, bidi control or zero-width character survives."""
    flat = " ".join(text.split())
    clean = "".join(c if c.isprintable() else f"\\x{ord(c):02x}" if ord(c) < 256 else f"\\u{ord(c):04x}" for c in flat)
    return clean if len(clean) <= limit else clean[: limit - 1] + "…"


def _first(fields: Mapping[str, Any], keys: tuple[str, ...]) -> str | None:
    for key in keys:
        value = fields.get(key)
        if isinstance(value, str | int) and not isinstance(value, bool) and str(value):
            return inert(str(value))
    return None


def _trace(fields: Mapping[str, Any], headers: Mapping[str, str]) -> str | None:
    return _first(fields, TRACE_KEYS) or _first(headers, TRACE_HEADERS)


def _sentence(request: Request, answer: Answer, headers: Mapping[str, str]) -> str:
    if answer.status is not None and 300 <= answer.status < 400:
        place = inert(headers.get("location", "?"))
        return f"{request.label} was redirected ({answer.status}) to {place}, which is never followed"
    said = " ".join(part for part in (str(answer.status), answer.code) if part)
    words = f": {answer.words}" if answer.words else ""
    permission = f" (needs `{request.permission}`)" if answer.status == 403 and request.permission else ""
    return f"{request.label} failed with {said}{permission}{words}"


def _hint(request: Request, status: int, skew: float) -> str | None:
    if abs(skew) > SKEW_MAX:
        return "set this machine's clock: signatures are valid for 15 minutes"
    if status == 403 and request.permission:
        return f"grant `{request.permission}` to the identity this target uses; `reconcile whoami` shows which"
    if status == 401:
        return "`reconcile whoami` shows which credentials this target uses"
    return None


def _skew_words(skew: float) -> str:
    if abs(skew) <= SKEW_MAX:
        return ""
    return f"; this machine's clock is {abs(skew) / 60:.0f} minutes {'ahead of' if skew > 0 else 'behind'} the server's"


def _skew(headers: Mapping[str, str], now: float) -> float:
    date = _instant(headers.get("date", ""))
    return 0.0 if date is None else now - date


def _wait(headers: Mapping[str, str], now: float) -> float | None:
    text = headers.get("retry-after", "").strip()
    if re.fullmatch(r"\d{1,12}", text):
        return float(text)
    instant = _instant(text)
    return None if instant is None else max(0.0, instant - (_instant(headers.get("date", "")) or now))


def _window(words: str | None) -> float | None:
    match = _WINDOW.search(words or "")
    return None if match is None else float(int(match[1]) * _SECONDS[match[2].lower()])


def _instant(text: str) -> float | None:
    try:
        parsed: datetime = parsedate_to_datetime(text)
    except (ValueError, TypeError):
        return None
    return parsed.timestamp()
