"""Takes secrets out of what a server says: an error that quotes the request must not carry a key into a terminal or a log."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterable, Mapping
from urllib.parse import quote, quote_plus

SHORTEST = 6  # a shorter value would hide ordinary words
_SECRET_NAME = re.compile(r"TOKEN|SECRET|PASSWORD|PASSWD|_KEY$|_SK$")


def secrets_in(environ: Mapping[str, str]) -> list[str]:
    """The values of the variables whose names look like credentials."""
    return [value for name, value in environ.items() if _SECRET_NAME.search(name.upper())]


class Scrubber:
    """Replaces every secret, in the spellings of JSON, URLs and base64, by `***`. More may be learnt as a run goes on."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        self._spellings: set[str] = set()
        for secret in secrets:
            self.learn(secret)

    def learn(self, secret: str) -> None:
        """Replace this one from now on."""
        if len(secret) < SHORTEST:
            return
        raw = secret.encode("utf-8", "surrogatepass")
        encoded = base64.b64encode(raw).decode().rstrip("=")
        spelled = {secret, encoded, quote(raw, safe=""), quote(raw), quote_plus(raw), repr(secret)[1:-1]}
        for _ in range(2):  # JSON, and JSON within JSON
            spelled |= {json.dumps(text, ensure_ascii=ascii_only)[1:-1] for text in spelled for ascii_only in (True, False)}
        self._spellings |= spelled

    def __call__(self, text: str) -> str:
        """The text without any secret."""
        for spelling in sorted(self._spellings, key=len, reverse=True):
            text = text.replace(spelling, "***")
        return text
