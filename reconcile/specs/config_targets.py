"""The `targets:` of the config -> Target. Refuses credentials that stand there as text; resolves no `${env.X}`."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from pydantic import ValidationError

from reconcile.model.address import NAME
from reconcile.model.config import Target
from reconcile.specs import codes
from reconcile.specs.credentials import key_of_credential, literal_userinfo
from reconcile.specs.locate import Steps
from reconcile.specs.source import Spot
from reconcile.specs.times import DURATION_FORM, duration
from reconcile.specs.translate import tell
from reconcile.specs.wording import plain

_ONLY_FOR: dict[str, str] = {
    **dict.fromkeys(("dialect", "method", "stamp", "clear_without_id"), "aom"),
    **dict.fromkeys(("integration_key", "namespace", "application_id", "source"), "coc-events"),
}
_REFERENCE_ONLY = re.compile(r"\$\{env\.[A-Za-z_][A-Za-z0-9_]*\}")
_RATE = re.compile(r"([0-9]{1,6}(?:\.[0-9]{1,3})?)/s")
_ENDPOINT_FORM = "write embedded, or https://aom.REGION.myhuaweicloud.com; http:// is for loopback only"
_LOOPBACK = re.compile(r"localhost|127(?:\.[0-9]{1,3}){3}|\[::1\]")
_URL = re.compile(r"(https?)://(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+)(:[0-9]{1,5})?(/[^\s?#]*)?")


def refuse_literals(value: Any, path: Steps, spot: Spot) -> None:
    """Report every credential that stands in the config as text; `${env.X}` alone is how one is named."""
    if isinstance(value, dict):
        for key, child in value.items():
            if key_of_credential(key) and not isinstance(child, dict | list) and not _is_reference(child):
                hint = f"write `{key}: ${{env.X}}` and set X" if key == "integration_key" or path[0] == "state" else _AUTH_HINT
                spot.problem((*path, key), codes.LITERAL_CREDENTIAL, f"`{key}` holds a credential as text", hint)
            else:
                refuse_literals(child, (*path, key), spot)
    elif isinstance(value, list):
        for index, child in enumerate(value):
            refuse_literals(child, (*path, index), spot)
    elif isinstance(value, str) and literal_userinfo(value):
        spot.problem(path, codes.LITERAL_CREDENTIAL, "the URL holds a user or password as text", "use `${env.X}` for all of it")


_AUTH_HINT = "use `${env.X}`, or name the variable with `auth: {type: token, token_env: X}`; see the order of credentials"


def _is_reference(value: Any) -> bool:
    return value is None or (isinstance(value, str) and _REFERENCE_ONLY.fullmatch(value) is not None)


def targets_of(value: Any, spot: Spot) -> dict[str, Target]:
    """All targets by name; what is wrong with them is reported."""
    if not isinstance(value, dict):
        spot.problem(("targets",), codes.TYPE, "`targets` is a mapping of names to targets")
        return {}
    out: dict[str, Target] = {}
    for name, body in value.items():
        inside = Spot(spot.report, spot.file, spot.document, ("targets", name), quiet=spot.quiet)
        if not NAME.fullmatch(name):
            inside.problem(
                (), codes.NAME, f"`{name[:80]}` is no name for a target", "letters, digits, `_`, `.` and `-`", key=True
            )
        elif not isinstance(body, dict):
            inside.problem((), codes.TYPE, "a target is a mapping with `type` and `endpoint`", key=body is None)
        elif (target := _target(name, body, inside)) is not None:
            out[name] = target
    return out


def _target(name: str, given: dict[str, Any], spot: Spot) -> Target | None:
    body = {key: value for key, value in given.items() if value is not None}
    if body.pop("name", None) is not None:
        spot.problem(("name",), codes.UNKNOWN_KEY, "a target's name is its key", key=True)
    for key, reader in _READERS.items():
        _read(body, key, reader, spot)
    try:
        target = Target.model_validate({**body, "name": name})
    except ValidationError as error:
        tell(error, Target, spot)
        return None
    _belong(target, body, spot)
    return target


def _read(body: dict[str, Any], key: str, reader: tuple[str, Callable[[Any], Any], str], spot: Spot) -> None:
    code, read, form = reader
    if key in body:
        try:
            body[key] = read(body[key])
        except ValueError as error:
            spot.problem((key,), code, str(error), form)
            del body[key]


def _rate(value: Any) -> float:
    match = _RATE.fullmatch(value) if isinstance(value, str) else None
    if match is None or float(match[1]) <= 0:
        raise ValueError(f"`{plain(value)}` is not a rate")
    return float(match[1])


def _endpoint(value: Any) -> Any:
    """`embedded`, https, http to this machine, or a text that `${env.X}` completes later."""
    if not isinstance(value, str) or value == "embedded" or "${env." in value:
        return value
    match = _URL.fullmatch(value)
    if match is None:
        raise ValueError(f"`{plain(value)}` is not an endpoint")
    if match[3] is not None and not 0 < int(match[3][1:]) < 65_536:
        raise ValueError(f"`{match[3][1:]}` is no port")
    if match[1] == "http" and not _LOOPBACK.fullmatch(match[2].lower()):
        raise ValueError(f"`{plain(value)}` is not encrypted, and `{match[2]}` is not this machine")
    return value


_READERS: dict[str, tuple[str, Callable[[Any], Any], str]] = {
    "endpoint": (codes.ENDPOINT, _endpoint, _ENDPOINT_FORM),
    "rate": (codes.RATE, _rate, "write 20/s"),
    "request_timeout": (codes.DURATION, duration, DURATION_FORM),
    "confirm_timeout": (codes.DURATION, duration, DURATION_FORM),
    "settle_time": (codes.DURATION, duration, DURATION_FORM),
}


def _belong(target: Target, body: dict[str, Any], spot: Spot) -> None:
    for key, kind in _ONLY_FOR.items():
        if key in body and target.type != kind:
            spot.problem((key,), codes.MISPLACED, f"`{key}` is for targets of type {kind}", key=True)
    if target.method == "POST" and not target.rules.post_allowed:
        spot.problem(("method",), codes.MISPLACED, f"dialect {target.dialect} has no POST", "it is for dialect cn-2021")
    if target.type == "coc-events" and not target.embedded and target.integration_key is None:
        hint = "write `integration_key: ${env.COC_INTEGRATION_KEY}`"
        spot.problem((), codes.REQUIRED, "`integration_key` is required where the endpoint is not embedded", hint, key=True)
