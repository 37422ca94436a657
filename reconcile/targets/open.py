"""The configured targets by name, opened when first used and closed together. The wiring of this floor."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Collection, Iterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Generic, TypeVar

from reconcile.errors import InputInvalid, Problem, SecretMissing
from reconcile.model.config import Config, Target, TargetType
from reconcile.ports import AlarmTarget, Clock, TaskTarget
from reconcile.targets.aom import AomTarget
from reconcile.targets.coc import CocTarget
from reconcile.targets.coc_events import CocEventsTarget
from reconcile.targets.connect import METADATA_BASE, Connector
from reconcile.targets.credentials import Choice, KeyChoice, NoChoice, PasswordChoice, choose
from reconcile.targets.http.clients import Clients, trust
from reconcile.targets.http.scrub import Scrubber, secrets_in
from reconcile.targets.settings import HERE, Settings, checked_base, resolve

METADATA_VARIABLE = "RECONCILE_ECS_METADATA_URL"
ALARM_TYPES: frozenset[TargetType] = frozenset({"aom", "coc-events"})
TASK_TYPES: frozenset[TargetType] = frozenset({"coc"})
T = TypeVar("T")


@asynccontextmanager
async def open_targets(
    config: Config,
    *,
    environ: Mapping[str, str],
    embedded: Callable[[], Any],
    clock: Clock,
    log: Callable[[str], None],
    names: Collection[str] | None = None,
    directory: Path = HERE,
    secrets: Collection[str] = (),
) -> AsyncIterator[OpenTargets]:
    """Open the targets of a config. `names` are resolved at once, the others when first used.

    `directory` is where the run works: the config's own path, and with it each `ca_file`, is relative to it.

    `embedded` gives the ASGI app behind `endpoint: embedded`; it is called once, if at all. `secrets` are values that requests
    will carry: no error repeats them, should a server echo what it was sent.
    """
    clients = Clients(embedded)
    scrub = Scrubber([*secrets_in(environ), *secrets])
    connector = Connector(clients, clock=clock, log=log, scrub=scrub, metadata_base=metadata_base(config, environ))
    targets = OpenTargets(config, environ, connector, clock, scrub, directory)
    try:
        targets.check(names or ())
        yield targets
    finally:
        await clients.close()


class OpenTargets:
    """Gives targets by name. A target's `${env.X}` are resolved when it is first asked for, or by `check`."""

    def __init__(
        self,
        config: Config,
        environ: Mapping[str, str],
        connector: Connector,
        clock: Clock,
        scrub: Scrubber,
        directory: Path = HERE,
    ) -> None:
        self._config = config
        self._environ = environ
        self._connector = connector
        self._clock = clock
        self._scrub = scrub
        self._directory = directory
        self._ready: dict[str, tuple[Settings, Choice]] = {}
        self.alarms: Mapping[str, AlarmTarget] = _ByName(self._names(ALARM_TYPES), self._alarm_target)
        self.tasks: Mapping[str, TaskTarget] = _ByName(self._names(TASK_TYPES), self._task_target)

    def check(self, names: Collection[str]) -> None:
        """Resolve all of these now. Raises exit 10 naming target and variable, before anything is sent."""
        for name in sorted(names):
            if name not in self._config.targets:
                problem = Problem(self._config.file or "reconcile.yaml", 1, 1, "C024", f"no target is named `{name}`")
                raise InputInvalid([problem])
            self._resolved(self._config.targets[name])

    def _names(self, types: frozenset[TargetType]) -> list[str]:
        return [name for name, target in self._config.targets.items() if target.type in types]

    def _resolved(self, target: Target) -> tuple[Settings, Choice]:
        if target.name not in self._ready:
            settings, choice = ready(target, self._config, self._environ, self._directory)
            self._scrub.learn(settings.integration_key)
            if isinstance(choice, KeyChoice):
                self._scrub.learn(choice.keys.sk)
            self._ready[target.name] = settings, choice
        return self._ready[target.name]

    def _alarm_target(self, name: str) -> AlarmTarget:
        settings, choice = self._resolved(self._config.targets[name])
        connection = self._connector.connect(settings, choice)
        if settings.target.type == "coc-events":
            return CocEventsTarget(settings, connection.wire)
        return AomTarget(settings.target, connection.wire, project_id=connection.project_id, now=self._clock.now)

    def _task_target(self, name: str) -> TaskTarget:
        settings, choice = self._resolved(self._config.targets[name])
        return CocTarget(settings.target, self._connector.connect(settings, choice).wire)


def ready(target: Target, config: Config, environ: Mapping[str, str], directory: Path = HERE) -> tuple[Settings, Choice]:
    """A target with everything that can be known without a request. Raises exit 10 for what is missing."""
    settings = resolve(target, config, environ, directory)
    if target.embedded:
        return settings, NoChoice("not needed: the emulator of this tool answers")
    _refuse_unusable_trust(settings, config)
    choice = choose(target.auth, environ, target=target.name, kind=target.type)
    told = settings.project_id or settings.region or (choice.project_id if isinstance(choice, KeyChoice) else None)
    if target.type == "aom" and not told and not (isinstance(choice, PasswordChoice) and settings.project_name):
        hint = "write `project_id`, or `region` to look it up by"
        raise SecretMissing(f"target `{target.name}` has neither `project_id` nor a region", hint=hint)
    return settings, choice


def metadata_base(config: Config, environ: Mapping[str, str]) -> str:
    """Where the ECS metadata service answers; a stand-in may be named, on loopback or over https only."""
    url = environ.get(METADATA_VARIABLE)
    return checked_base(url, config, METADATA_VARIABLE) if url else METADATA_BASE


def _refuse_unusable_trust(settings: Settings, config: Config) -> None:
    if settings.ca_file is None:
        return
    try:
        trust(settings.ca_file)
    except OSError as error:
        what = f"target `{settings.target.name}`: `ca_file` holds no certificate: {settings.ca_file}"
        raise InputInvalid([Problem(config.file or "reconcile.yaml", 1, 1, "C072", what)]) from error


class _ByName(Mapping[str, T], Generic[T]):
    """Opens each value once, when it is first asked for."""

    def __init__(self, names: Collection[str], opener: Callable[[str], T]) -> None:
        self._names = tuple(names)
        self._opener = opener
        self._opened: dict[str, T] = {}

    def __getitem__(self, name: str) -> T:
        if name not in self._names:
            raise KeyError(name)
        if name not in self._opened:
            self._opened[name] = self._opener(name)
        return self._opened[name]

    def __contains__(self, name: object) -> bool:
        return name in self._names

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)
