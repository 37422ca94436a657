"""Write docs/reference.md and docs/schemas/ from the tool itself: its commands, its schemas, its codes.

Run it after changing any of them: python docs/generate.py
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import click

from reconcile.cli.commands.schema import KINDS, schema_text
from reconcile.cli.root import root
from reconcile.model.change import ACTIONS
from reconcile.model.resources import Alarm, Event, Handling, Resource
from reconcile.specs.codes import CODES
from reconcile.state.options import HttpOptions, PostgresOptions, S3Options
from reconcile.views.schemas.config import config_schema
from reconcile.views.schemas.spec import spec_schema

PAGE = Path(__file__).with_name("reference.md")
SCHEMAS = {Path(__file__).with_name("schemas") / f"{kind}.schema.json": kind for kind in KINDS}
EXIT_CODES = {
    "0": "done, or nothing to do; also when there are changes and nobody asked for code 2",
    "1": "failed",
    "2": "changes, or drift: only with `--detailed-exitcode` (`drift`: by default). Renewals and deferrals alone are 0",
    "3": "an apply did some and failed some; with `--wait` also when a task ended badly",
    "4": "the state is locked by another run",
    "5": "the saved plan is stale, foreign or altered; nothing was sent",
    "6": "refused by a guard, a protection or foreign ownership; nothing was sent",
    "7": "an apply ended with an operation whose outcome is unknown",
    "10": "specs or config are invalid, or a needed secret is not set; nothing was sent",
    "64": "wrong command line",
    "130, 143": "stopped by SIGINT or SIGTERM; what was acknowledged is saved",
}
MEANINGS = {
    "report": "new, or expired, or cleared by somebody else",
    "update": "the same alarm with other content. If only `lifecycle` changed, nothing is sent",
    "replace": "another identity: the new one is reported, the old one cleared",
    "renew": "unchanged, but its timeout runs out soon",
    "clear": "no longer declared",
    "trigger": "run the task of a handling",
    "adopt": "take over a live alarm; nothing is sent",
    "move": "another address for the same alarm; nothing is sent",
    "forget": "drop from the state; nothing is sent",
    "defer": "cannot or must not be done now; the reason says what to do",
    "none": "nothing",
}
CHECKS = (
    "Below `checks`, by name: an expression in CEL that must hold, else the plan is refused (exit code 6). "
    "`change` is a row of the plan document, as `reconcile plan --json` shows it; `plan` has its `stack`, `as_of`, `complete`, "
    "`destroy` and `summary`, and with `over: plan` its `changes`. An expression that does not fit its values does not hold. "
    "See [the recipe](recipes.md#check-plans-against-rules-of-your-own)."
)
VARIABLES = {
    "HUAWEICLOUD_SDK_AK, HUAWEICLOUD_SDK_SK, HUAWEICLOUD_SDK_SECURITY_TOKEN": "access key, secret key, token of a temporary one",
    "HW_ACCESS_KEY, HW_SECRET_KEY, HW_SECURITY_TOKEN": "the same in the words of the Terraform provider",
    "HW_AUTH_TOKEN": "a token from IAM",
    "HW_USER_NAME, HW_USER_PASSWORD, HW_DOMAIN_NAME": "a user; a token is fetched from IAM",
    "HW_AUTH_URL, HW_PROJECT_NAME, HW_REGION_NAME": "where that token comes from, and for which project",
    "TF_HTTP_…": "every key of the state backend `http`, in capitals: `TF_HTTP_ADDRESS`, `TF_HTTP_PASSWORD`",
    "RECONCILE_VAR_X": "the variable `X` of specs and config",
    "RECONCILE_CACHE_DIR": "where parsed specs may be remembered; deleting it costs time and nothing else",
    "NO_COLOR": "no colour, unless `--color always` is given",
    "RECONCILE_…": "any option of the commands below, but for `--allow`, `--auto-approve`, `--replace` and `--rerun`",
}
BACKENDS: dict[str, tuple[Any, dict[str, str]]] = {
    "http": (
        HttpOptions,
        {
            "address": "Where the state is read and written.",
            "update_method": "How it is written.",
            "lock_address": "Where it is locked; without it nothing is locked.",
            "lock_method": "How it is locked.",
            "unlock_address": "Where it is unlocked, if elsewhere.",
            "unlock_method": "How it is unlocked.",
            "username": "User name.",
            "password": "Password; only as `${env.X}`.",
            "client_ca_certificate_pem": "Certificate of the authority to trust.",
            "client_certificate_pem": "Our certificate.",
            "client_private_key_pem": "Its key; only as `${env.X}`.",
            "headers": "Headers that go with each request; a credential only as `${env.X}`.",
            "retry_max": "How often a request without an answer is tried again.",
            "retry_wait_min": "Seconds before the first further try; doubled each time.",
            "retry_wait_max": "The most of them.",
            "skip_cert_verification": "Refused: certificates are always verified.",
            "request_timeout": "Seconds that one request may take.",
            "ca_file": "The authority to trust, as a file.",
            "proxy": "Proxy URL.",
        },
    ),
    "s3": (
        S3Options,
        {
            "bucket": "The bucket.",
            "key": "The object in it.",
            "region": "Its region.",
            "endpoint": "Where it is, if not at AWS: OBS, MinIO.",
            "profile": "Profile of the AWS tools.",
            "path_style": "The bucket in the path instead of the host name.",
            "encrypt": "Ask for encryption at rest.",
            "kms_key_id": "With this key.",
            "ca_file": "The authority to trust, as a file.",
        },
    ),
    "postgres": (
        PostgresOptions,
        {
            "conn_str": "The connection; only as `${env.X}`.",
            "schema_name": "The schema that holds the tables.",
            "name": "Tells the states of one schema apart.",
        },
    ),
}


def table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    """A Markdown table."""
    lines = [head, tuple("---" for _ in head), *rows]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|").replace("\n", " ") for cell in row) + " |" for row in lines)


def page() -> str:
    """The whole reference."""
    spec, config = spec_schema(), config_schema()
    parts = [
        "# Reference",
        "Generated by `docs/generate.py`; a test fails when it is out of date.",
        *_specs(spec),
        *_config(config),
        "## Actions of a plan",
        table(("action", "meaning"), ((f"`{name}`", MEANINGS[name]) for name in ACTIONS)),
        "## Exit codes",
        "They are stable.",
        table(("code", "meaning"), EXIT_CODES.items()),
        "## Environment",
        table(("variable", "meaning"), ((_ticked(names), meaning) for names, meaning in VARIABLES.items())),
        *_commands(),
        "## Codes of problems",
        "`S…` stands for specs, `C…` for the config. They are stable.",
        table(("code", "meaning"), ((f"`{code}`", meaning) for code, meaning in CODES.items())),
    ]
    return "\n\n".join(parts) + "\n"


def _ticked(names: str) -> str:
    return ", ".join(f"`{name}`" for name in names.split(", "))


def _specs(spec: Mapping[str, Any]) -> Iterator[str]:
    kinds = spec["$defs"]
    yield "## Specs"
    yield (
        "All `*.yaml` and `*.yml` below the specs folder, sorted by path. A file may hold several documents. "
        "`reconcile schema spec` prints the same as a JSON Schema."
    )
    yield table(("top-level key", "meaning"), ((f"`{key}`", _text(value)) for key, value in spec["properties"].items()))
    for title, name, noun in (("An alarm", "alarm", Alarm), ("An event", "event", Event), ("A handling", "handling", Handling)):
        yield f"### {title}"
        yield from _keys(kinds[name], required=_required(noun) - {"target", "name"})
        if name == "alarm":
            yield "#### `resource`"
            yield from _keys(kinds["Resource"], required=_required(Resource))
            yield "#### `lifecycle`"
            yield from _keys(kinds["Lifecycle"])


def _config(config: Mapping[str, Any]) -> Iterator[str]:
    yield "## Config"
    yield "`reconcile.yaml`. Every key has a default. `reconcile schema config` prints the same as a JSON Schema."
    yield from _keys(config)
    yield "### `guards`"
    yield from _keys(config["properties"]["guards"])
    yield "### A check"
    yield CHECKS
    yield from _keys(config["$defs"]["check"])
    yield "### `notify`"
    yield "Where the record of each `apply`, `destroy`, `renew` and `drift` is posted; `reconcile schema run` describes it."
    yield from _keys(config["$defs"]["notify"])
    yield "### A target"
    yield from _keys(config["$defs"]["target"])
    yield "#### `auth`"
    yield from _keys(config["$defs"]["Auth"])
    yield "### `state`"
    yield "A path stands for `{backend: local, path: …}`."
    for name, (model, meanings) in BACKENDS.items():
        yield f"`{{backend: {name}, …}}`"
        rows = []
        for key, field in model.model_fields.items():
            value = field.get_default(call_default_factory=True)
            default = "required" if field.is_required() else "" if value in (None, {}) else f"`{_plain(value)}`"
            rows.append((f"`{key}`", meanings[key], default))
        yield table(("key", "meaning", "default"), rows)


def _required(noun: Any) -> set[str]:
    """What must be given, by the resource itself or by `defaults`."""
    return {key for key, field in noun.model_fields.items() if field.is_required()}


def _keys(schema: Mapping[str, Any], *, required: set[str] | None = None) -> Iterator[str]:
    required = set(schema.get("required", ())) if required is None else required
    rows = []
    for key, value in schema["properties"].items():
        known = "default" in value and not isinstance(value["default"], dict | list)
        default = "required" if key in required else f"`{_plain(value['default'])}`" if known else ""
        rows.append((f"`{key}`", _text(value), _form(value), default))
    yield table(("key", "meaning", "form", "default"), rows)


def _plain(value: Any) -> str:
    return {True: "true", False: "false"}.get(value, str(value)) if isinstance(value, bool) else str(value)


def _text(value: Mapping[str, Any]) -> str:
    reference = value.get("$ref") or next((part["$ref"] for part in value.get("anyOf", ()) if "$ref" in part), None)
    text = re.sub(r"\s+", " ", value.get("description", ""))
    return text or f"See `{reference.rpartition('/')[2].lower()}`." if reference else text


def _form(value: Mapping[str, Any]) -> str:
    """The words that are allowed, else examples, else the types."""
    parts = value.get("anyOf", [value])
    for part in parts:
        if "enum" in part:
            return ", ".join(f"`{_plain(word)}`" for word in part["enum"])
    if "examples" in value:
        return ", ".join(f"`{_plain(example)}`" for example in value["examples"])
    found = []
    for part in parts:
        if "$ref" in part:
            found.append("mapping")
        kinds = part.get("type", ())
        found += [kinds] if isinstance(kinds, str) else kinds
    names = {"object": "mapping", "array": "list", "string": "text", "integer": "whole number", "boolean": "true or false"}
    named = dict.fromkeys(names.get(kind, kind) for kind in found if kind != "null")
    if len(named) > 1 and any(part.get("pattern") == r"\$\{" for part in parts):
        named.pop("text", None)
    return ", ".join(named)


def _commands() -> Iterator[str]:
    context = click.Context(root, info_name="reconcile")
    yield "## Commands"
    yield "The options of every command, before or after its name:"
    shared = [option for option in root.params if isinstance(option, click.Option)]
    yield _options(shared, context)
    names: set[str | None] = {option.name for option in shared}
    for name in root.list_commands(context):
        command = root.get_command(context, name)
        assert command is not None
        yield from _command(command, f"reconcile {name}", context, names)


def _command(command: click.Command, name: str, parent: click.Context, shared: set[str | None]) -> Iterator[str]:
    context = click.Context(command, info_name=name, parent=None)
    arguments = [param.make_metavar(context) for param in command.params if isinstance(param, click.Argument)]
    yield f"### `{' '.join([name, *arguments])}`"
    text, _, examples = (command.help or "").partition("\b\n")
    yield re.sub(r"[ \t]*\n[ \t]*", "\n", text).strip()
    lines = [line.strip() for line in examples.splitlines()[1:] if line.strip()]
    if lines:
        yield "```text\n" + "\n".join(lines) + "\n```"
    own = [param for param in command.params if isinstance(param, click.Option) and param.name not in shared]
    if own:
        yield _options(own, context)
    if isinstance(command, click.Group):
        for sub in command.list_commands(context):
            child = command.get_command(context, sub)
            assert child is not None
            yield from _command(child, f"{name} {sub}", context, shared)


def _options(options: Iterable[click.Option], context: click.Context) -> str:
    rows = []
    for option in options:
        if option.name == "help" or option.hidden:
            continue
        value = "" if option.is_flag else f" {option.make_metavar(context)}"
        names = ", ".join(f"`{name}{value if name.startswith('--') else ''}`" for name in (*option.opts, *option.secondary_opts))
        variable = f"`{option.envvar}`" if isinstance(option.envvar, str) else ""
        rows.append((names, option.help or "", variable))
    return table(("option", "meaning", "variable"), rows)


if __name__ == "__main__":
    PAGE.write_text(page(), "utf-8")
    for path, kind in SCHEMAS.items():
        path.parent.mkdir(exist_ok=True)
        path.write_text(schema_text(kind), "utf-8")
