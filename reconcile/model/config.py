"""The config as nouns (contract section 3): where specs and state are, the targets, the guards, the checks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from pydantic import Field

from reconcile.model.base import Value
from reconcile.model.dialects import DIALECTS, Dialect

TargetType = Literal["aom", "coc-events", "coc"]


class Auth(Value):
    """`auth:` of a target: pins one way to log in and names its variables."""

    type: Literal["aksk", "token", "password", "agency"]
    token_env: str | None = None
    ak_env: str | None = None
    sk_env: str | None = None
    security_token_env: str | None = None
    user_env: str | None = None
    password_env: str | None = None
    domain_env: str | None = None


class Target(Value):
    """One configured connection. Strings may still hold `${env.X}`: they are resolved when the target is first used.

    `rate` is requests per second, `confirm_timeout` and `request_timeout` are ms.
    """

    name: str
    type: TargetType
    endpoint: str = "embedded"
    dialect: Literal["current", "legacy", "cn-2021"] = "current"
    method: Literal["PUT", "POST"] = "PUT"
    project_id: str | None = None
    domain_id: str | None = None
    region: str | None = None
    stamp: bool = True
    batch_size: int = Field(default=100, ge=1, le=1000)
    concurrency: int = Field(default=8, ge=1, le=64)
    rate: float | None = None
    clear_without_id: bool = False
    confirm_timeout: int = 10_000
    request_timeout: int = 30_000
    settle_time: int = 600_000
    ca_file: str | None = None
    proxy: str | None = None
    auth: Auth | None = None
    integration_key: str | None = None
    namespace: str | None = None
    application_id: str | None = None
    source: str | None = None

    @property
    def embedded(self) -> bool:
        """Whether the tool's own emulator answers, in-process."""
        return self.endpoint == "embedded"

    @property
    def rules(self) -> Dialect:
        """The limits of the AOM document this target speaks."""
        return DIALECTS[self.dialect]


class Guards(Value):
    """The brakes: `max_clears` is a share (0.3) or, above 1, a count; `max_triggers` a count."""

    max_clears_share: float | None = 0.3
    max_clears_count: int | None = None
    max_triggers: int = 20


class Check(Value):
    """A policy over plans: `require` must hold wherever `when` does, for each change or for the plan as a whole.

    Both are expressions; `line` is where the check stands in the config.
    """

    name: str
    over: Literal["changes", "plan"] = "changes"
    when: str | None = None
    require: str
    message: str | None = None
    line: int = 1

    @property
    def names(self) -> tuple[str, ...]:
        """What its expressions see."""
        return ("change", "plan") if self.over == "changes" else ("plan",)


class Notify(Value):
    """Where the record of a run is posted. `url` is `${env.X}`: it often holds a token. `timeout` in ms."""

    url: str
    when: Literal["always", "changes", "failure"] = "always"
    timeout: int = 10_000
    ca_file: str | None = None
    proxy: str | None = None


class StateConfig(Value):
    """Where the state lives. `options` are the backend's own keys, unresolved."""

    backend: Literal["local", "http", "s3", "postgres"] = "local"
    path: str = "state/default.json"
    options: dict[str, Any] = Field(default_factory=dict)


class Config(Value):
    """`reconcile.yaml`, checked. `file` is None when there is none: all defaults, embedded."""

    file: str | None = None
    stack: str | None = None
    specs: str = "specs"
    state: StateConfig = StateConfig()
    default_target: str = "aom"
    variables: dict[str, str] = Field(default_factory=dict)
    guards: Guards = Guards()
    checks: tuple[Check, ...] = ()
    notify: Notify | None = None
    targets: Mapping[str, Target] = Field(default_factory=dict)


DEFAULT_TARGETS: dict[str, Target] = {
    "aom": Target(name="aom", type="aom"),
    "coc-events": Target(name="coc-events", type="coc-events", application_id="app-1", namespace="default", source="reconcile"),
    "coc": Target(name="coc", type="coc"),
}
