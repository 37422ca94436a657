"""Two contents -> the changed paths, by DeepDiff. Asked only where they differ: it takes half a millisecond a pair."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from reconcile.model.change import Difference
from reconcile.model.template import path_of

SECRET = "(secret)"


def differences(before: Mapping[str, Any], after: Mapping[str, Any]) -> tuple[Difference, ...]:
    """The paths at which two contents differ, sorted by path."""
    if before == after and _spelled(before) == _spelled(after):  # to Python 1, 1.0 and true are equal, to us they are not
        return ()
    from deepdiff import DeepDiff

    tree = DeepDiff(dict(before), dict(after), view="tree", ignore_order=False, ignore_numeric_type_changes=False)
    found = {}
    for category in sorted(tree):
        for level in tree[category]:
            path = path_of(tuple(level.path(output_format="list")))
            found[path] = Difference(path, _seen(level.t1), _seen(level.t2))
    return tuple(found[path] for path in sorted(found))


def _spelled(content: Mapping[str, Any]) -> str:
    return json.dumps(content, sort_keys=True)


def _seen(value: Any) -> Any:
    return None if type(value).__name__ == "NotPresent" else value


def secret_differences(paths: tuple[str, ...]) -> tuple[Difference, ...]:
    """Changed secrets: the path is told, the value never."""
    return tuple(Difference(path, SECRET, SECRET) for path in paths)
