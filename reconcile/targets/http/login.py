"""Being logged in: where tokens and keys come from while a run lasts, and the one resend after a 401.

A source hands out what is valid now and is asked for fresh ones at most once per stale one, whoever notices first.
Knows neither the environment nor IAM's bodies.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Generator, Mapping
from dataclasses import dataclass, field
from typing import Generic, Protocol, TypeVar

import httpx

from reconcile.errors import Answer, Effect, TargetError
from reconcile.targets.http.client import Http
from reconcile.targets.http.errors import WireError
from reconcile.targets.http.signer import Keys, Signed
from reconcile.targets.http.wire import Request, Response

T = TypeVar("T", covariant=True)
V = TypeVar("V")


class Source(Protocol[T]):
    """Where a secret comes from."""

    async def get(self) -> T:
        """What is valid now."""
        ...

    async def fresh(self, stale: object) -> T | None:
        """Another one than `stale`, which a server refused; None where there is no way to get one."""
        ...


@dataclass(frozen=True, slots=True)
class Fixed(Generic[V]):
    """A secret that was handed in: there is no other."""

    value: V = field(repr=False)

    async def get(self) -> V:
        """The one there is."""
        return self.value

    async def fresh(self, stale: object) -> V | None:
        """Nothing: whoever handed it in must hand in another."""
        return None


@dataclass(frozen=True, slots=True)
class Lease(Generic[V]):
    """A secret that was fetched, and when it ends (ms). Kept in memory only."""

    value: V = field(repr=False)
    expires_at: int


class Leased(Generic[V]):
    """A secret that is fetched once, and again when nine tenths of its life are over or a server refused it."""

    def __init__(self, fetch: Callable[[], Awaitable[Lease[V]]], *, now: Callable[[], int]) -> None:
        self._fetch = fetch
        self._now = now
        self._lock = asyncio.Lock()
        self._lease: Lease[V] | None = None
        self._renew_at = 0

    async def get(self) -> V:
        """What is valid now, fetched if need be."""
        async with self._lock:
            if self._lease is None or self._now() >= self._renew_at:
                return await self._renewed()
            return self._lease.value

    async def fresh(self, stale: object) -> V | None:
        """Another one than `stale`: the one somebody fetched meanwhile, or a new one."""
        async with self._lock:
            if self._lease is not None and self._lease.value is not stale:
                return self._lease.value
            return await self._renewed()

    async def _renewed(self) -> V:
        begun = self._now()
        lease = await self._fetch()
        self._lease = lease
        self._renew_at = begun + max(0, lease.expires_at - begun) * 9 // 10
        return lease.value


@dataclass(frozen=True, slots=True)
class Token:
    """An IAM token; `project_id` is the project it is scoped to, where IAM told."""

    text: str = field(repr=False)
    project_id: str | None = None


class TokenAuth(httpx.Auth):
    """Sends a token as X-Auth-Token."""

    def __init__(self, token: Token) -> None:
        self.token = token

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        """Add the token."""
        request.headers["X-Auth-Token"] = self.token.text
        yield request


class Login(Protocol):
    """A way to log in: what authenticates a request."""

    async def auth(self) -> httpx.Auth | None:
        """What authenticates a request now; None sends it bare."""
        ...

    async def again(self, stale: httpx.Auth | None) -> httpx.Auth | None:
        """Something fresh after a 401; None where there is nothing."""
        ...


class NoLogin:
    """Requests go out bare."""

    async def auth(self) -> httpx.Auth | None:
        """Nothing to add."""
        return None

    async def again(self, stale: httpx.Auth | None) -> httpx.Auth | None:
        """Nothing fresh either."""
        return None


@dataclass(frozen=True, slots=True)
class TokenLogin:
    """Logs in with a token."""

    source: Source[Token]

    async def auth(self) -> httpx.Auth | None:
        """The token of now."""
        return TokenAuth(await self.source.get())

    async def again(self, stale: httpx.Auth | None) -> httpx.Auth | None:
        """A fresh token."""
        token = await self.source.fresh(stale.token if isinstance(stale, TokenAuth) else None)
        return None if token is None else TokenAuth(token)


async def no_scope() -> Mapping[str, str]:
    """Neither project nor domain."""
    return {}


@dataclass(frozen=True, slots=True)
class KeyLogin:
    """Logs in by signing. `scope` gives X-Project-Id or X-Domain-Id, looked up when first needed."""

    source: Source[Keys]
    now: Callable[[], int]
    scope: Callable[[], Awaitable[Mapping[str, str]]] = no_scope

    async def auth(self) -> httpx.Auth | None:
        """A signature with the keys of now."""
        return Signed(await self.source.get(), scope=await self.scope(), now=self.now)

    async def again(self, stale: httpx.Auth | None) -> httpx.Auth | None:
        """A signature with fresh keys."""
        keys = await self.source.fresh(stale.keys if isinstance(stale, Signed) else None)
        return None if keys is None else Signed(keys, scope=await self.scope(), now=self.now)


class LoggedIn:
    """The wire that logs in: a 401 leads to one fresh credential and one resend, since nothing was executed."""

    def __init__(self, http: Http, login: Login) -> None:
        self._http = http
        self._login = login

    async def send(self, request: Request) -> Response:
        """Send with what authenticates now. A failed log-in means that the request itself never left."""
        auth = await before_sending(self._login.auth())
        try:
            return await self._http.send(request, auth)
        except WireError as error:
            if error.answer.status != 401 or error.skewed:
                raise
            again = await before_sending(self._login.again(auth))
            if again is None:
                raise
        return await self._http.send(request, again)


async def before_sending(step: Awaitable[V]) -> V:
    """What must succeed before a request leaves. A failure says so: the request was not sent, and its own status is none."""
    try:
        return await step
    except TargetError as error:
        said = Answer(None, error.answer.code, error.answer.words, error.answer.trace_id)
        message = f"cannot log in: {error.message}"
        raise WireError(message, effect=Effect.NOT_SENT, answer=said, where=error.where, hint=error.hint) from error
