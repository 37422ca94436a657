"""IAM: password login, projects, domains, and the metadata service that hands an ECS agency its keys. Knows no alarm."""

from __future__ import annotations

import re
import secrets
from datetime import UTC, datetime
from hashlib import md5
from typing import Any

from reconcile.emulator.credentials import FIXED_DOMAIN_ID, FIXED_REGION
from reconcile.emulator.desk import Desk
from reconcile.emulator.exchange import Answer, Call, Refusal, as_json, read_object
from reconcile.emulator.gate import digest

TOKEN_LIFE = 24 * 3_600_000
_REGION = re.compile(r"[a-z]{2,}(-[a-z0-9]+)+")


def login(call: Call, desk: Desk) -> Answer:
    """`POST /v3/auth/tokens`: a password for a token of 24 hours, scoped to a project or a domain."""
    auth = _mapping(read_object(call, "The request body is invalid."), "auth")
    identity = _mapping(auth, "identity")
    if identity.get("methods") != ["password"]:
        raise Refusal(400, "The request body is invalid: identity.methods must be [password].")
    user = _mapping(_mapping(identity, "password"), "user")
    known = desk.credentials
    given = (user.get("name"), user.get("password"), _mapping(user, "domain").get("name"))
    if given != (known.user, known.password, known.domain):
        raise Refusal(401, "The username or password is wrong.")
    project = _scope(auth, desk)
    token = secrets.token_urlsafe(48)
    expires = desk.now() + TOKEN_LIFE
    desk.store.db.execute("INSERT INTO tokens VALUES (?, ?, ?, ?)", (digest(token), known.user, project, expires))
    body: dict[str, Any] = {
        "methods": ["password"],
        "issued_at": _instant(desk.now()),
        "expires_at": _instant(expires),
        "user": {"name": known.user, "domain": {"name": known.domain, "id": FIXED_DOMAIN_ID}},
    }
    scope = {"domain": {"name": known.domain, "id": FIXED_DOMAIN_ID}} if project is None else {"project": {"id": project}}
    return as_json(201, {"token": body | scope}, ("x-subject-token", token))


def _scope(auth: dict[str, Any], desk: Desk) -> str | None:
    """The project's id; None for a domain."""
    scope = _mapping(auth, "scope")
    if "domain" in scope:
        return None
    project = _mapping(scope, "project")
    if "id" in project:
        if project["id"] not in {desk.credentials.project_id, *(_project_id(n, desk) for n in _names(desk))}:
            raise Refusal(401, "The project is not found, or the user has no rights in it.")
        return str(project["id"])
    found = _project_id(str(project.get("name", "")), desk)
    if found is None:
        raise Refusal(401, "The project is not found, or the user has no rights in it.")
    return found


def projects(call: Call, desk: Desk) -> Answer:
    """`GET /v3/projects?name=`: any region-shaped name is a project; without a name, the one of the credentials."""
    name = call.asked("name") or desk.credentials.project_name
    found = _project_id(name, desk)
    rows = [] if found is None else [{"id": found, "name": name, "domain_id": FIXED_DOMAIN_ID, "enabled": True}]
    return as_json(200, {"projects": rows, "links": {"self": "/v3/projects", "next": None, "previous": None}})


def domains(call: Call, desk: Desk) -> Answer:
    """`GET /v3/auth/domains`."""
    return as_json(200, {"domains": [{"id": FIXED_DOMAIN_ID, "name": desk.credentials.domain, "enabled": True}]})


def metadata_token(call: Call, desk: Desk) -> Answer:
    """`PUT /meta-data/latest/api/token`: the metadata service's own token."""
    ttl = call.header("x-metadata-token-ttl-seconds") or ""
    if not ttl.isascii() or not ttl.isdigit() or not 1 <= int(ttl) <= 21_600:
        raise Refusal(400, "X-Metadata-Token-Ttl-Seconds must be 1 to 21600")
    token = secrets.token_urlsafe(32)
    desk.store.db.execute("INSERT INTO tokens VALUES (?, ?, ?, ?)", (digest(token), "metadata", "", desk.now() + int(ttl) * 1000))
    return Answer(200, token.encode(), (("content-type", "text/plain"),))


def security_key(call: Call, desk: Desk) -> Answer:
    """`GET /openstack/latest/securitykey`: temporary keys of the machine's agency, for 24 hours."""
    row = desk.store.db.execute(
        "SELECT 1 FROM tokens WHERE digest = ? AND user = 'metadata' AND expires_at > ?",
        (digest(call.header("x-metadata-token") or ""), desk.now()),
    ).fetchone()
    if row is None:
        raise Refusal(401, "X-Metadata-Token is missing or expired")
    access, secret, token = (secrets.token_hex(n) for n in (10, 20, 64))
    expires = desk.now() + TOKEN_LIFE
    desk.store.db.execute("INSERT INTO key_pairs VALUES (?, ?, ?, ?)", (access.upper(), secret, token, expires))
    credential = {"access": access.upper(), "secret": secret, "securitytoken": token, "expires_at": _instant(expires)}
    return as_json(200, {"credential": credential})


def _names(desk: Desk) -> set[str]:
    return {desk.credentials.project_name, FIXED_REGION}


def _project_id(name: str, desk: Desk) -> str | None:
    if name in _names(desk):
        return desk.credentials.project_id
    return md5(name.encode(), usedforsecurity=False).hexdigest() if _REGION.fullmatch(name) else None


def _mapping(parent: dict[str, Any], name: str) -> dict[str, Any]:
    value = parent.get(name)
    if not isinstance(value, dict):
        raise Refusal(400, f"The request body is invalid: {name} is missing.")
    return value


def _instant(ms: int) -> str:
    return datetime.fromtimestamp(ms / 1000, UTC).strftime("%Y-%m-%dT%H:%M:%S.%f") + "Z"
