"""Which credentials a target uses, and why: environment, then `~/.huaweicloud/credentials` (contract section 3). Sends nothing.

1. HUAWEICLOUD_SDK_AK/_SK/_SECURITY_TOKEN  2. HW_ACCESS_KEY/HW_SECRET_KEY/HW_SECURITY_TOKEN  3. HW_AUTH_TOKEN
4. HW_USER_NAME + HW_USER_PASSWORD + HW_DOMAIN_NAME  5. the credentials file  6. the ECS agency, only when `auth` asks for it.
`auth:` of a target pins one way and may name its variables. Half a pair is an error, never a reason to look further.
"""

from __future__ import annotations

import configparser
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import NoReturn, TypeAlias, assert_never

from reconcile.errors import SecretMissing
from reconcile.model.config import Auth, TargetType
from reconcile.targets.http.signer import Keys

SDK_KEYS = ("HUAWEICLOUD_SDK_AK", "HUAWEICLOUD_SDK_SK", "HUAWEICLOUD_SDK_SECURITY_TOKEN")
HW_KEYS = ("HW_ACCESS_KEY", "HW_SECRET_KEY", "HW_SECURITY_TOKEN")
TOKEN = "HW_AUTH_TOKEN"
PASSWORD = ("HW_USER_NAME", "HW_USER_PASSWORD", "HW_DOMAIN_NAME")
FILE = ".huaweicloud/credentials"


@dataclass(frozen=True, slots=True)
class KeyChoice:
    """An access key pair. `project_id` and `domain_id` are the file's, where it names them."""

    source: str
    keys: Keys = field(repr=False)
    project_id: str | None = None
    domain_id: str | None = None
    type = "aksk"


@dataclass(frozen=True, slots=True)
class TokenChoice:
    """A ready-made token."""

    source: str
    token: str = field(repr=False)
    type = "token"


@dataclass(frozen=True, slots=True)
class PasswordChoice:
    """An IAM user and password."""

    source: str
    user: str
    domain: str
    password: str = field(repr=False)
    type = "password"


@dataclass(frozen=True, slots=True)
class AgencyChoice:
    """The agency of the ECS this runs on."""

    source: str = "the ECS agency"
    type = "agency"


@dataclass(frozen=True, slots=True)
class NoChoice:
    """Nothing found, or nothing needed."""

    source: str
    type = "none"


Choice: TypeAlias = KeyChoice | TokenChoice | PasswordChoice | AgencyChoice | NoChoice


def choose(auth: Auth | None, environ: Mapping[str, str], *, target: str, kind: TargetType) -> Choice:
    """The credentials of a target. Raises SecretMissing naming the target and what is not set."""
    finder = _Finder(environ, target, kind)
    found = next(finder.unpinned(), None) if auth is None else finder.pinned(auth)
    if found is not None:
        return found
    if kind == "coc-events":
        return NoChoice("the integration key alone")
    raise SecretMissing(
        f"target `{target}` has no credentials",
        hint=f"set {SDK_KEYS[0]} and {SDK_KEYS[1]}, or {TOKEN}, or {', '.join(PASSWORD)}, or write ~/{FILE}",
    )


@dataclass(frozen=True, slots=True)
class _Finder:
    environ: Mapping[str, str]
    target: str
    kind: TargetType

    def unpinned(self) -> Iterator[Choice]:
        """What is set, in the order of the contract."""
        for names in (SDK_KEYS, HW_KEYS):
            yield from self._some(self._keys(*names))
        yield from self._some(self._token(TOKEN))
        if self._value(PASSWORD[0]) and self._value(PASSWORD[1]):
            yield from self._some(self._password(*PASSWORD))
        yield from self._some(self._file())

    def pinned(self, auth: Auth) -> Choice | None:
        """What `auth` asks for, all of it."""
        match auth.type:
            case "agency":
                return AgencyChoice()
            case "token":
                return self._token(auth.token_env or TOKEN) or self._missing(auth.token_env or TOKEN)
            case "password":
                given = (auth.user_env, auth.password_env, auth.domain_env)
                names = [name or default for name, default in zip(given, PASSWORD, strict=True)]
                return self._password(*names)
            case "aksk":
                return self._pinned_keys(auth)
            case _:
                assert_never(auth.type)

    def _pinned_keys(self, auth: Auth) -> Choice:
        if auth.ak_env or auth.sk_env:
            ak, sk = auth.ak_env or SDK_KEYS[0], auth.sk_env or SDK_KEYS[1]
            return self._keys(ak, sk, auth.security_token_env) or self._missing(ak)
        return self._keys(*SDK_KEYS) or self._keys(*HW_KEYS) or self._file() or self._missing(SDK_KEYS[0])

    def _keys(self, ak: str, sk: str, security_token: str | None) -> KeyChoice | None:
        values = self._value(ak), self._value(sk)
        if values == (None, None):
            return None
        if values[0] is None or values[1] is None:
            self._missing(ak if values[0] is None else sk, f" ({sk if values[0] is None else ak} is)")
        token = self._value(security_token) if security_token else None
        names = [ak, sk, *([security_token] if security_token and token else [])]
        return KeyChoice(" + ".join(names), Keys(values[0] or "", values[1] or "", token))

    def _token(self, name: str) -> TokenChoice | None:
        token = self._value(name)
        return None if token is None else TokenChoice(name, token)

    def _password(self, user: str, password: str, domain: str) -> PasswordChoice:
        values = [self._value(name, header=False) or self._missing(name) for name in (user, password, domain)]
        return PasswordChoice(" + ".join((user, password, domain)), user=values[0], password=values[1], domain=values[2])

    def _file(self) -> KeyChoice | None:
        home = self.environ.get("HOME")
        path = Path(home, FILE) if home else None
        if path is None or not path.is_file():
            return None
        sections = self._sections(path)
        wanted = ("global", "basic") if self.kind == "coc" else ("basic", "global")
        for name in wanted:
            section = sections.get(name, {})
            if section.get("ak") and section.get("sk"):
                keys = Keys(section["ak"], section["sk"], section.get("security_token") or None)
                return KeyChoice(f"~/{FILE} [{name}]", keys, section.get("project_id"), section.get("domain_id"))
        return None

    def _sections(self, path: Path) -> dict[str, dict[str, str]]:
        parser = configparser.ConfigParser(interpolation=None)
        try:
            parser.read_string(path.read_text("utf-8"))
        except (configparser.Error, OSError, UnicodeDecodeError):
            message = f"~/{FILE} cannot be read, which target `{self.target}` takes its credentials from"
            raise SecretMissing(message, hint="it holds sections [basic] and [global] with ak and sk") from None
        return {name: dict(parser[name]) for name in parser.sections()}

    def _value(self, name: str, *, header: bool = True) -> str | None:
        value = self.environ.get(name)
        if not value:
            return None
        if header and not (value.isascii() and value.isprintable() and " " not in value):
            raise SecretMissing(f"target `{self.target}`: {name} holds a character no credential has (a space, a line end?)")
        return value

    def _missing(self, name: str, more: str = "") -> NoReturn:
        raise SecretMissing(f"target `{self.target}` needs {name}, which is not set{more}", hint=f"set {name}")

    @staticmethod
    def _some(choice: Choice | None) -> Iterator[Choice]:
        if choice is not None:
            yield choice
