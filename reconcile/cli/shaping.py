"""The options that shape a plan, shared by `plan`, `apply` and `destroy`. Knows no planner until they are put together."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any, TypeVar

import click
from click.core import ParameterSource

from reconcile.cli.completing import addresses, alarms, handlings
from reconcile.cli.given import Given
from reconcile.cli.listed import listed
from reconcile.cli.options import BUDGET, INSTANT, option
from reconcile.errors import CommandLineWrong

if TYPE_CHECKING:
    from reconcile.model.address import Kind
    from reconcile.model.config import Config
    from reconcile.planner import PlanOptions

Decorated = TypeVar("Decorated", bound=Callable[..., Any])
GLOB = "In globs `*` and `?` are special, `[` is not. @FILE holds one a line."
_GLOBS: dict[str, Any] = {"metavar": "GLOB", "multiple": True, "shell_complete": addresses}
_OPTIONS = (
    option("--target", "targets", **_GLOBS, help=f"Look at these addresses only; repeatable. {GLOB}"),
    option("--exclude", "excludes", **_GLOBS, help="Leave these addresses out; repeatable, or @FILE."),
    option("--on", metavar="TARGET", multiple=True, help="Look at resources on this configured target only; repeatable."),
    option("--refresh", is_flag=True, help="Ask first what is live, and repair what differs."),
    option("--adopt", is_flag=True, help="Take over unstamped live alarms that match a declared one; never another stack's."),
    option(
        "--replace",
        metavar="ADDR",
        multiple=True,
        shell_complete=alarms,
        help="Clear this alarm and report it again; repeatable, or @FILE.",
    ),
    option(
        "--rerun",
        metavar="ADDR",
        multiple=True,
        shell_complete=handlings,
        help="Run this handling's task again; repeatable, or @FILE.",
    ),
    option("--allow", metavar="KIND=N", type=BUDGET, multiple=True, help="Lift a guard: clears=N, triggers=N or empty."),
)
_DESTROY = option("--destroy", is_flag=True, help="Clear every alarm the state holds.")
_AS_OF = option("--as-of", metavar="TIME", type=INSTANT, help="Plan as if it were then: what will be due.")
_LISTED = {"targets": "--target", "excludes": "--exclude", "replace": "--replace", "rerun": "--rerun"}
_SHAPES = ("targets", "excludes", "on", "refresh", "adopt", "replace", "rerun", "allow", "destroy")


def shapes_plan(command: Decorated) -> Decorated:
    """Give a command the options that choose and force."""
    for one in reversed(_OPTIONS):
        command = one(command)
    return command


def may_destroy(command: Decorated) -> Decorated:
    """Give a command `--destroy`."""
    return _DESTROY(command)


def takes_time(command: Decorated) -> Decorated:
    """Give a command `--as-of`."""
    return _AS_OF(command)


def plan_options(shaping: Mapping[str, Any], given: Given) -> PlanOptions:
    """The options of a command as the planner wants them. Raises CommandLineWrong for an @FILE that names nothing."""
    from reconcile.planner import PlanOptions

    globs = {name: listed(_LISTED[name], shaping[name], given) for name in _LISTED}
    _refuse_other_kinds("--replace", globs["replace"], "alarm")
    _refuse_other_kinds("--rerun", globs["rerun"], "handling")
    return PlanOptions(**{**shaping, **globs, "allow": dict(shaping["allow"])})


def _refuse_other_kinds(name: str, globs: Iterable[str], kind: Kind) -> None:
    """What is asked for in vain would look like done."""
    from reconcile.model.address import KINDS

    for glob in globs:
        if (named := glob.partition(".")[0]) != kind and named in KINDS:
            raise CommandLineWrong(f"{name} takes {kind}s, and {glob} is none", hint=f"write {name} {kind}.NAME")


def refuse_unknown_targets(on: Iterable[str], config: Config) -> None:
    """A slip in `--on` must not become a plan of nothing. Raises CommandLineWrong."""
    for name in on:
        if name not in config.targets:
            raise CommandLineWrong(f"--on {name}: no such target is configured", hint="there are: " + ", ".join(config.targets))


def refuse_shaping(ctx: click.Context) -> None:
    """A saved plan holds what it was shaped by."""
    given = [name for name in _SHAPES if ctx.get_parameter_source(name) is ParameterSource.COMMANDLINE]
    if given:
        names = ", ".join("--" + {"targets": "target", "excludes": "exclude"}.get(name, name) for name in given)
        raise CommandLineWrong(f"{names} cannot be used with a plan file", hint="give them to `reconcile plan --out FILE`")
