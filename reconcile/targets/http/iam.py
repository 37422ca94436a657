"""What is asked of IAM and of an ECS's metadata service: a token for a password, a project id, temporary keys.

Answers stay in memory. Knows neither the environment nor the targets.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from reconcile.errors import Effect
from reconcile.targets.http.errors import WireError, unusable
from reconcile.targets.http.login import Lease, Token
from reconcile.targets.http.signer import Keys
from reconcile.targets.http.wire import Request, Response, Wire

DAY = 86_400_000
METADATA_TOKEN_SECONDS = "21600"
TOKENLESS = frozenset({404, 405, 503})  # metadata services that know no session tokens


@dataclass(frozen=True, slots=True)
class Password:
    """An IAM user with its password, and what the token shall be good for: one of project id, project name, or the domain."""

    user: str
    domain: str
    password: str = field(repr=False)
    project_id: str | None = None
    project_name: str | None = None

    def scope(self) -> dict[str, Any]:
        """The scope as IAM spells it."""
        if self.project_id:
            return {"project": {"id": self.project_id}}
        if self.project_name:
            return {"project": {"name": self.project_name}}
        return {"domain": {"name": self.domain}}


async def fetch_token(wire: Wire, login: Password, *, now: Callable[[], int]) -> Lease[Token]:
    """Trade a password for a token (IAM KeystoneCreateUserTokenByPassword)."""
    user = {"name": login.user, "password": login.password, "domain": {"name": login.domain}}
    identity = {"methods": ["password"], "password": {"user": user}}
    request = Request(
        "POST",
        ("auth", "tokens"),
        label="IAM log-in",
        params=(("nocatalog", "1"),),
        body={"auth": {"identity": identity, "scope": login.scope()}},
        repeatable=True,
        accepted=frozenset({200, 201}),
    )
    response = await wire.send(request)
    text = response.headers.get("x-subject-token", "")
    if not text:
        raise unusable(request, response.status, response.headers, "without X-Subject-Token", where="IAM")
    token = _at(response.json, "token")
    project = _at(token, "project").get("id")
    expires_at = _instant(token.get("expires_at"))
    return Lease(Token(text, project if isinstance(project, str) else None), now() + DAY if expires_at is None else expires_at)


async def find_project(wire: Wire, region: str) -> str:
    """The id of the project a region is named after (IAM KeystoneListProjects). Exactly one, or an error."""
    request = Request("GET", ("projects",), label="IAM ListProjects", params=(("name", region),), repeatable=True)
    response = await wire.send(request)
    listed = response.json.get("projects") if isinstance(response.json, dict) else None
    ids = [str(row["id"]) for row in listed or [] if isinstance(row, dict) and row.get("id")]
    if len(ids) != 1:
        raise WireError(
            f"IAM knows {len(ids)} projects named `{region}`, so the project id cannot be looked up",
            effect=Effect.NOT_SENT,
            hint="name the project with `project_id`",
        )
    return ids[0]


async def fetch_agency_keys(wire: Wire, *, now: Callable[[], int]) -> Lease[Keys]:
    """Temporary keys of the ECS's agency, from the metadata service."""
    request = Request(
        "GET",
        ("openstack", "latest", "securitykey"),
        label="ECS metadata",
        headers=await _metadata_headers(wire),
        repeatable=True,
    )
    response = await wire.send(request)
    given = _at(response.json, "credential")
    fields = [given.get(name) for name in ("access", "secret", "securitytoken")]
    if not all(isinstance(value, str) and value for value in fields):
        why = "without a whole key; is an agency bound?"
        raise unusable(request, response.status, response.headers, why, where="ECS metadata")
    expires_at = _instant(given.get("expires_at"))
    return Lease(Keys(*map(str, fields)), now() + DAY if expires_at is None else expires_at)


async def _metadata_headers(wire: Wire) -> Mapping[str, str]:
    request = Request(
        "PUT",
        ("meta-data", "latest", "api", "token"),
        label="ECS metadata token",
        headers={"X-Metadata-Token-Ttl-Seconds": METADATA_TOKEN_SECONDS},
        repeatable=True,
        expects_json=False,
    )
    try:
        response: Response = await wire.send(request)
    except WireError as error:
        if error.answer.status in TOKENLESS:
            return {}
        raise
    return {"X-Metadata-Token": response.text.strip()} if response.text.strip() else {}


def _at(value: Any, key: str) -> dict[str, Any]:
    found = value.get(key) if isinstance(value, dict) else None
    return found if isinstance(found, dict) else {}


def _instant(text: Any) -> int | None:
    try:
        parsed = datetime.fromisoformat(str(text))
    except ValueError:
        return None
    return int((parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)).timestamp() * 1000)
