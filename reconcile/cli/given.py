"""The options every command takes, before or after its name, merged into one value. Knows no command."""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeVar

import click
from click.core import ParameterSource

from reconcile.cli.streams import Log

if TYPE_CHECKING:
    from pathlib import Path

Decorated = TypeVar("Decorated", bound=Callable[..., Any])


class Given:
    """What stands on the command line for every command. What is given after the command wins; repeatable options add up."""

    def __init__(self) -> None:
        self.config: Path | None = None
        self.var: tuple[str, ...] = ()
        self.var_file: tuple[Path, ...] = ()
        self.color = "auto"
        self.quiet = False
        self.verbose = False
        self.log_format = "text"
        self.sources: dict[str, ParameterSource] = {}

    @cached_property
    def chdir(self) -> Path:
        """`-C DIR`, else here."""
        from pathlib import Path

        return Path()

    def path(self, path: Path) -> Path:
        """A path of the command line: relative to `-C DIR`."""
        return self.chdir / path


def _take(ctx: click.Context, param: click.Parameter, value: Any) -> None:
    """Keep what was given. Environment variables count once, at the outermost level, and never over the command line."""
    name = param.name or ""
    source = ctx.get_parameter_source(name)
    if source is None or source in (ParameterSource.DEFAULT, ParameterSource.DEFAULT_MAP):
        return
    if ctx.parent is not None and source is ParameterSource.ENVIRONMENT:
        return
    given = ctx.ensure_object(Given)
    adds_up = param.multiple if isinstance(param, click.Option) else False
    seen = given.sources.get(name) is ParameterSource.COMMANDLINE
    setattr(given, name, getattr(given, name) + tuple(value) if adds_up and seen else tuple(value) if adds_up else value)
    given.sources[name] = source
    if name == "log_format":
        Log.as_json = value == "json"


def _option(*names: str, envvar: str | None, **settings: Any) -> Callable[[Decorated], Decorated]:
    return click.option(*names, envvar=envvar, expose_value=False, callback=_take, show_envvar=envvar is not None, **settings)


class _Path(click.Path):
    """A pathlib.Path, imported only where one is given."""

    def coerce_path_result(self, value: str | os.PathLike[str]) -> Any:
        """Make it one."""
        from pathlib import Path

        return Path(value)


_PATH = _Path()
_OPTIONS = (
    _option("-C", "--chdir", metavar="DIR", type=_PATH, envvar="RECONCILE_CHDIR", help="Work in DIR, as if started there."),
    _option("--config", metavar="FILE", type=_PATH, envvar="RECONCILE_CONFIG", help="The config instead of reconcile.yaml."),
    _option("--var", metavar="X=VALUE", multiple=True, envvar=None, help="Set ${var.X}. [also: RECONCILE_VAR_X]"),
    _option(
        "--var-file", metavar="FILE", type=_PATH, multiple=True, envvar="RECONCILE_VARFILE", help="Variables from a YAML mapping."
    ),
    _option(
        "--color",
        type=click.Choice(["auto", "always", "never"]),
        envvar="RECONCILE_COLOR",
        help="Colour (auto: in a terminal without NO_COLOR).",
    ),
    _option(
        "-q",
        "--quiet",
        is_flag=True,
        envvar="RECONCILE_QUIET",
        help="No progress, notes or warnings; the answer and errors stay.",
    ),
    _option(
        "-v",
        "--verbose",
        is_flag=True,
        envvar="RECONCILE_VERBOSE",
        help="Say more on stderr: requests, and where errors come from.",
    ),
    _option(
        "--log-format",
        type=click.Choice(["text", "json"]),
        envvar="RECONCILE_LOG_FORMAT",
        help="How stderr is written: for people, or one JSON object a line.",
    ),
)


def takes_given(command: Decorated) -> Decorated:
    """Give a command or group the options of every command."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command
