"""`reconcile apply`, `destroy` and `renew`: lock, plan, ask, carry out, save, account."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from reconcile.cli.approval import require_person_or
from reconcile.cli.given import Given, takes_given
from reconcile.cli.options import LOCK, option
from reconcile.cli.reports import METRICS, NOTIFY, owns_stdout
from reconcile.cli.shaping import may_destroy, refuse_shaping, shapes_plan
from reconcile.cli.wishes import Wishes

_AUTO = option("--auto-approve", is_flag=True, help="Do not ask.")
_JSON = option("--json", "as_json", is_flag=True, help="Print JSON lines, a summary last; needs a plan file or --auto-approve.")
_WAIT = option("--wait", is_flag=True, help="Follow the started tasks until they end; a failed one is exit 3.")


@click.command()
@click.argument("planfile", required=False, type=click.Path(path_type=Path))
@_AUTO
@_JSON
@_WAIT
@METRICS
@NOTIFY
@LOCK
@may_destroy
@shapes_plan
@takes_given
@click.pass_context
def apply(
    ctx: click.Context,
    /,
    planfile: Path | None,
    lock_timeout: float,
    auto_approve: bool,
    as_json: bool,
    wait: bool,
    metrics: str | None,
    notify: str | None,
    **shaping: Any,
) -> int:
    """Make the live alarms what the specs say.

    Shows the plan and asks first. With PLANFILE it does exactly what was reviewed, and asks nothing.

    \b
    Examples:
      reconcile apply
      reconcile apply plan.json
      reconcile apply --auto-approve --lock-timeout 5m
      reconcile apply plan.json --wait
      reconcile apply --json --auto-approve | jq -c 'select(.type == "summary")'
    """
    if planfile is not None:
        refuse_shaping(ctx)
    return _run(ctx.obj, planfile, Wishes("apply", auto_approve, as_json, wait, metrics, notify, lock_timeout), shaping)


@click.command()
@_AUTO
@_JSON
@METRICS
@NOTIFY
@LOCK
@shapes_plan
@takes_given
@click.pass_obj
def destroy(given: Given, /, lock_timeout: float, auto_approve: bool, as_json: bool, **shaping: Any) -> int:
    """Clear every alarm the state holds. The same as `apply --destroy`.

    \b
    Examples:
      reconcile destroy
      reconcile destroy --target 'alarm.web-*' --auto-approve
    """
    wishes = Wishes("destroy", auto_approve, as_json, False, shaping.pop("metrics"), shaping.pop("notify"), lock_timeout)
    return _run(given, None, wishes, shaping | {"destroy": True})


@click.command()
@_AUTO
@_JSON
@METRICS
@NOTIFY
@LOCK
@shapes_plan
@takes_given
@click.pass_obj
def renew(given: Given, /, lock_timeout: float, auto_approve: bool, as_json: bool, **shaping: Any) -> int:
    """Renew what expires soon, and nothing else. Made for a timer.

    \b
    Example:
      reconcile renew --auto-approve --lock-timeout 5m
    """
    wishes = Wishes("renew", auto_approve, as_json, False, shaping.pop("metrics"), shaping.pop("notify"), lock_timeout)
    return _run(given, None, wishes, shaping | {"renew_only": True})


def _run(given: Given, planfile: Path | None, wishes: Wishes, shaping: dict[str, Any]) -> int:
    owns_stdout(wishes.metrics, as_json=wishes.as_json)
    require_person_or(wishes.approved or planfile is not None)
    from reconcile.cli.applying import Applier
    from reconcile.cli.metering import measured
    from reconcile.cli.noticing import Notice
    from reconcile.cli.shaping import plan_options

    applier = Applier(given, wishes, asks=planfile is None and not wishes.approved)
    options = plan_options(shaping, given)
    work = Notice(applier.session, wishes.command, wishes.notify).around(lambda told: applier.run(planfile, options, told))
    return measured(applier.session, wishes.metrics, wishes.command, work)
