"""`reconcile schema`: the JSON Schema of what people write and of what the tool writes."""

from __future__ import annotations

import json

import click

from reconcile.cli.given import Given, takes_given
from reconcile.cli.streams import answer

KINDS = ("spec", "config", "plan", "state", "apply", "drift", "run")


@click.command()
@click.argument("kind", type=click.Choice(KINDS))
@takes_given
@click.pass_obj
def schema(given: Given, /, kind: str) -> int:
    """Print the JSON Schema of what people and the tool write.

    apply is a line of `apply --json`, drift the document of `drift --json`, run the record that `--notify` posts.

    An editor with the YAML language server completes and checks specs by it:
    put `# yaml-language-server: $schema=../.reconcile/spec.schema.json` first in a spec.

    \b
    Examples:
      reconcile schema spec > .reconcile/spec.schema.json
      reconcile schema config > .reconcile/config.schema.json
      reconcile schema plan
    """
    answer(schema_text(kind))
    return 0


def schema_text(kind: str) -> str:
    """The schema of this kind, as it is printed and published."""
    from reconcile.views.schema import plan_schema
    from reconcile.views.schema_runs import apply_schema, drift_schema, run_schema
    from reconcile.views.schemas.config import config_schema
    from reconcile.views.schemas.spec import spec_schema
    from reconcile.views.schemas.state import state_schema

    made = (spec_schema, config_schema, plan_schema, state_schema, apply_schema, drift_schema, run_schema)
    return json.dumps(dict(zip(KINDS, made, strict=True))[kind](), indent=2) + "\n"
