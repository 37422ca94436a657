"""The `notify:` of the config -> Notify. The URL is named by a variable and stays unresolved; nothing is sent from here."""

from __future__ import annotations

import re
from typing import Any

from pydantic import ValidationError

from reconcile.model.config import Notify
from reconcile.specs import codes
from reconcile.specs.closest import did_you_mean
from reconcile.specs.config_targets import refuse_literals
from reconcile.specs.source import Spot
from reconcile.specs.times import DURATION_FORM, duration
from reconcile.specs.translate import tell

_KEYS = tuple(Notify.model_fields)
_REFERENCE = re.compile(r"\$\{env\.[A-Za-z_][A-Za-z0-9_]*\}")


def notify_of(value: Any, spot: Spot) -> Notify | None:
    """Where records of runs go, or None; what is wrong is reported."""
    if value is None:
        return None
    inside = Spot(spot.report, spot.file, spot.document, ("notify",), quiet=spot.quiet)
    if not isinstance(value, dict):
        inside.problem((), codes.TYPE, "`notify` is a mapping with `url`")
        return None
    body = {key: child for key, child in value.items() if child is not None}
    for key in body.keys() - set(_KEYS):
        hint = did_you_mean(key, _KEYS, otherwise=f"the keys are {', '.join(_KEYS)}")
        inside.problem((key,), codes.UNKNOWN_KEY, f"there is no key `{key[:80]}` here", hint, key=True)
    refuse_literals({key: child for key, child in body.items() if key != "url"}, ("notify",), spot)
    if isinstance(body.get("url"), str) and not _REFERENCE.fullmatch(body["url"]):
        hint = "write `url: ${env.X}` and set X"
        inside.problem(
            ("url",), codes.LITERAL_CREDENTIAL, "`url` stands here as text, and such a URL is mostly a credential", hint
        )
    if "timeout" in body:
        try:
            body["timeout"] = duration(body["timeout"])
        except ValueError as error:
            inside.problem(("timeout",), codes.DURATION, str(error), DURATION_FORM)
            del body["timeout"]
    return _built({key: child for key, child in body.items() if key in _KEYS}, inside)


def _built(body: dict[str, Any], spot: Spot) -> Notify | None:
    try:
        return Notify.model_validate(body)
    except ValidationError as error:
        tell(error, Notify, spot)
        return None
