"""HTTP: the Terraform state protocol, as GitLab, Gitea and many small servers speak it.

The protocol has no compare-and-swap: before a write we look what is there, and the lock's id goes with the write.
"""

from __future__ import annotations

import base64
import hashlib
import json
import ssl
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from reconcile.errors import InputInvalid, Problem, ReconcileError
from reconcile.state.lock import Holder
from reconcile.state.options import HttpOptions, resolved
from reconcile.state.place import Change, Doubt, Held, Place, Stored
from reconcile.state.wire import Reply, Wire, refusal, shown

HELD = (409, 423)
UNVERIFIED = "`skip_cert_verification` (TF_HTTP_SKIP_CERT_VERIFICATION) is set, but the server's certificate is always verified"
AUTHORITY = "name the authority to trust: `ca_file`, or TF_HTTP_CLIENT_CA_CERTIFICATE_PEM"


def http_place(given: Mapping[str, Any], environ: Mapping[str, str]) -> Place:
    """The place that `state: {backend: http, …}` and the `TF_HTTP_` variables name."""
    options = resolved(HttpOptions, given, environ, prefix="TF_HTTP_")
    if options.skip_cert_verification:
        raise InputInvalid([Problem("reconcile.yaml", 1, 1, "C051", UNVERIFIED, AUTHORITY)])
    return Place(_where(options.address), lambda: HttpBackend(options), options.again)


class HttpBackend:
    """Fulfils Backend."""

    def __init__(self, options: HttpOptions) -> None:
        self.where = _where(options.address)
        self._options = options
        self._us: Holder | None = None
        self._wire = Wire(headers=_login(options), timeout=options.request_timeout, tls=_tls(options), proxy=options.proxy)

    def lock(self, us: Holder) -> None:
        """LOCK with our id. 409 or 423 with our own id is the answer to a request whose first answer was lost."""
        if self._options.lock_address is None:
            return
        reply = self._wire.send(self._options.lock_method, self._options.lock_address, _told(us, self.where), JSON)
        if reply.status in HELD:
            holder = _holder(reply)
            if holder is None or holder.id != us.id:
                raise Held(holder)
        elif reply.status not in (200, 201, 204):
            raise self._refused("lock", reply)
        self._us = us

    def unlock(self, lock_id: str) -> None:
        """UNLOCK, naming the id in body and query, since some proxies drop the body of a DELETE.

        GitLab answers 409 where the lock is free: if it is our own, it was given back and the answer lost.
        """
        address = self._options.unlock_address or self._options.lock_address
        if address is None:
            return
        us = self._us.model_copy(update={"id": lock_id}) if self._us else Holder(id=lock_id, who="", since="")
        reply = self._wire.send(self._options.unlock_method, with_id(address, lock_id), _told(us, self.where), JSON)
        ours, self._us = self._us, None
        if ours and reply.status in HELD and getattr(_holder(reply), "id", "") != ours.id:
            return
        if reply.status not in (200, 201, 204, 404):
            raise self._refused("unlock", reply)

    def load(self) -> Stored | None:
        """GET; nothing there is 204, 404, or an empty answer."""
        reply = self._wire.send("GET", self._options.address)
        if reply.status in (204, 404) or (reply.status == 200 and not reply.content):
            return None
        if reply.status != 200:
            raise self._refused("read", reply)
        expected = reply.headers.get("content-md5")
        if expected is not None and expected != _md5(reply.content):
            raise Doubt("the state does not match the digest that came with it")
        return Stored(reply.content)

    def save(self, change: Change) -> Stored:
        """Look, then POST with the lock's id. 422 (at Gitea 409) may mean that this very serial arrived before: a doubt."""
        there, content = self.load(), change.content
        if (there and there.version) != (change.over and change.over.version):
            raise Doubt("another state is there")
        address = with_id(self._options.address, self._us.id) if self._us else self._options.address
        reply = self._wire.send(self._options.update_method, address, content, {**JSON, "Content-MD5": _md5(content)})
        arrived = reply.status in HELD and (there := self.load()) and there.version == (change.now.lineage, change.now.serial)
        if reply.status in HELD and not arrived:
            raise ReconcileError(f"the lock is no longer ours: {_holder(reply) or reply.words}", where=self.where)
        if reply.status == 422 or arrived:
            raise Doubt(reply.words)
        if reply.status not in (200, 201, 204):
            raise self._refused("write", reply)
        return Stored(content)

    def close(self) -> None:
        """Nothing is kept open."""

    def _refused(self, what: str, reply: Reply) -> ReconcileError:
        hint = {
            401: "the credentials are missing or wrong: TF_HTTP_USERNAME, TF_HTTP_PASSWORD",
            403: "the account may not do this",
            413: "the server takes no state of this size",
        }.get(reply.status)
        return ReconcileError(f"the server refuses to {what} the state: {reply.words}", where=self.where, hint=hint)


JSON = {"Content-Type": "application/json"}


def with_id(address: str, lock_id: str) -> str:
    """The address with `ID=` merged into its query."""
    parts = urlsplit(address)
    query = [pair for pair in parse_qsl(parts.query, keep_blank_values=True) if pair[0] != "ID"]
    return urlunsplit(parts._replace(query=urlencode([*query, ("ID", lock_id)])))


def _told(us: Holder, path: str) -> bytes:
    """All seven fields, since GitLab wants each of them."""
    fields = {
        "ID": us.id,
        "Operation": us.operation or "",
        "Info": json.dumps({"id": us.id, "pid": us.pid, "url": us.url}),
        "Who": us.who,
        "Version": us.tool_version or "",
        "Created": us.since,
        "Path": path,
    }
    return json.dumps(fields).encode()


def _holder(reply: Reply) -> Holder | None:
    """Who holds the lock, if the answer tells. GitLab's has the holder's id, name and time, and *our* other fields."""
    try:
        raw = json.loads(reply.content)
        who, since = str(raw.get("Who") or "somebody"), str(raw.get("Created") or "an unknown time")
        known = Holder(id=str(raw["ID"] or ""), who=who, since=since)
    except (ValueError, KeyError, AttributeError, TypeError):
        return None
    notes = _notes(raw.get("Info"))
    if notes is not None and notes.get("id") != known.id:
        return known
    more = {"operation": str(raw.get("Operation") or "") or None, "tool_version": str(raw.get("Version") or "") or None}
    return known.model_copy(update={**more, "pid": (notes or {}).get("pid"), "url": (notes or {}).get("url")})


def _notes(text: Any) -> dict[str, Any] | None:
    """What a run of this tool noted about itself; None for another tool's words."""
    try:
        notes = json.loads(text)
    except (ValueError, TypeError):
        return None
    return notes if isinstance(notes, dict) else None


def _where(address: str) -> str:
    """The address as people may see it; one with a query is told apart by its digest, since a query may hold a credential."""
    _, mark, query = address.partition("?")
    return shown(address) + (f"?…{hashlib.sha256(query.encode()).hexdigest()[:8]}" if mark else "")


def _md5(content: bytes) -> str:
    return base64.b64encode(hashlib.md5(content, usedforsecurity=False).digest()).decode()


def _login(options: HttpOptions) -> dict[str, str]:
    for name in ("address", "lock_address", "unlock_address"):
        why = refusal(url) if (url := getattr(options, name)) else None
        if why:
            raise InputInvalid([Problem("reconcile.yaml", 1, 1, "C051", f"`state.{name}` {why}")])
    headers = {name: value.get_secret_value() for name, value in options.headers.items()}
    if options.username is None and options.password is None:
        return headers
    password = options.password.get_secret_value() if options.password else ""
    token = base64.b64encode(f"{options.username or ''}:{password}".encode()).decode()
    return {**headers, "Authorization": f"Basic {token}"}


def _tls(options: HttpOptions) -> ssl.SSLContext | None:
    addresses = (options.address, options.lock_address, options.unlock_address)
    if not any(address and address.startswith("https:") for address in addresses):
        return None
    context = ssl.create_default_context(cafile=options.ca_file, cadata=options.client_ca_certificate_pem)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if options.client_certificate_pem and options.client_private_key_pem:
        pair = options.client_certificate_pem + "\n" + options.client_private_key_pem.get_secret_value()
        with tempfile.TemporaryDirectory() as folder:  # private to us; the library takes files only
            file = Path(folder, "pair.pem")
            file.touch(0o600)
            file.write_text(pair)
            context.load_cert_chain(file)
    return context
