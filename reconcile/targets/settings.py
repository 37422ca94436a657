"""A target of the config, made ready: `${env.X}` filled in, the endpoint checked, region and scope known. Sends nothing."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from reconcile.errors import InputInvalid, Problem, SecretMissing
from reconcile.model.config import Config, Target
from reconcile.model.template import Reference, fill

EMBEDDED_PROJECT = "e0e0e0e0e0e0e0e0e0e0e0e0e0e0e0e0"  # the one that `reconcile emulator` names, so that both see the same
EMBEDDED_KEY = "EmbeddedIntegrationKey0123456789"
EMBEDDED_BASE = "http://embedded"
DEFAULT_RATE = 20.0
HERE = Path()
_REGION = re.compile(r"[a-z]{2,}(?:-[a-z0-9]+)+-\d+")


@dataclass(frozen=True, slots=True)
class Settings:
    """A target with nothing left to fill in. `rate` is None where none is kept; `base` has no slash at its end."""

    target: Target
    base: str
    project_id: str | None = None
    domain_id: str | None = None
    project_name: str | None = None
    region: str | None = None
    iam: str = ""
    rate: float | None = None
    ca_file: str | None = None
    proxy: str | None = field(default=None, repr=False)
    integration_key: str = field(default="", repr=False)
    namespace: str | None = None
    application_id: str | None = None
    source: str | None = None


def resolve(target: Target, config: Config, environ: Mapping[str, str], directory: Path = HERE) -> Settings:
    """Fill in and check one target. Raises SecretMissing or InputInvalid naming the target and the variable.

    `ca_file` stands beside the config, whose own path is relative to `directory`.
    """
    filler = _Filler(target, config, environ)
    if target.embedded:
        return _embedded(target, filler, environ)
    endpoint = filler.text("endpoint") or ""
    base = checked_base(endpoint, config, f"target `{target.name}`: `endpoint`")
    region = filler.text("region") or region_of(base) or environ.get("HW_REGION_NAME") or None
    iam = environ.get("HW_AUTH_URL") or f"https://iam.{region + '.' if region else ''}myhuaweicloud.com/v3"
    return Settings(
        target,
        base,
        project_id=filler.text("project_id") or _first(environ, "HUAWEICLOUD_SDK_PROJECT_ID", "HW_PROJECT_ID"),
        domain_id=filler.text("domain_id") or _first(environ, "HUAWEICLOUD_SDK_DOMAIN_ID", "HW_DOMAIN_ID"),
        project_name=environ.get("HW_PROJECT_NAME") or None,
        region=region,
        iam=checked_base(iam, config, "HW_AUTH_URL"),
        rate=target.rate or (None if is_loopback(urlsplit(base).hostname) else DEFAULT_RATE),
        ca_file=_ca_file(filler, config, directory),
        proxy=_proxy(filler, config),
        integration_key=_integration_key(target, filler),
        namespace=filler.text("namespace"),
        application_id=filler.text("application_id"),
        source=filler.text("source"),
    )


def _embedded(target: Target, filler: _Filler, environ: Mapping[str, str]) -> Settings:
    """The tool's own emulator: it needs no account, so what is not set has a fixed value."""
    return Settings(
        target,
        EMBEDDED_BASE,
        project_id=filler.text("project_id", needed=False) or EMBEDDED_PROJECT,
        rate=target.rate,
        integration_key=filler.text("integration_key", needed=False) or environ.get("COC_INTEGRATION_KEY") or EMBEDDED_KEY,
        namespace=filler.text("namespace"),
        application_id=filler.text("application_id"),
        source=filler.text("source"),
    )


def checked_base(url: str, config: Config, what: str) -> str:
    """The URL without its last slash. Raises InputInvalid unless it is https, or http to loopback, and nothing but a place."""
    try:
        parts = urlsplit(url)
        port_ok = parts.port is None or parts.port > 0
    except ValueError:
        raise _invalid(config, f"{what} is no URL") from None
    if parts.scheme not in ("http", "https") or not parts.hostname or not port_ok or not url.isprintable() or " " in url:
        raise _invalid(config, f"{what} is no http or https URL")
    if parts.username is not None or parts.password is not None:
        raise _invalid(config, f"{what} holds a user name or password; credentials never stand in a URL")
    if parts.query or parts.fragment:
        raise _invalid(config, f"{what} holds a query or fragment")
    if parts.scheme == "http" and not is_loopback(parts.hostname):
        raise _invalid(config, f"{what} is http to `{parts.hostname}`; http is for loopback only, use https")
    return url.rstrip("/")


def is_loopback(host: str | None) -> bool:
    """Whether a host is this machine."""
    try:
        return host == "localhost" or ipaddress.ip_address(host or "").is_loopback
    except ValueError:
        return False


def region_of(base: str) -> str | None:
    """The region in an endpoint's host: `aom.cn-north-4.myhuaweicloud.com` -> `cn-north-4`."""
    labels = (urlsplit(base).hostname or "").split(".")
    return next((label for label in labels[1:2] if _REGION.fullmatch(label)), None)


@dataclass(frozen=True, slots=True)
class _Filler:
    target: Target
    config: Config
    environ: Mapping[str, str]

    def text(self, key: str, *, needed: bool = True) -> str | None:
        """A string of the target, filled in; None where it is absent, or not `needed` and a variable is not set."""
        raw = getattr(self.target, key)
        if raw is None:
            return None
        try:
            return fill(raw, lambda reference: self._value(reference, key))
        except SecretMissing:
            if needed:
                raise
            return None

    def _value(self, reference: Reference, key: str) -> str:
        where = self.config.variables if reference.scope == "var" else self.environ
        value = where.get(reference.name)
        if not value:
            name = f"var.{reference.name}" if reference.scope == "var" else reference.name
            message = f"target `{self.target.name}`: `{key}` needs {name}, which is not set"
            hint = f"set {name}, or `endpoint: embedded` to try without an account"
            raise SecretMissing(message, where=self.config.file, hint=hint)
        return value


def _first(environ: Mapping[str, str], *names: str) -> str | None:
    return next((environ[name] for name in names if environ.get(name)), None)


def _integration_key(target: Target, filler: _Filler) -> str:
    if target.type != "coc-events":
        return ""
    key = filler.text("integration_key")
    if not key:
        raise SecretMissing(
            f"target `{target.name}` needs `integration_key`",
            hint='write integration_key: "${env.COC_INTEGRATION_KEY}" and set the variable',
        )
    return key


def _proxy(filler: _Filler, config: Config) -> str | None:
    """A proxy's URL, which may hold a name and password out of a variable, and so is never shown."""
    url = filler.text("proxy")
    if url is None:
        return None
    try:
        parts = urlsplit(url)
        usable = parts.scheme in ("http", "https") and bool(parts.hostname) and (parts.port or 1) > 0 and url.isprintable()
    except ValueError:
        usable = False
    if not usable:
        raise _invalid(config, f"target `{filler.target.name}`: `proxy` is no http or https URL")
    return url


def _ca_file(filler: _Filler, config: Config, directory: Path) -> str | None:
    text = filler.text("ca_file")
    if text is None:
        return None
    path = directory / Path(config.file or "").parent / text
    if not path.is_file():
        raise _invalid(config, f"target `{filler.target.name}`: `ca_file` names no file: {path}")
    return str(path)


def _invalid(config: Config, what: str) -> InputInvalid:
    return InputInvalid([Problem(config.file or "reconcile.yaml", 1, 1, "C072", what)])
