"""Which identity each target would use, and why: what `whoami` shows. Sends nothing and holds no secret."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from reconcile.errors import ReconcileError
from reconcile.model.config import Config, Target
from reconcile.targets.credentials import Choice, KeyChoice, PasswordChoice
from reconcile.targets.open import ready
from reconcile.targets.settings import HERE, Settings


@dataclass(frozen=True, slots=True)
class Identity:
    """How a target would log in. `access_key` is shortened; `problem` says why nothing could be sent, `hint` what to do."""

    target: str
    endpoint: str
    method: str = "none"
    source: str | None = None
    why: str | None = None
    access_key: str | None = None
    user: str | None = None
    project: str | None = None
    domain_id: str | None = None
    region: str | None = None
    problem: str | None = None
    hint: str | None = None


def describe_identity(config: Config, name: str, environ: Mapping[str, str], directory: Path = HERE) -> Identity:
    """Describe one configured target; what is missing is described too, not raised."""
    target = config.targets[name]
    try:
        settings, choice = ready(target, config, environ, directory)
    except ReconcileError as error:
        problems = getattr(error, "problems", None)
        said = problems[0].what if problems else error.message
        return Identity(name, target.endpoint, problem=said, hint=error.hint)
    return Identity(
        name,
        "embedded" if target.embedded else settings.base,
        method=choice.type,
        source=choice.source,
        why=_why(target),
        access_key=_shortened(choice.keys.ak) if isinstance(choice, KeyChoice) else None,
        user=f"{choice.domain}/{choice.user}" if isinstance(choice, PasswordChoice) else None,
        project=_project(settings, choice),
        domain_id=settings.domain_id or (choice.domain_id if isinstance(choice, KeyChoice) else None),
        region=settings.region,
    )


def _why(target: Target) -> str:
    if target.embedded:
        return "`endpoint: embedded`"
    if target.auth is not None:
        return f"the config pins `auth: {{type: {target.auth.type}}}`"
    return "first found in the order environment, then credentials file"


def _project(settings: Settings, choice: Choice) -> str | None:
    known = settings.project_id or (choice.project_id if isinstance(choice, KeyChoice) else None)
    if known or settings.target.type != "aom":
        return known
    name = settings.project_name if isinstance(choice, PasswordChoice) and settings.project_name else settings.region
    return f"looked up by name `{name}`"


def _shortened(ak: str) -> str:
    return f"{ak[:4]}…" if len(ak) >= 12 else "…"
