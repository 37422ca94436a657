"""Fills `${var.X}`, `${env.X}` and `${each.…}` into texts; leaves `${secret.env.X}` where it may stand.

What is filled in is never read again. Knows no meanings of keys but those under which a secret may stand.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from reconcile.model.template import Reference, parts_of, path_of
from reconcile.specs import codes
from reconcile.specs.closest import closest
from reconcile.specs.credentials import names_credential
from reconcile.specs.locate import Steps
from reconcile.specs.source import Spot
from reconcile.specs.wording import shape

SECRET_PLACES = frozenset({"annotations", "additional", "input_param", "target_instances"})
_parts = lru_cache(maxsize=4096)(parts_of)


class Unfilled(Exception):
    """A reference that has no value: code, sentence, hint."""

    def __init__(self, code: str, what: str, hint: str | None = None) -> None:
        super().__init__(what)
        self.code, self.what, self.hint = code, what, hint


@dataclass(frozen=True, slots=True)
class Scope:
    """Where the values come from. `keep_env` leaves `${env.X}` as text, to be filled when a target is used."""

    variables: Mapping[str, str]
    environ: Mapping[str, str]
    credentials: frozenset[str] = frozenset()
    keep_env: bool = False
    each: tuple[str, Any] | None = None


@dataclass(slots=True)
class Filling:
    """One walk over a value. `secrets` gathers path -> template; a text with a problem stays, and its path is in `failed`."""

    scope: Scope
    spot: Spot
    secrets: dict[str, str] = field(default_factory=dict)
    secrets_allowed: bool = True
    failed: set[Steps] = field(default_factory=set)

    def fill(self, value: Any, path: Steps = ()) -> Any:
        """A copy of the value with every text filled."""
        if isinstance(value, str):
            return self._text(value, path) if "${" in value else value
        if isinstance(value, dict):
            return {self._key(key, path): self.fill(child, (*path, key)) for key, child in value.items()}
        if isinstance(value, list):
            return [self.fill(child, (*path, index)) for index, child in enumerate(value)]
        return value

    def _key(self, key: str, path: Steps) -> str:
        if "${" in key:
            self.spot.problem((*path, key), codes.REFERENCE, "a key cannot hold `${`; only values are filled", key=True)
        return key

    def _text(self, text: str, path: Steps) -> str:
        try:
            parts = _parts(text)
        except ValueError as error:
            self.spot.problem(path, codes.REFERENCE, str(error))
            self.failed.add(self.spot.base + path)
            return text
        secret = self.scope.keep_env or any(isinstance(part, Reference) and self._stays(part) for part in parts)
        filled = "".join([self._part(part, path, secret) for part in parts])
        if self.spot.base + path in self.failed:
            return text
        if secret and not self.scope.keep_env:
            self.secrets[path_of(path)] = filled
        return filled

    def _stays(self, part: Reference) -> bool:
        return part.scope == "secret.env" or (part.scope == "env" and self.scope.keep_env)

    def _part(self, part: str | Reference, path: Steps, secret: bool) -> str:
        try:
            return self._value(part, path, secret)
        except Unfilled as problem:
            within = f"${{{part.scope}.{part.name}}}" if isinstance(part, Reference) else None
            self.spot.problem(path, problem.code, problem.what, problem.hint, within=within)
            self.failed.add(self.spot.base + path)
            return ""

    def _value(self, part: str | Reference, path: Steps, secret: bool) -> str:
        if isinstance(part, Reference) and self._stays(part):
            return self._kept(part, path)
        value = part if isinstance(part, str) else lookup(part, self.scope)
        if not secret:
            return value
        if value.endswith("$"):
            raise Unfilled(codes.REFERENCE, "a `$` cannot stand right before a `${…}` that is filled later")
        return value.replace("${", "$${")

    def _kept(self, part: Reference, path: Steps) -> str:
        if part.scope == "secret.env":
            allowed = self.secrets_allowed and len(path) > 1 and path[0] in SECRET_PLACES
            if not allowed:
                hint = "it is for values of annotations, additional, input_param and target_instances"
                raise Unfilled(codes.SECRET_PLACE, f"`${{secret.env.{part.name}}}` cannot stand here", hint)
        return f"${{{part.scope}.{part.name}}}"


def lookup(part: Reference, scope: Scope) -> str:
    """The value of one reference. Raises Unfilled."""
    sources: dict[str, Callable[[str, Scope], str]] = {"var": _variable, "env": _environment, "each": _each}
    value = sources[part.scope](part.name, scope)
    if any("\ud800" <= char <= "\udfff" for char in value):
        raise Unfilled(codes.ENVIRONMENT, f"the value of `${{{part.scope}.{part.name}}}` is not UTF-8")
    return value


def _variable(name: str, scope: Scope) -> str:
    if name in scope.variables:
        return scope.variables[name]
    match = closest(name, scope.variables)
    hint = f"did you mean `{match}`?" if match else f"give it with `--var {name}=…` or under `variables:` in the config"
    raise Unfilled(codes.UNDEFINED, f"the variable `{name}` is not defined", hint)


def _environment(name: str, scope: Scope) -> str:
    if names_credential(name, scope.credentials):
        hint = "`${secret.env." + name + "}` keeps it out of plan and state, where a secret may stand"
        raise Unfilled(codes.CREDENTIAL, f"`{name}` looks like a credential", hint)
    if name not in scope.environ:
        raise Unfilled(codes.ENVIRONMENT, f"the environment variable `{name}` is not set")
    return scope.environ[name]


def _each(name: str, scope: Scope) -> str:
    if scope.each is None:
        raise Unfilled(codes.REFERENCE, f"`${{each.{name}}}` needs a `for_each`")
    key, value = scope.each
    first, *rest = name.split(".")
    if first == "key" and not rest:
        return key
    if first != "value":
        raise Unfilled(codes.REFERENCE, f"`${{each.{name}}}` is neither `each.key` nor `each.value`")
    for step in rest:
        if not isinstance(value, dict) or step not in value:
            raise Unfilled(codes.UNDEFINED, f'`{step}` of `${{each.{name}}}` does not exist for the key "{key}"')
        value = value[step]
    return _as_text(value, name, key)


def _as_text(value: Any, name: str, key: str) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return str(value)
    raise Unfilled(codes.TYPE, f'`${{each.{name}}}` is {shape(value)} for the key "{key}", and only text can be filled in')
