"""Faults on demand: the grammar of `--fault`, and the count of who is hit. Knows no connection.

    METHOD:PATHGLOB:FAULT[@N[,M…]][xCOUNT]

METHOD is a verb or `*`. PATHGLOB is matched against the path, and against path?query: `*/push/events*` is every push.
`@2,5` hits the second and the fifth request that matches; `x3` makes it three in a row from there; neither: every one.

    STATUS[;HEADER=VALUE…]  that status in the API's spelling, not executed: `503`, `429;retry-after=2`, `401`
    redirect=URL            a 307 to URL, not executed
    reset                   the connection is cut
    timeout[=S]             silence until the client gives up, at most S seconds (an hour)
    empty, html             a 200 without a body, or with a page of HTML
    gzip-bomb[=MB]          a 200 that unpacks to so many megabytes (256)
    truncate, truncate-silent   half of the body, then the connection ends; silent: as if that half were all
    slow[=S]                the body drips in over S seconds (10)
    delay[=S]               executed after S seconds (5), even if the client has gone by then, then answered
    duplicate               executed twice, as by a proxy that repeats; the second answer is given

`-before` after a name means that the request is not executed, `-after` that it is: `reset-before`, `reset-after`, `503-after`.
Without it STATUS, redirect and reset are not executed; all others are. `delay`, `slow` and `duplicate` always are.
The first fault of the list that hits wins; each counts for itself.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase

DEFAULTS = {"timeout": 3600.0, "gzip-bomb": 256.0, "slow": 10.0, "delay": 5.0}
PLAIN = ("reset", "timeout", "empty", "html", "gzip-bomb", "truncate", "truncate-silent", "slow", "delay", "duplicate")
NOT_EXECUTED = ("status", "redirect", "reset")
ALWAYS_EXECUTED = ("delay", "slow", "duplicate")
_WHEN = re.compile(r"^(?P<fault>.*?)(?:@(?P<at>[1-9]\d*(?:,[1-9]\d*)*))?(?:x(?P<count>[1-9]\d*))?$")
_NAME = re.compile(r"^(?P<name>[a-z-]+?|[2-5]\d\d)(?:-(?P<when>before|after))?(?:=(?P<value>.*))?$")


@dataclass(frozen=True, slots=True)
class Fault:
    """One parsed fault. `amount` is seconds or megabytes, `at` the matching requests hit (empty: all)."""

    text: str
    method: str
    glob: str
    kind: str
    executes: bool
    status: int = 0
    headers: tuple[tuple[str, str], ...] = ()
    amount: float = 0.0
    at: frozenset[int] = frozenset()

    def matches(self, method: str, path: str, query: str) -> bool:
        """Whether this request counts for the fault."""
        if self.method not in ("*", method):
            return False
        return fnmatchcase(path, self.glob) or fnmatchcase(f"{path}?{query}", self.glob)


def parse_fault(text: str) -> Fault:
    """Read one `--fault`. Raises ValueError that says what the grammar wants."""
    parts = text.split(":", 2)
    if len(parts) != 3 or not all(parts):
        raise ValueError(f"fault {text!r} is not METHOD:PATHGLOB:FAULT[@N[,M…]][xCOUNT]")
    method, glob, rest = parts
    timing = _WHEN.match(rest)
    assert timing is not None  # every part of the pattern is optional
    kind, executes, status, headers, amount = _kind(timing["fault"], text)
    starts = {int(n) for n in (timing["at"] or ("1" if timing["count"] else "")).split(",") if n}
    hits = frozenset(start + k for start in starts for k in range(int(timing["count"] or 1)))
    return Fault(text, method.upper(), glob, kind, executes, status, headers, amount, hits)


def _kind(spelled: str, text: str) -> tuple[str, bool, int, tuple[tuple[str, str], ...], float]:
    """Kind, whether it executes, status, headers, amount."""
    if spelled.startswith("redirect="):
        return "redirect", False, 307, (("location", spelled.removeprefix("redirect=")),), 0.0
    head, *extras = spelled.split(";")
    named = _NAME.match(head)
    if named is None or not (named["name"].isdigit() or named["name"] in PLAIN):
        raise ValueError(f"fault {text!r}: {head!r} is no status and none of redirect=URL, {', '.join(PLAIN)}")
    name, when = named["name"], named["when"]
    kind = "status" if name.isdigit() else name
    if when == "before" and kind in ALWAYS_EXECUTED:
        raise ValueError(f"fault {text!r}: {name} is always executed")
    executes = when == "after" if when else kind not in NOT_EXECUTED
    return kind, executes, int(name) if kind == "status" else 200, _headers(extras, kind, text), _amount(named, text)


def _amount(named: re.Match[str], text: str) -> float:
    name, value = named["name"], named["value"]
    if value is None:
        return DEFAULTS.get(name, 0.0)
    if name not in DEFAULTS or not re.fullmatch(r"\d+(\.\d+)?", value):
        raise ValueError(f"fault {text!r}: {name} takes no value {value!r}")
    return float(value)


def _headers(extras: list[str], kind: str, text: str) -> tuple[tuple[str, str], ...]:
    pairs = [extra.strip().partition("=") for extra in extras]
    if pairs and (kind != "status" or not all(name and equals for name, equals, _ in pairs)):
        raise ValueError(f"fault {text!r}: only a status takes ;HEADER=VALUE")
    return tuple((name.lower(), value) for name, _, value in pairs)


@dataclass(slots=True)
class Faults:
    """Counts matching requests and says which fault, if any, hits this one."""

    faults: Sequence[Fault]
    counts: dict[int, int] = field(default_factory=dict)

    def hit(self, method: str, path: str, query: str) -> Fault | None:
        """The first fault that hits this request; every matching one counts it."""
        chosen: Fault | None = None
        for index, fault in enumerate(self.faults):
            if not fault.matches(method, path, query):
                continue
            self.counts[index] = count = self.counts.get(index, 0) + 1
            if chosen is None and (not fault.at or count in fault.at):
                chosen = fault
        return chosen
