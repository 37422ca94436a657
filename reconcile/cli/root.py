"""The command `reconcile` and the table of its commands. Imports none of them."""

from __future__ import annotations

import click

from reconcile import __version__
from reconcile.cli.given import takes_given
from reconcile.cli.lazy import Lazy, LazyGroup

_PLACE = "reconcile.cli.commands"
COMMANDS = {
    "init": Lazy(f"{_PLACE}.init", "init", "Write a config, an example and, if asked, a pipeline."),
    "validate": Lazy(f"{_PLACE}.validate", "validate", "Check all specs and the config, offline."),
    "plan": Lazy(f"{_PLACE}.plan", "plan", "Show what an apply would do; change nothing."),
    "apply": Lazy(f"{_PLACE}.apply", "apply", "Make the live alarms what the specs say."),
    "destroy": Lazy(f"{_PLACE}.apply", "destroy", "Clear every alarm the state holds."),
    "drift": Lazy(f"{_PLACE}.drift", "drift", "Compare the live alarms with the state; change nothing."),
    "renew": Lazy(f"{_PLACE}.apply", "renew", "Renew what expires soon, and nothing else."),
    "show": Lazy(f"{_PLACE}.show", "show", "Show a saved plan, or the state."),
    "state": Lazy(f"{_PLACE}.state", "state", "Look at the state, and change it by hand."),
    "resolve": Lazy(f"{_PLACE}.resolve", "resolve", "Say how a task ended whose answer was lost."),
    "import": Lazy(f"{_PLACE}.imports", "import_", "Take over a live alarm, or write specs for what nobody declared."),
    "graph": Lazy(f"{_PLACE}.graph", "graph", "Draw alarms and handlings, with what a plan does to them."),
    "schema": Lazy(f"{_PLACE}.schema", "schema", "Print the JSON Schema of what people and the tool write."),
    "whoami": Lazy(f"{_PLACE}.whoami", "whoami", "Show the identity each target would use, and why."),
    "emulator": Lazy(f"{_PLACE}.emulator", "emulator", "Serve the emulated cloud APIs on this machine."),
    "version": Lazy(f"{_PLACE}.version", "version", "Show the version."),
}
SETTINGS = {"help_option_names": ["-h", "--help"], "show_default": True, "max_content_width": 100}


@click.group(cls=LazyGroup, lazy=COMMANDS, context_settings=SETTINGS)
@click.version_option(__version__, message="%(prog)s %(version)s")
@takes_given
def root() -> None:
    """Terraform's workflow for live alarms on Huawei Cloud: declare, plan, apply.

    \b
    Examples:
      reconcile plan                      what would change
      reconcile plan --out plan.json      save it for review
      reconcile apply plan.json           do exactly that
      reconcile validate --format github  check a pull request

    The config is reconcile.yaml; without one, the specs below specs/ run against the emulator inside the tool.

    \b
    Exit codes: 0 done · 1 failed · 2 changes (only with --detailed-exitcode) ·
    3 partly done · 4 state locked · 5 stale plan · 6 refused by a guard ·
    7 an operation is unknown · 10 invalid specs or config ·
    64 wrong command line · 130/143 interrupted
    """
