"""Which names belong to credentials, and which config keys must not hold text. Knows names only, no values."""

from __future__ import annotations

import re

from reconcile.model.config import Config
from reconcile.model.template import references

_ENVIRONMENT = re.compile(
    r"HUAWEICLOUD_SDK_(AK|SK|SECURITY_TOKEN)|HW_(ACCESS_KEY|SECRET_KEY|SECURITY_TOKEN|AUTH_TOKEN|USER_NAME|USER_PASSWORD|DOMAIN_NAME)"
    r"|.*(TOKEN|SECRET|PASSWORD).*|.*_KEY"
)
_CONFIG_KEY = re.compile(
    r"ak|sk|.*(token|secret|password|passwd|credential).*|.*_(ak|sk)|(access|secret|integration|private|api|auth|signing)_?key(_id)?"
)
_USERINFO = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://([^/?#@]*)@")


def names_credential(variable: str, also: frozenset[str] = frozenset()) -> bool:
    """Whether an environment variable looks like a credential, by its name or because the config uses it as one."""
    return variable in also or _ENVIRONMENT.fullmatch(variable.upper()) is not None


def key_of_credential(key: str) -> bool:
    """Whether a config key asks for a credential itself (and not for the name of a variable)."""
    lowered = key.lower().replace("-", "_")
    return not lowered.endswith("_env") and _CONFIG_KEY.fullmatch(lowered) is not None


def literal_userinfo(text: str) -> bool:
    """Whether a URL holds a user or password as text; `${env.X}` is fine."""
    match = _USERINFO.match(text)
    return match is not None and re.sub(r"\$\{env\.[^}]+\}", "", match[1]) not in ("", ":")


def used_as_credentials(config: Config) -> frozenset[str]:
    """The environment variables that the config's targets use as keys, tokens or passwords."""
    names: set[str] = set()
    for target in config.targets.values():
        if target.auth is not None:
            names |= {value for key, value in target.auth.model_dump().items() if key != "type" and value is not None}
        if target.integration_key is not None:
            names |= {reference.name for reference in references(target.integration_key)}
    return frozenset(names)
