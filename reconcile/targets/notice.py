"""A webhook: one JSON document posted to a URL that is a secret. Says what went wrong without ever saying where to.

A receiver may get a document twice: what may not have arrived is sent again, within the deadline.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import urlsplit

import httpx

from reconcile.errors import ReconcileError
from reconcile.targets.http.client import FAILURES, WORDS
from reconcile.targets.http.clients import Clients
from reconcile.targets.http.errors import TRANSIENT_STATUSES
from reconcile.targets.http.scrub import Scrubber, secrets_in
from reconcile.targets.settings import is_loopback

WAITS = (0.5, 1.0, 2.0)


async def post_notice(
    url: str,
    document: Mapping[str, Any],
    *,
    seconds: float,
    environ: Mapping[str, str],
    secrets: Iterable[str] = (),
    ca_file: str | None = None,
    proxy: str | None = None,
) -> None:
    """Post the document, secrets taken out: these, and what the environment holds under names of credentials.

    Raises ReconcileError when it was not accepted within so many seconds.
    """
    _check(url)
    scrub = Scrubber([*secrets, url, *secrets_in(environ)])
    body = json.dumps(_clean(document, scrub), allow_nan=False).encode()
    clients = Clients(lambda: None)
    try:
        async with asyncio.timeout(seconds):
            client = clients.get(ca_file=ca_file, proxy=proxy)
            await _posted(client, url, body, seconds)
    except TimeoutError:
        raise ReconcileError("no answer in time") from None
    except (OSError, ValueError):  # their words may quote the proxy's password
        raise ReconcileError("its `ca_file` or `proxy` is of no use") from None
    finally:
        await clients.close()


def _check(url: str) -> None:
    try:
        parts = urlsplit(url)
        usable = parts.hostname is not None and (
            parts.scheme == "https" or (parts.scheme == "http" and is_loopback(parts.hostname))
        )
    except ValueError:
        usable = False
    if not usable:
        raise ReconcileError("its URL is none that can be used: https is wanted, and http only to this machine")


async def _posted(client: httpx.AsyncClient, url: str, body: bytes, seconds: float) -> None:
    for wait in (*WAITS, None):
        status, words = await _tried(client, url, body, seconds)
        if status is not None and 200 <= status < 300:
            return
        if wait is None or (status is not None and status not in TRANSIENT_STATUSES):
            raise ReconcileError(words)
        await asyncio.sleep(wait)


async def _tried(client: httpx.AsyncClient, url: str, body: bytes, seconds: float) -> tuple[int | None, str]:
    """(status, words): what was answered, or why nothing was. The answer's body is not read."""
    headers = {"content-type": "application/json"}
    try:
        async with client.stream("POST", url, content=body, headers=headers, timeout=seconds) as answer:
            return answer.status_code, f"the receiver answered with HTTP {answer.status_code}"
    except FAILURES as error:
        return None, next((words for kind, words in WORDS if isinstance(error, kind)), "the request failed")


def _clean(value: Any, scrub: Scrubber) -> Any:
    """The document with every secret replaced, wherever it hides in a text."""
    if isinstance(value, str):
        return scrub(value)
    if isinstance(value, Mapping):
        return {key: _clean(child, scrub) for key, child in value.items()}
    return [_clean(child, scrub) for child in value] if isinstance(value, list | tuple) else value
