"""The httpx clients of a run: one for each way to the network, shared by all targets that go this way.

No redirect is followed, no cookie kept, and neither proxy nor netrc is taken from the environment.
"""

from __future__ import annotations

import ssl
from collections.abc import Callable
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import Any

import httpx

from reconcile import __version__
from reconcile.targets.http.client import IDLE_SECONDS

CONNECTIONS = 64
HEADERS = {"user-agent": f"reconcile/{__version__}", "accept-encoding": "gzip"}


class Clients:
    """Opens clients when they are first asked for. `embedded` gives the ASGI app behind `endpoint: embedded`."""

    def __init__(self, embedded: Callable[[], Any]) -> None:
        self._embedded = embedded
        self._open: dict[tuple[bool, str | None, str | None], httpx.AsyncClient] = {}

    def get(self, *, embedded: bool = False, ca_file: str | None = None, proxy: str | None = None) -> httpx.AsyncClient:
        """The client for this way."""
        way = (embedded, ca_file, proxy)
        if way not in self._open:
            transport = self._in_process() if embedded else _network(ca_file, proxy)
            jar = CookieJar(DefaultCookiePolicy(allowed_domains=[]))
            self._open[way] = httpx.AsyncClient(
                transport=transport, headers=HEADERS, cookies=jar, trust_env=False, follow_redirects=False
            )
        return self._open[way]

    async def close(self) -> None:
        """Close every connection."""
        clients, self._open = list(self._open.values()), {}
        for client in clients:
            await client.aclose()

    def _in_process(self) -> httpx.AsyncBaseTransport:
        return httpx.ASGITransport(app=self._embedded(), raise_app_exceptions=False)


def trust(ca_file: str | None) -> ssl.SSLContext:
    """The usual authorities, and one more where a file names it. Raises OSError or ssl.SSLError for an unusable file."""
    context = httpx.create_ssl_context(trust_env=False)
    if ca_file is not None:
        context.load_verify_locations(cafile=ca_file)
    return context


def _network(ca_file: str | None, proxy: str | None) -> httpx.AsyncBaseTransport:
    limits = httpx.Limits(max_connections=CONNECTIONS, max_keepalive_connections=CONNECTIONS, keepalive_expiry=IDLE_SECONDS)
    return httpx.AsyncHTTPTransport(verify=trust(ca_file), trust_env=False, limits=limits, proxy=proxy, retries=0)
