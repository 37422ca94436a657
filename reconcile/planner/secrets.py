"""Which secrets changed, as far as the environment tells."""

from __future__ import annotations

from collections.abc import Mapping

from reconcile.model.desired import Declared
from reconcile.model.secret import is_salted_from
from reconcile.model.template import references


def changed_secrets(
    declared: Declared, recorded: Mapping[str, str], environ: Mapping[str, str]
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """(paths whose secret changed, variables that are not set and so count as unchanged), both sorted."""
    changed, unset = set(), set()
    for path, template in declared.secrets.items():
        for reference in references(template):
            value, known = environ.get(reference.name), recorded.get(reference.name)
            if value is None:
                unset.add(reference.name)
            elif known is not None and not is_salted_from(known, value):
                changed.add(path)
    return tuple(sorted(changed)), tuple(sorted(unset))
