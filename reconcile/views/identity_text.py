"""Who each target would log in as, as text and as a document. Pure; there is no secret in what it is given."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from reconcile.views.inert import inert, pad
from reconcile.views.style import Style

_WORDS = {
    "aksk": "access key and secret key",
    "token": "ready-made token",
    "password": "user and password",
    "agency": "agency of this server",
    "integration_key": "integration key",
}


def identities_document(rows: Sequence[Mapping[str, Any]]) -> str:
    """One object per target; what is not known is left out."""
    return json.dumps([{k: v for k, v in row.items() if v is not None} for row in rows], indent=2) + "\n"


def render_identities(rows: Sequence[Mapping[str, Any]], *, style: Style) -> str:
    """A paragraph per target: where, how, why, as whom."""
    return "\n".join(_paragraph(row, style) for row in rows)


def _paragraph(row: Mapping[str, Any], style: Style) -> str:
    facts = list(_facts(row))
    lines = [style.bold(inert(row["target"])), *(f"  {pad(name, 10)}  {inert(text)}" for name, text in facts)]
    if row["problem"]:
        lines.append(f"  {style.danger(pad('problem', 10))}  {inert(row['problem'])}")
        lines += [f"  {pad('', 10)}  {inert(row['hint'])}"] if row["hint"] else []
    return "\n".join(lines) + "\n"


def _log_in(method: str, source: str | None) -> str:
    if method == "none":
        return source or "none"
    return _WORDS.get(method, method) + (f", from {source}" if source else "")


def _facts(row: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    yield "endpoint", row["endpoint"]
    if not row["problem"]:
        yield "log-in", _log_in(row["method"], row["source"])
    named = (
        ("why", "why"),
        ("access key", "access_key"),
        ("user", "user"),
        ("project", "project"),
        ("domain", "domain_id"),
        ("region", "region"),
    )
    yield from ((word, row[key]) for word, key in named if row[key])
