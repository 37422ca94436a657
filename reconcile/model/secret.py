"""Salted digests of secret values: how a state knows that a secret changed without knowing the secret."""

from __future__ import annotations

import hashlib
import hmac


def salted(value: str, salt: str) -> str:
    """`hmac-sha256:SALT:HEX` of a secret value."""
    return f"hmac-sha256:{salt}:{hmac.new(salt.encode(), value.encode('utf-8', 'surrogatepass'), hashlib.sha256).hexdigest()}"


def is_salted_from(digest: str, value: str) -> bool:
    """Whether the digest was made from this value."""
    _, _, rest = digest.partition(":")
    salt = rest.partition(":")[0]
    return hmac.compare_digest(digest, salted(value, salt))
