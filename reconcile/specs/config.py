"""`reconcile.yaml` -> Config: paths, stack, guards, variables. The targets are read in `config_targets`."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from reconcile.model.config import DEFAULT_TARGETS, Config, Guards, StateConfig, Target
from reconcile.specs import codes
from reconcile.specs.build import build
from reconcile.specs.closest import did_you_mean
from reconcile.specs.config_checks import checks_of
from reconcile.specs.config_notify import notify_of
from reconcile.specs.config_targets import refuse_literals, targets_of
from reconcile.specs.files import is_there, read, shown
from reconcile.specs.interpolate import Filling, Scope
from reconcile.specs.source import Report, Spot
from reconcile.specs.variables import given_variables, say_not_text, texts
from reconcile.specs.wording import plain

FILE = "reconcile.yaml"
_KEYS = ("version", "stack", "specs", "state", "default_target", "variables", "guards", "checks", "notify", "targets")
_FILLED_NOW = ("stack", "specs", "default_target", "guards", "checks")
_BACKENDS = ("local", "http", "s3", "postgres")
_STACK = re.compile(r"[A-Za-z0-9][A-Za-z0-9_./-]{0,127}")
_SHARE = re.compile(r"([0-9]{1,3}(?:\.[0-9]+)?)%")


def load_config(
    directory: Path,
    file: Path | None,
    *,
    var: Sequence[str] = (),
    var_files: Sequence[Path] = (),
    environ: Mapping[str, str],
) -> Config:
    """The config of a directory, or of the file named; defaults when there is none. Raises InputInvalid with all problems.

    `specs` and `state` come out relative to the directory, whichever folder the config stands in.
    """
    report = Report()
    given = given_variables(directory, var=var, var_files=var_files, environ=environ, report=report)
    path = directory / (file or FILE)
    if file is None and not is_there(path):
        report.raise_any(len(var_files))
        return Config(variables=given, targets=DEFAULT_TARGETS)
    name = shown(path, directory)
    source = read(path, name, "C", report)
    documents = None if source is None else build(source, report)
    config = None
    if source is not None and documents is not None:
        filled = [number for number, document in enumerate(documents) if document.value is not None]
        number = filled[0] if filled else 0
        for other in filled[1:]:
            Spot(report, source, other).problem((), codes.TYPE, "a config is one document")
        value = documents[number].value if documents else None
        lines = documents[number].lines if documents else {}
        config = _Reading(Spot(report, source, number), directory, path.parent, given, environ, lines).config(value, name)
    report.raise_any(1 + len(var_files))
    assert config is not None  # nothing is reported only when it was read
    return config


class _Reading:
    """One reading of one config file; problems go to the spot's report."""

    def __init__(
        self,
        spot: Spot,
        directory: Path,
        folder: Path,
        given: Mapping[str, str],
        environ: Mapping[str, str],
        lines: Mapping[tuple[str, str], int],
    ) -> None:
        self._spot = spot
        self._directory = directory
        self._folder = folder
        self._given = given
        self._environ = environ
        self._lines = lines

    def config(self, value: Any, name: str) -> Config | None:
        value = {} if value is None else value
        if not isinstance(value, dict):
            self._spot.problem((), codes.TYPE, f"the config is a mapping with {', '.join(_KEYS)}")
            return None
        self._known(value, _KEYS, ())
        version = value.get("version", 1)
        if version != 1 or isinstance(version, bool):
            self._spot.problem(("version",), codes.VERSION, f"version {plain(version)} is not known; this tool reads version 1")
        variables = {**self._variables(value.get("variables")), **self._given}
        refuse_literals(value.get("targets"), ("targets",), self._spot)
        refuse_literals(value.get("state"), ("state",), self._spot)
        now = Filling(Scope(variables, self._environ), self._spot, secrets_allowed=False)
        later = Filling(Scope(variables, self._environ, keep_env=True), self._spot, secrets_allowed=False)
        body = {key: now.fill(value[key], (key,)) for key in _FILLED_NOW if key in value}
        filled, notify = (later.fill(value.get(key), (key,)) for key in ("targets", "notify"))
        self._spot = replace(self._spot, quiet=frozenset(now.failed | later.failed))
        targets = self._targets(filled)
        return Config(
            file=name,
            stack=self._stack(body.get("stack")),
            specs=self._path(body.get("specs"), ("specs",), "specs"),
            state=self._state(value.get("state"), now, later),
            default_target=self._default_target(body.get("default_target"), value.get("targets"), targets),
            variables=variables,
            guards=self._guards(body.get("guards")),
            checks=checks_of(body.get("checks"), self._spot, self._lines),
            notify=notify_of(notify, self._spot),
            targets=targets,
        )

    def _known(self, value: dict[str, Any], keys: Sequence[str], at: tuple[str, ...]) -> None:
        for key in value:
            if key not in keys:
                hint = did_you_mean(key, keys, otherwise=f"the keys are {', '.join(keys)}")
                self._spot.problem((*at, key), codes.UNKNOWN_KEY, f"there is no key `{key[:80]}` here", hint, key=True)

    def _variables(self, value: Any) -> dict[str, str]:
        spot = Spot(self._spot.report, self._spot.file, self._spot.document, ("variables",))
        declared = {} if value is None else texts(value, spot)
        filling = Filling(Scope({}, self._environ), spot, secrets_allowed=False)
        out = {}
        for name, text in declared.items():
            if "${var." in text:
                spot.problem((name,), codes.REFERENCE, "a variable cannot refer to another variable")
            elif name not in self._given:
                out[name] = filling.fill(text, (name,))
        return out

    def _text(self, value: Any, path: tuple[str, ...]) -> str | None:
        if value is None or isinstance(value, str):
            return value
        say_not_text(self._spot, path, value)
        return None

    def _stack(self, value: Any) -> str | None:
        stack = self._text(value, ("stack",))
        if stack is not None and not _STACK.fullmatch(stack):
            hint = "letters, digits and `_./-`, at most 128, the first a letter or digit"
            self._spot.problem(("stack",), codes.STACK, f"`{stack[:80]}` is not a name for a stack", hint)
        return stack

    def _path(self, value: Any, path: tuple[str, ...], default: str) -> str:
        """A path as seen from the directory, though it was written as seen from the config's folder."""
        text = self._text(value, path)
        if text == "" or (text is not None and "\0" in text):
            self._spot.problem(path, codes.REQUIRED, f"`{path[-1]}` is no path")
        whole = (self._folder / (text or default)).absolute()
        directory = self._directory.absolute()
        return str(whole.relative_to(directory) if whole.is_relative_to(directory) else whole)

    def _state(self, value: Any, now: Filling, later: Filling) -> StateConfig:
        default = StateConfig().path
        if not isinstance(value, dict):
            return StateConfig(path=self._path(now.fill(value, ("state",)), ("state",), default))
        backend = now.fill(value.get("backend", "local"), ("state", "backend"))
        if backend == "local":
            self._known(value, ("backend", "path"), ("state",))
        elif backend not in _BACKENDS:
            hint = did_you_mean(str(backend), _BACKENDS, otherwise=f"the backends are {', '.join(_BACKENDS)}")
            self._spot.problem(("state", "backend"), codes.BACKEND, f"there is no state backend `{plain(backend)}`", hint)
            backend = "local"
        path = now.fill(value.get("path"), ("state", "path"))
        options = {key: later.fill(child, ("state", key)) for key, child in value.items() if key not in ("backend", "path")}
        return StateConfig(backend=backend, path=self._path(path, ("state", "path"), default), options=options)

    def _targets(self, value: Any) -> dict[str, Target]:
        return dict(DEFAULT_TARGETS) if value is None else targets_of(value, self._spot)

    def _default_target(self, value: Any, given: Any, targets: Mapping[str, Target]) -> str:
        name = self._text(value, ("default_target",))
        if name is None:
            of_aom = [target.name for target in targets.values() if target.type == "aom"]
            return of_aom[0] if len(of_aom) == 1 else "aom"
        if name not in targets and not (isinstance(given, dict) and name in given):
            hint = did_you_mean(name, targets, otherwise=f"the targets are {', '.join(sorted(targets))}")
            self._spot.problem(("default_target",), codes.DEFAULT_TARGET, f"there is no target `{name[:80]}`", hint)
        return name

    def _guards(self, value: Any) -> Guards:
        if value is None:
            return Guards()
        if not isinstance(value, dict):
            self._spot.problem(("guards",), codes.TYPE, "`guards` is a mapping with max_clears, max_triggers")
            return Guards()
        self._known(value, ("max_clears", "max_triggers"), ("guards",))
        share, count = self._clears(value.get("max_clears", "30%"))
        triggers = value.get("max_triggers", 20)
        if not _is_count(triggers):
            self._spot.problem(("guards", "max_triggers"), codes.GUARD, f"`{plain(triggers)}` is not a whole number", "write 20")
            triggers = 20
        return Guards(max_clears_share=share, max_clears_count=count, max_triggers=triggers)

    def _clears(self, value: Any) -> tuple[float | None, int | None]:
        if _is_count(value):
            return None, value
        match = _SHARE.fullmatch(value) if isinstance(value, str) else None
        if match is None or float(match[1]) > 100:
            what = f"`{plain(value)}` is neither a share nor a whole number"
            self._spot.problem(("guards", "max_clears"), codes.GUARD, what, "write 30% or 40")
            return None, 0
        return float(match[1]) / 100, None


def _is_count(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0
