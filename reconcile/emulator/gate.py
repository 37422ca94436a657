"""The gate: who is calling, by token or signature, in the spelling of the API that refuses. Knows no API beyond its path."""

from __future__ import annotations

from hashlib import sha256

from reconcile.emulator.credentials import KeyPair
from reconcile.emulator.desk import INTEGRATION, Desk
from reconcile.emulator.exchange import Call, Refusal
from reconcile.emulator.signature import BadSignature, verify

OPEN = ("/v3/auth/tokens", "/meta-data/", "/openstack/")  # these bring their own credentials, or none
MISSING = "Token missing or invalid."


def admit(call: Call, desk: Desk) -> str:
    """The caller's name. Raises a Refusal with 401, or 403 for a token of another project."""
    if not desk.settings.auth_required or call.path.startswith(OPEN):
        return desk.credentials.user
    if call.path.startswith(INTEGRATION):
        return _integration(call, desk)
    return _identified(call, desk)


def _integration(call: Call, desk: Desk) -> str:
    """The key in the path is enough; credentials beside it, when given, must be right."""
    if not desk.credentials.accepts_integration(call.parts["integration_key"]):
        raise Refusal(401, MISSING)
    given = "x-auth-token" in call.headers or "authorization" in call.headers
    return _identified(call, desk) if given else desk.credentials.user


def _identified(call: Call, desk: Desk) -> str:
    token = call.header("x-auth-token")
    if token is not None:
        return _by_token(token, call, desk)
    if "authorization" not in call.headers:
        raise Refusal(401, MISSING)
    try:
        verify(call, lambda ak: _pair(ak, desk), desk.now())
    except BadSignature as error:
        raise Refusal(401, f"Incorrect IAM authentication information: {error}", "APIGW.0301") from error
    return desk.credentials.user


def _by_token(token: str, call: Call, desk: Desk) -> str:
    if token in desk.credentials.tokens:
        return desk.credentials.user
    row = desk.store.db.execute(
        "SELECT user, project_id FROM tokens WHERE digest = ? AND expires_at > ? AND user <> 'metadata'",
        (digest(token), desk.now()),
    ).fetchone()
    if row is None:
        raise Refusal(401, MISSING)
    user, project = row
    if "project_id" in call.parts and call.parts["project_id"] != project:
        raise Refusal(403, "The token is not scoped to this project")
    return str(user)


def _pair(ak: str, desk: Desk) -> KeyPair | None:
    known = desk.credentials.pairs.get(ak)
    if known is not None:
        return known
    row = desk.store.db.execute(
        "SELECT ak, sk, security_token FROM key_pairs WHERE ak = ? AND expires_at > ?", (ak, desk.now())
    ).fetchone()
    return None if row is None else KeyPair(*row)


def digest(token: str) -> str:
    """How issued tokens are kept."""
    return sha256(token.encode()).hexdigest()
