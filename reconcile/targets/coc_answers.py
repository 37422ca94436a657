"""What counts as success in COC: HTTP 200 and a code that says so, in either spelling."""

from __future__ import annotations

from typing import Any

from reconcile.errors import Effect
from reconcile.targets.http.errors import WireError, answer_from, unusable
from reconcile.targets.http.wire import Request, Response

SUCCESS = {"error_code": frozenset({"COC.00000000", "0"}), "errorCode": frozenset({"200"})}


def insist(request: Request, response: Response, *, where: str) -> dict[str, Any]:
    """The body of a success. Raises for a 200 that says otherwise: no harm to repeat -> refused, else it may have run."""
    body = response.json
    if not isinstance(body, dict):
        raise unusable(request, response.status, response.headers, "the body is no JSON object", where=where)
    if any(str(body.get(key)) in codes for key, codes in SUCCESS.items()):
        return body
    raise _denied(request, response, where)


def read(request: Request, response: Response, *, where: str) -> dict[str, Any]:
    """The body of an answered question: it need not carry a code, but must not carry a failure's."""
    body = response.json
    if not isinstance(body, dict):
        raise unusable(request, response.status, response.headers, "the body is no JSON object", where=where)
    if any(key in body and str(body[key]) not in codes for key, codes in SUCCESS.items()):
        raise _denied(request, response, where)
    return body


def _denied(request: Request, response: Response, where: str) -> WireError:
    answer = answer_from(response.status, response.headers, response.text)
    said = f"{answer.code or 'no code'}: {answer.words or 'no words'}"
    return WireError(
        f"{request.label} was answered with {response.status}, but {said}",
        effect=Effect.REFUSED if request.repeatable else Effect.UNKNOWN,
        answer=answer,
        where=where,
    )
