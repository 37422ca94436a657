"""Plans whose every text is hostile, and large ones: what the views for review must survive."""

from __future__ import annotations

from typing import Any

from reconcile.views.plan_document import plan_document
from tests.views.samples import full_plan

CORPUS = (
    "<script>window.owned=1</script>",
    "</script><img src=x onerror=window.owned=1>",
    "<!-- reconcile:plan stack=other -->",
    "<!--<script </script x",
    "--> <b>out</b>",
    "]]>--!><svg/onload=window.owned=1>",
    "[link](https://evil.example) ![image](https://evil.example/x.png)",
    "<https://evil.example> https://evil.example www.evil.example",
    "@octocat @org/team #1 org/repo#2 GH-3 !4 ~label %milestone",
    "`code` ``two`` ```three``` ````four````",
    "`" * 500,
    "```\n# outside\n```diff\n- fake",
    "\n```\n\n## outside the fence\n\n/close\n/assign @me",
    "\r\n::error::forged\r\n::stop-commands::x",
    "%0A::error::forged,title=x:y",
    "| a | b |\n|---|---|",
    "</details></summary>",
    "*bold* _under_ ~~gone~~ $x$ :smile: &lt; &#64;me",
    "\\`escaped\\` \\",
    "\x1b[31mred\x07 \u202egnp.exe \u2028 \u200b \ud800 \x00 \x85",
    '"] ]} %%{init: {}}%% ;end style x fill:#fff;',
    '"; malicious [label="x"]; \\',
    "\\N\\G\\l {{x}} ${secret.env.X}",
    "javascript:window.owned=1",
    "' onmouseover='window.owned=1",
    " ",
    "\t",
)

_STRUCTURE = frozenset(
    [
        *("format_version", "tool_version", "plan_id", "as_of", "at", "since", "expires_at", "action"),
        *("kind", "op", "phase", "outcome", "lineage", "spec_digest", "basis"),
    ]
)


def poisoned(text: str) -> dict[str, Any]:
    """A plan with everything in it, this text at the end of every text that users or servers can write."""
    found = _poison(plan_document(full_plan()), text, "")
    assert isinstance(found, dict)
    return found


def _poison(value: Any, text: str, key: str) -> Any:
    if isinstance(value, dict):
        return {name: _poison(item, text, name) for name, item in value.items()}
    if isinstance(value, list):
        return [_poison(item, text, key) for item in value]
    return value + text if isinstance(value, str) and key not in _STRUCTURE else value


def crowd(**counts: int) -> dict[str, Any]:
    """A plan with so many rows of each action, like those of the sample."""
    document = plan_document(full_plan())
    models = {row["action"]: row for row in document["changes"]}
    rows = []
    for action, count in counts.items():
        for number in range(count):
            row = dict(models[action])
            row["address"] = f'{row["kind"]}.service-{number:05d}-{action}["host-{number % 10}"]'
            rows.append(_named(row, number))
    summary = dict.fromkeys(document["summary"], 0) | counts
    return document | {"changes": rows, "summary": summary, "violations": [], "pending": [], "notes": [], "drift": []}


def _named(row: dict[str, Any], number: int) -> dict[str, Any]:
    for side in ("before", "after"):
        if row[side] is not None:
            row[side] = row[side] | {"message": f"message {number} of it"}
    return row
