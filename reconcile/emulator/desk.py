"""What every handler is given, and how one request is served: gate, effect and log row in one transaction. Knows no socket."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from reconcile.emulator.credentials import Credentials
from reconcile.emulator.exchange import MAX_BODY, Answer, Call, Refusal
from reconcile.emulator.faults import Fault, Faults
from reconcile.emulator.settings import Settings
from reconcile.emulator.spelling import refused
from reconcile.emulator.store import Store

Handler = Callable[[Call, "Desk"], Answer]
LOGGED_HEADERS = (  # an allow-list: what is not named here is never kept
    "accept", "content-type", "content-length", "enterprise-project-id", "host", "user-agent", "x-domain-id", "x-project-id",
    "x-sdk-date", "x-language",
)  # fmt: skip
UNLOGGED_BODIES = ("/v3/auth/tokens",)
_LOGGED = "seq, time, method, path, query, status, outcome, fault"
INTEGRATION = "/v1/event/huawei/custom/"


@dataclass
class Desk:
    """The server's insides. `settings` may change between requests."""

    store: Store
    credentials: Credentials
    settings: Settings
    initial: Settings
    find: Callable[[Call], tuple[Handler, Mapping[str, str]]]
    admit: Callable[[Call, Desk], str]
    faults: Faults = field(default_factory=lambda: Faults(()))

    def __post_init__(self) -> None:
        self.behave(self.settings)

    def behave(self, settings: Settings) -> None:
        """From now on behave so; the faults count from the start."""
        self.settings = settings
        self.faults = Faults(settings.faults)

    def now(self) -> int:
        """The server's time in ms."""
        return self.store.now()

    def answer(self, call: Call, fault: Fault | None = None, *, sent: int | None = None, as_is: bool = True) -> Answer:
        """Execute a request and log it, in one transaction. A refusal undoes the request's own effect, not its log row.

        `sent` is the status that a fault sends instead; `as_is` says that it sends the outcome.
        """
        with self.store.transaction():
            try:
                with self.store.effect():
                    answer = self._execute(call)
            except Refusal as refusal:
                words = refusal.words
                answer = refused(call.path, refusal.status, words, code=refusal.code, dialect=self.settings.dialect)
            self._log(call, status=answer.status if as_is else sent, outcome=answer.status, fault=fault)
        return answer

    def note(self, call: Call, fault: Fault, *, sent: int | None) -> None:
        """Log a request that a fault kept from being executed."""
        with self.store.transaction():
            self._log(call, status=sent, outcome=None, fault=fault)

    def _execute(self, call: Call) -> Answer:
        handler, parts = self.find(call)
        if len(call.body) > MAX_BODY:
            raise Refusal(413, "The request body is larger than 12 MB", "APIGW.0201")
        named = Call(call.method, call.path, call.query_string, call.headers, call.body, parts)
        who = self.admit(named, self)
        return handler(Call(named.method, named.path, named.query_string, named.headers, named.body, parts, who), self)

    def _log(self, call: Call, *, status: int | None, outcome: int | None, fault: Fault | None) -> None:
        headers = {name: call.header(name) for name in LOGGED_HEADERS if name in call.headers}
        keep = self.settings.keep_bodies and call.path not in UNLOGGED_BODIES
        body = self.store.veil(call.body.decode("utf-8", "replace")) if keep and call.body else None
        path = INTEGRATION + "***" if call.path.startswith(INTEGRATION) else call.path
        self.store.db.execute(
            "INSERT INTO log VALUES (NULL, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (self.now(), call.method, path, call.query_string, status, outcome, fault and fault.text, json.dumps(headers), body),
        )


def log_rows(store: Store, since: int) -> list[dict[str, Any]]:
    """The request log from a sequence number on, oldest first.

    `status` is what the client was sent (null: nothing), `outcome` how the execution ended (null: not executed).
    """
    rows = store.db.execute(
        f"SELECT {_LOGGED}, headers, body FROM log WHERE seq > ? ORDER BY seq",
        (since,),
    )
    return [
        dict(zip(_LOGGED.split(", "), row[:8], strict=True)) | {"headers": json.loads(row[8]), "body": _body(store, row[9])}
        for row in rows.fetchall()
    ]


def _body(store: Store, stored: bytes | None) -> Any:
    if stored is None:
        return None
    text = store.unveil(stored)
    try:
        return json.loads(text)
    except ValueError:
        return text
