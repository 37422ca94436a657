"""Builds what a target sends through: client, log-in, log, rate and retries, in this order from the inside.

Shares clients, fetched tokens and the retry budget among the targets of a run. Knows no alarm.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Hashable, Mapping
from dataclasses import dataclass
from typing import Any, assert_never

from reconcile.errors import SecretMissing
from reconcile.ports import Clock
from reconcile.targets.credentials import AgencyChoice, Choice, KeyChoice, NoChoice, PasswordChoice, TokenChoice
from reconcile.targets.http.client import Http
from reconcile.targets.http.clients import Clients
from reconcile.targets.http.iam import Password, fetch_agency_keys, fetch_token, find_project
from reconcile.targets.http.logged import Logged
from reconcile.targets.http.login import (
    Fixed,
    KeyLogin,
    Lease,
    Leased,
    LoggedIn,
    Login,
    NoLogin,
    Source,
    Token,
    TokenLogin,
    before_sending,
)
from reconcile.targets.http.rate import RateLimited
from reconcile.targets.http.retrying import Budget, Retrying
from reconcile.targets.http.scrub import Scrubber
from reconcile.targets.http.signer import Keys
from reconcile.targets.http.throttle import Throttled
from reconcile.targets.http.wire import Wire
from reconcile.targets.settings import Settings

METADATA_BASE = "http://169.254.169.254"


@dataclass(frozen=True, slots=True)
class Connection:
    """What an adapter is given: a wire, and the project it works in."""

    wire: Wire
    project_id: Callable[[], Awaitable[str]]


class Connector:
    """Connects targets. `metadata_base` is where the ECS metadata service answers."""

    def __init__(
        self, clients: Clients, *, clock: Clock, log: Callable[[str], None], scrub: Scrubber, metadata_base: str = METADATA_BASE
    ) -> None:
        self._clients = clients
        self._clock = clock
        self._log = log
        self._scrub = scrub
        self._metadata_base = metadata_base
        self._budget = Budget()
        self._sources: dict[Hashable, Any] = {}

    def connect(self, settings: Settings, choice: Choice) -> Connection:
        """Build the wire of a target that logs in as chosen."""
        login, project_id = self._login(settings, choice)
        where = f"target `{settings.target.name}`" + ("" if settings.target.embedded else f", {settings.base}")
        return Connection(self._wire(settings, settings.base, login, where, rate=settings.rate), project_id)

    def _wire(self, settings: Settings, base: str, login: Login, where: str, *, rate: float | None = None) -> Wire:
        target = settings.target
        client = self._clients.get(embedded=target.embedded, ca_file=settings.ca_file, proxy=settings.proxy)
        http = Http(
            client,
            base,
            seconds=target.request_timeout / 1000,
            now=self._clock.now,
            where=where,
            scrub=self._scrub,
            traced=not target.embedded,
        )
        return self._wrapped(LoggedIn(http, login), target.name, rate)

    def _wrapped(self, wire: Wire, name: str, rate: float | None) -> Wire:
        logged: Wire = Logged(wire, name=name, log=self._log)
        paced = RateLimited(logged, rate=rate, sleep=self._clock.sleep) if rate else logged
        calm = Throttled(paced, sleep=self._clock.sleep, now=lambda: self._clock.now() / 1000)
        return Retrying(calm, budget=self._budget, sleep=self._clock.sleep, log=self._log)

    def _login(self, settings: Settings, choice: Choice) -> tuple[Login, Callable[[], Awaitable[str]]]:
        known = settings.project_id or (choice.project_id if isinstance(choice, KeyChoice) else None)
        match choice:
            case NoChoice():
                return NoLogin(), _Project(known, None, None).id
            case TokenChoice():
                token = Fixed(Token(choice.token))
                return TokenLogin(token), self._project(settings, known, TokenLogin(token)).id
            case PasswordChoice():
                tokens = self._tokens(settings, choice)
                return TokenLogin(tokens), self._project(settings, known, TokenLogin(tokens), tokens).id
            case KeyChoice():
                return self._key_login(settings, Fixed(choice.keys), known, settings.domain_id or choice.domain_id)
            case AgencyChoice():
                return self._key_login(settings, self._agency(settings), known, settings.domain_id)
            case _:
                assert_never(choice)

    def _key_login(
        self, settings: Settings, source: Source[Keys], known: str | None, domain_id: str | None
    ) -> tuple[Login, Callable[[], Awaitable[str]]]:
        project = self._project(settings, known, KeyLogin(source, self._clock.now))

        async def scope() -> Mapping[str, str]:
            if settings.target.type != "aom" and domain_id:
                return {"X-Domain-Id": domain_id}
            if not known and (settings.target.type == "coc-events" or not settings.region):
                return {}
            return {"X-Project-Id": await project.id()}

        return KeyLogin(source, self._clock.now, scope), project.id

    def _project(self, settings: Settings, known: str | None, login: Login, tokens: Source[Token] | None = None) -> _Project:
        async def look_up() -> str:
            if not settings.region:
                raise SecretMissing(f"target `{settings.target.name}` needs `project_id`, or a region to look it up by")
            return await find_project(self._wire(settings, settings.iam, login, "IAM"), settings.region)

        return _Project(known, tokens, look_up)

    def _tokens(self, settings: Settings, choice: PasswordChoice) -> Source[Token]:
        password = Password(
            choice.user,
            choice.domain,
            choice.password,
            project_id=settings.project_id,
            project_name=settings.project_name or settings.region,
        )

        async def fetch() -> Lease[Token]:
            lease = await fetch_token(self._wire(settings, settings.iam, NoLogin(), "IAM"), password, now=self._clock.now)
            self._scrub.learn(lease.value.text)
            return lease

        tokens: Source[Token] = self._shared((settings.iam, settings.ca_file, settings.proxy, password), fetch)
        return tokens

    def _agency(self, settings: Settings) -> Source[Keys]:
        async def fetch() -> Lease[Keys]:
            client = self._clients.get()
            http = Http(client, self._metadata_base, seconds=5, now=self._clock.now, where="ECS metadata", scrub=self._scrub)
            lease = await fetch_agency_keys(self._wrapped(LoggedIn(http, NoLogin()), "ECS metadata", None), now=self._clock.now)
            for secret in (lease.value.sk, lease.value.security_token or ""):
                self._scrub.learn(secret)
            return lease

        keys: Source[Keys] = self._shared("agency", fetch)
        return keys

    def _shared(self, key: Hashable, fetch: Callable[[], Awaitable[Any]]) -> Any:
        if key not in self._sources:
            self._sources[key] = Leased(fetch, now=self._clock.now)
        return self._sources[key]


class _Project:
    """The project id of a target: configured, told with the token, or looked up once by the region's name."""

    def __init__(self, known: str | None, tokens: Source[Token] | None, look_up: Callable[[], Awaitable[str]] | None) -> None:
        self._known = known
        self._tokens = tokens
        self._look_up = look_up
        self._lock = asyncio.Lock()

    async def id(self) -> str:
        """The id; asked for at most once."""
        async with self._lock:
            if self._known is None:
                self._known = await before_sending(self._found())
            return self._known

    async def _found(self) -> str:
        if self._tokens is not None:
            project_id = (await self._tokens.get()).project_id
            if project_id:
                return project_id
        if self._look_up is None:
            raise SecretMissing("the target needs `project_id`")
        return await self._look_up()
