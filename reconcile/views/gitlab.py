"""A plan for GitLab's merge request widget (`artifacts:reports:terraform`): three numbers. Prints nothing."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

_COUNTED = {"create": ("report",), "update": ("update", "replace", "adopt"), "delete": ("clear",)}


def render_gitlab_report(document: Mapping[str, Any]) -> str:
    """`{"create":n,"update":n,"delete":n}`. Tasks, renewals and what sends nothing have no place in it."""
    summary = document["summary"]
    counts = {name: sum(summary.get(action, 0) for action in actions) for name, actions in _COUNTED.items()}
    return json.dumps(counts, separators=(",", ":")) + "\n"
