"""`reconcile schema`: the JSON Schema of what people write and of what the tool writes."""

from __future__ import annotations

import json

import click

from reconcile.cli.given import Given, takes_given
from reconcile.cli.streams import answer


@click.command()
@click.argument("kind", type=click.Choice(["spec", "config", "plan", "state"]))
@takes_given
@click.pass_obj
def schema(given: Given, /, kind: str) -> int:
    """Print the JSON Schema of specs, config, plan or state.

    An editor with the YAML language server completes and checks specs by it:
    put `# yaml-language-server: $schema=../.reconcile/spec.schema.json` first in a spec.

    \b
    Examples:
      reconcile schema spec > .reconcile/spec.schema.json
      reconcile schema config > .reconcile/config.schema.json
      reconcile schema plan
    """
    from reconcile.views.schema import plan_schema
    from reconcile.views.schemas.config import config_schema
    from reconcile.views.schemas.spec import spec_schema
    from reconcile.views.schemas.state import state_schema

    found = {"spec": spec_schema, "config": config_schema, "plan": plan_schema, "state": state_schema}[kind]()
    answer(json.dumps(found, indent=2) + "\n")
    return 0
