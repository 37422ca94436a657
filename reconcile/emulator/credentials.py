"""Who may come in: the credentials of the environment, else a fixed pair that the README names. Knows no request."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

FIXED_AK: Final = "RECONCILEEMULATORAK1"
FIXED_SK: Final = "reconcile-emulator-secret-key-not-a-real-one"
FIXED_TOKEN: Final = "reconcile-emulator-token"
FIXED_USER: Final = "emulator-user"
FIXED_PASSWORD: Final = "emulator-password"
FIXED_DOMAIN: Final = "emulator-domain"
FIXED_DOMAIN_ID: Final = "e0e0e0e0e0e0e0e0e0e0e0e0e0e0d0d0"
FIXED_PROJECT_ID: Final = "e0e0e0e0e0e0e0e0e0e0e0e0e0e0e0e0"
FIXED_REGION: Final = "cn-north-4"
INTEGRATION_KEY = re.compile(r"[A-Za-z0-9]{32}")


@dataclass(frozen=True, slots=True)
class KeyPair:
    """An access key with its secret; a temporary one demands its security token beside it."""

    ak: str
    sk: str
    security_token: str | None = None


@dataclass(frozen=True, slots=True)
class Credentials:
    """What is valid. Each kind is looked for by itself: a token in the environment leaves the fixed key pair valid."""

    pairs: Mapping[str, KeyPair]
    tokens: frozenset[str]
    user: str
    password: str
    domain: str
    project_id: str
    project_name: str
    integration_key: str | None
    from_environment: bool

    def accepts_integration(self, key: str) -> bool:
        """Whether a custom event may come in with this integration key."""
        return key == self.integration_key if self.integration_key else INTEGRATION_KEY.fullmatch(key) is not None


def find_credentials(environ: Mapping[str, str]) -> Credentials:
    """The valid credentials, by the names the vendor's SDK and the Terraform provider use."""
    pairs = [
        KeyPair(ak, sk, environ.get(f"{prefix}SECURITY_TOKEN") or None)
        for prefix, ak_name, sk_name in (("HUAWEICLOUD_SDK_", "AK", "SK"), ("HW_", "ACCESS_KEY", "SECRET_KEY"))
        if (ak := environ.get(prefix + ak_name)) and (sk := environ.get(prefix + sk_name))
    ]
    token, password = environ.get("HW_AUTH_TOKEN"), environ.get("HW_USER_PASSWORD")
    return Credentials(
        pairs={pair.ak: pair for pair in pairs or [KeyPair(FIXED_AK, FIXED_SK)]},
        tokens=frozenset([token or FIXED_TOKEN]),
        user=environ.get("HW_USER_NAME") or FIXED_USER,
        password=password or FIXED_PASSWORD,
        domain=environ.get("HW_DOMAIN_NAME") or FIXED_DOMAIN,
        project_id=environ.get("HUAWEICLOUD_SDK_PROJECT_ID") or environ.get("HW_PROJECT_ID") or FIXED_PROJECT_ID,
        project_name=environ.get("HW_PROJECT_NAME") or environ.get("HW_REGION_NAME") or FIXED_REGION,
        integration_key=environ.get("COC_INTEGRATION_KEY") or None,
        from_environment=bool(pairs or token or password),
    )
