"""The ways to the network: TLS with the right and the wrong authorities, and a proxy."""

from __future__ import annotations

import ssl
from pathlib import Path

import pytest

from reconcile.errors import Effect, TargetError
from tests.targets.opening import aom, opened
from tests.targets.server import Reply, Server, run

GOLDEN = Path(__file__).parent / "golden"
CERTIFICATE = GOLDEN / "loopback-test-only.crt"
EVENTS = Reply(json={"events": []})


def secured() -> ssl.SSLContext:
    """A server's side, for 127.0.0.1."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(CERTIFICATE, GOLDEN / "loopback-test-only.key")
    return context


def test_a_named_authority_is_trusted() -> None:
    """`ca_file` adds one to the usual ones."""

    async def scenario() -> int:
        async with Server(EVENTS, tls=secured()) as server, opened(aom(server.url, ca_file=str(CERTIFICATE))) as targets:
            await targets.alarms["aom"].active(since=0)
            return len(server.seen)

    assert run(scenario()) == 1


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_an_unknown_authority_or_another_host_is_refused_before_anything_is_sent(host: str) -> None:
    """Not tried again: a certificate does not get better."""

    async def scenario() -> tuple[TargetError, int, int]:
        async with Server(EVENTS, tls=secured()) as server:
            ca_file = str(CERTIFICATE) if host == "localhost" else None
            async with opened(aom(server.url.replace("127.0.0.1", host), ca_file=ca_file)) as targets:
                with pytest.raises(TargetError, match="certificate is not trusted") as caught:
                    await targets.alarms["aom"].active(since=0)
            return caught.value, len(server.seen), server.connections

    error, seen, connections = run(scenario())
    assert (error.effect, seen) == (Effect.NOT_SENT, 0)
    assert connections <= 1
    assert error.hint == "name the CA that signed it with `ca_file`"


def test_a_named_proxy_is_used() -> None:
    """It sees the whole address; nothing goes around it."""

    async def scenario() -> tuple[list[str], int]:
        async with Server(EVENTS) as server, Server(EVENTS) as proxy:
            async with opened(aom(server.url, proxy=proxy.url)) as targets:
                await targets.alarms["aom"].active(since=0)
            return [seen.target for seen in proxy.seen], len(server.seen)

    targets, around = run(scenario())
    assert targets[0].startswith("http://127.0.0.1:")
    assert around == 0


def test_a_proxy_that_refuses_means_that_nothing_was_sent() -> None:
    """CONNECT was answered with 407: the request itself never left."""

    async def scenario() -> TargetError:
        async with Server(Reply(407)) as proxy:
            async with opened(aom("https://127.0.0.1:9", proxy=proxy.url)) as targets:
                with pytest.raises(TargetError) as caught:
                    await targets.alarms["aom"].active(since=0)
            return caught.value

    assert run(scenario()).effect is Effect.NOT_SENT


@pytest.mark.parametrize("proxy", ["nonsense", "ftp://proxy.example:1", "http://user:hunter2@"])
def test_a_proxy_that_is_none_is_refused_up_front(proxy: str) -> None:
    """Exit 10, without its password."""

    async def scenario() -> None:
        async with opened(aom("https://127.0.0.1:9", proxy=proxy)) as targets:
            targets.check(["aom"])

    with pytest.raises(Exception) as caught:
        run(scenario())
    assert getattr(caught.value, "exit_code", None) == 10
    assert "hunter2" not in str(getattr(caught.value, "problems", "")) + str(caught.value)
