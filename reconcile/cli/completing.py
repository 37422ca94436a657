"""What a shell offers at TAB: addresses of the state. Quiet and offline: what cannot be known at once is not offered."""

from __future__ import annotations

import click

from reconcile.cli.given import Given


def addresses(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[str]:
    """Addresses of a local state, without their `for_each` keys, which shells would have to quote."""
    return _known(ctx, incomplete)


def alarms(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[str]:
    """Those of alarms."""
    return [name for name in _known(ctx, incomplete) if name.startswith("alarm.")]


def handlings(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[str]:
    """Those of handlings."""
    return [name for name in _known(ctx, incomplete) if name.startswith("handling.")]


def _known(ctx: click.Context, incomplete: str) -> list[str]:
    from reconcile.cli.wiring import Session
    from reconcile.model.address import base_of

    try:
        session = Session(ctx.find_object(Given) or Given())
        if session.config.state.backend != "local":
            return []
        return sorted({base for name in session.store.read().resources if (base := base_of(name)).startswith(incomplete)})
    except Exception:  # a broken config is told by the command itself, not in the middle of a line that is being typed
        return []
