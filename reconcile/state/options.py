"""Options: the keys of `state:` for each remote place, `${env.X}` filled in. A credential is never literal and never shown."""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping
from typing import Any, TypeVar

from pydantic import Field, SecretStr, ValidationError

from reconcile.errors import InputInvalid, Problem, SecretMissing
from reconcile.model.base import Value
from reconcile.model.template import Reference, fill, references
from reconcile.state.place import AGAIN

SECRET = ("password", "conn_str", "client_private_key_pem")
CREDENTIAL = re.compile("auth|token|secret|password|key|cookie", re.IGNORECASE)
REFER = "write `${env.NAME}`, and set that variable"


class HttpOptions(Value):
    """`backend: http`, in Terraform's words; every key has its `TF_HTTP_` variable."""

    address: str
    update_method: str = "POST"
    lock_address: str | None = None
    lock_method: str = "LOCK"
    unlock_address: str | None = None
    unlock_method: str = "UNLOCK"
    username: str | None = None
    password: SecretStr | None = None
    client_ca_certificate_pem: str | None = None
    client_certificate_pem: str | None = None
    client_private_key_pem: SecretStr | None = None
    headers: dict[str, SecretStr] = Field(default_factory=dict, strict=False)
    retry_max: int | None = Field(default=None, strict=False, ge=0, le=20)
    retry_wait_min: float = Field(default=1, strict=False, gt=0)
    retry_wait_max: float = Field(default=30, strict=False, gt=0)
    skip_cert_verification: bool = Field(default=False, strict=False)
    request_timeout: float = Field(default=60, strict=False, gt=0)
    ca_file: str | None = None
    proxy: str | None = None

    @property
    def again(self) -> tuple[float, ...]:
        """Seconds before each further try: doubled each time, between Terraform's two bounds; ours where nothing is said."""
        if self.retry_max is None:
            return AGAIN
        return tuple(min(self.retry_wait_min * 2**number, self.retry_wait_max) for number in range(self.retry_max))


class S3Options(Value):
    """`backend: s3`: also MinIO and OBS, by `endpoint`. Credentials are found as the AWS tools find them."""

    bucket: str
    key: str
    region: str | None = None
    endpoint: str | None = None
    profile: str | None = None
    path_style: bool = Field(default=False, strict=False)
    encrypt: bool = Field(default=False, strict=False)
    kms_key_id: str | None = None
    ca_file: str | None = None


class PostgresOptions(Value):
    """`backend: postgres`; `name` tells the states of one schema apart."""

    conn_str: SecretStr
    schema_name: str = Field(default="reconcile", min_length=1, max_length=63)
    name: str = Field(default="default", min_length=1)


Options = TypeVar("Options", HttpOptions, S3Options, PostgresOptions)


def resolved(kind: type[Options], given: Mapping[str, Any], environ: Mapping[str, str], *, prefix: str = "") -> Options:
    """Fill in and check. What is set in the environment under `prefix` counts where the config is silent."""
    known = kind.model_fields
    problems = [_unknown(key, known) for key in given if key not in known]
    values = {key: environ[prefix + key.upper()] for key in known if prefix and prefix + key.upper() in environ}
    for key, value in given.items():
        problems += [_problem(f"`state.{name}` is a literal credential", REFER) for name in _literal(key, value)]
        values[key] = _filled(key, value, environ)
    if problems:
        raise InputInvalid(problems)
    secrets = {key: SecretStr(values[key]) for key in SECRET if key in values}
    try:
        return kind.model_validate({**values, **secrets})
    except ValidationError as error:
        lines = error.errors(include_input=False, include_url=False, include_context=False)
        raise InputInvalid([_problem(f"`state.{'.'.join(map(str, e['loc']))}`: {e['msg']}") for e in lines]) from None


def _referred(value: Any) -> bool:
    return isinstance(value, str) and any(ref.scope in ("env", "secret.env") for ref in references(value))


def _literal(key: str, value: Any) -> list[str]:
    """The credentials in it that are no references; any header may be one that says so."""
    if isinstance(value, Mapping):
        return [f"{key}.{name}" for name, one in value.items() if CREDENTIAL.search(str(name)) and not _referred(one)]
    return [key] if key in SECRET and not _referred(value) else []


def _filled(key: str, value: Any, environ: Mapping[str, str]) -> Any:
    if isinstance(value, Mapping):
        return {name: _filled(f"{key}.{name}", one, environ) for name, one in value.items()}
    return fill(value, lambda ref: _looked_up(ref, key, environ)) if isinstance(value, str) else value


def _looked_up(ref: Reference, key: str, environ: Mapping[str, str]) -> str:
    if ref.scope not in ("env", "secret.env"):
        raise InputInvalid(
            [_problem(f"`state.{key}` refers to `${{{ref.scope}.{ref.name}}}`", "only `${env.NAME}` is filled in here")]
        )
    if ref.name not in environ:
        raise SecretMissing(f"`state.{key}` needs the variable {ref.name}, which is not set")
    return environ[ref.name]


def _unknown(key: str, known: Mapping[str, object]) -> Problem:
    close = difflib.get_close_matches(key, known, n=1)
    return _problem(f"`state.{key}` is not a key of this backend", f"did you mean `{close[0]}`?" if close else ", ".join(known))


def _problem(what: str, hint: str | None = None) -> Problem:
    return Problem(file="reconcile.yaml", line=1, column=1, code="C050", what=what, hint=hint)
