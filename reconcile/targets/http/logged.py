"""A wire that tells what went over it: one line a request. Headers by an allow-list, bodies never, secret path parts masked."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping

from reconcile.targets.http.errors import WireError, inert
from reconcile.targets.http.wire import Request, Response, Wire

SENT_HEADERS = ("enterprise-project-id",)
ANSWER_HEADERS = ("content-type", "date", "retry-after", "x-request-id", "x-trace-id")


class Logged:
    """Sends through another wire and logs the outcome."""

    def __init__(
        self, inner: Wire, *, name: str, log: Callable[[str], None], monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._inner = inner
        self._name = name
        self._log = log
        self._monotonic = monotonic

    async def send(self, request: Request) -> Response:
        """Send, and log how it ended and how long it took."""
        begun = self._monotonic()
        try:
            response = await self._inner.send(request)
        except WireError as error:
            self._tell(request, str(error.answer.status or error.effect.value), begun, {})
            raise
        self._tell(request, str(response.status), begun, response.headers)
        return response

    def _tell(self, request: Request, outcome: str, begun: float, headers: Mapping[str, str]) -> None:
        sent = {name.lower(): value for name, value in request.headers.items()}
        chosen = [f"{name}={inert(sent[name], 80)}" for name in SENT_HEADERS if name in sent]
        chosen += [f"{name}={inert(headers[name], 80)}" for name in ANSWER_HEADERS if name in headers]
        took = (self._monotonic() - begun) * 1000
        line = f"{self._name}: {request.method} {request.shown()} -> {outcome} in {took:.0f} ms"
        self._log(" ".join([line, *chosen]))
