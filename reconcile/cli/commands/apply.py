"""`reconcile apply`, `destroy` and `renew`: lock, plan, ask, carry out, save, account."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from reconcile.cli.approval import require_person_or
from reconcile.cli.given import Given, takes_given
from reconcile.cli.options import DURATION, option
from reconcile.cli.shaping import may_destroy, refuse_shaping, shapes_plan

_AUTO = option("--auto-approve", is_flag=True, help="Do not ask.")
_JSON = option("--json", "as_json", is_flag=True, help="Print JSON lines, a summary last; needs a plan file or --auto-approve.")
_LOCK = option("--lock-timeout", metavar="DURATION", type=DURATION, default="0s", help="How long to wait for another run's lock.")


@click.command()
@click.argument("planfile", required=False, type=click.Path(path_type=Path))
@_AUTO
@_JSON
@_LOCK
@may_destroy
@shapes_plan
@takes_given
@click.pass_context
def apply(
    ctx: click.Context, /, planfile: Path | None, auto_approve: bool, as_json: bool, lock_timeout: float, **shaping: Any
) -> int:
    """Make the live alarms what the specs say.

    Shows the plan and asks first. With PLANFILE it does exactly what was reviewed, and asks nothing.

    \b
    Examples:
      reconcile apply
      reconcile apply plan.json
      reconcile apply --auto-approve --lock-timeout 5m
      reconcile apply --json --auto-approve | jq -c 'select(.type == "summary")'
    """
    if planfile is not None:
        refuse_shaping(ctx)
    return _run(ctx.obj, planfile, auto_approve, as_json, lock_timeout, shaping, command="apply")


@click.command()
@_AUTO
@_JSON
@_LOCK
@shapes_plan
@takes_given
@click.pass_obj
def destroy(given: Given, /, auto_approve: bool, as_json: bool, lock_timeout: float, **shaping: Any) -> int:
    """Clear every alarm the state holds. The same as `apply --destroy`.

    \b
    Examples:
      reconcile destroy
      reconcile destroy --target 'alarm.web-*' --auto-approve
    """
    return _run(given, None, auto_approve, as_json, lock_timeout, shaping | {"destroy": True}, command="destroy")


@click.command()
@_AUTO
@_JSON
@_LOCK
@shapes_plan
@takes_given
@click.pass_obj
def renew(given: Given, /, auto_approve: bool, as_json: bool, lock_timeout: float, **shaping: Any) -> int:
    """Renew what expires soon, and nothing else. Made for a timer.

    \b
    Example:
      reconcile renew --auto-approve --lock-timeout 5m
    """
    return _run(given, None, auto_approve, as_json, lock_timeout, shaping | {"renew_only": True}, command="renew")


def _run(
    given: Given,
    planfile: Path | None,
    auto_approve: bool,
    as_json: bool,
    lock_timeout: float,
    shaping: dict[str, Any],
    *,
    command: str,
) -> int:
    approved = auto_approve or planfile is not None
    require_person_or(approved)
    from reconcile.cli.applying import Applier
    from reconcile.cli.shaping import plan_options

    applier = Applier(given, approved=approved, as_json=as_json)
    return applier.run(planfile, options=plan_options(shaping), command=command, lock_timeout=lock_timeout)
