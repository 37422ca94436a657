"""The schema of `reconcile.yaml`."""

from __future__ import annotations

from reconcile.model.config import Auth, Check, Notify, Target
from reconcile.views.schemas.shapes import DIALECT, DURATION, NAME, REFERENCE, Schema, shape_of

TARGET = {
    "type": "What it is: an AOM project, a COC integration, or COC alarm management.",
    "endpoint": "`embedded` for the emulator inside the tool, or an https URL; http is for loopback only.",
    "dialect": "Which AOM document the endpoint speaks.",
    "method": "PUT, or POST with dialect cn-2021.",
    "project_id": "The project. Looked up from the region where it is absent.",
    "domain_id": "The account, where the endpoint asks for it.",
    "region": "The region, where the endpoint does not name it.",
    "stamp": "Whether reports are marked as ours, in metadata managed_by and reconcile_key.",
    "batch_size": "Alarms per request.",
    "concurrency": "Requests at a time.",
    "rate": "Requests per second, as `20/s`.",
    "clear_without_id": "Clear without an id where the list may not be read (dialect current).",
    "confirm_timeout": "How long a report may take to show in the list.",
    "request_timeout": "How long one request may take.",
    "settle_time": "How long a lost start of a task may take to show in the histories.",
    "ca_file": "Certificates to trust, beside the config.",
    "proxy": "Proxy URL.",
    "auth": "Pins one way to log in and names its variables.",
    "integration_key": "COC's integration key; only as ${env.X}.",
    "namespace": "Default for COC events.",
    "application_id": "Default for COC events.",
    "source": "Default for COC events.",
}
AUTH = {
    "type": "The way to log in.",
    "token_env": "Variable with a ready-made token.",
    "ak_env": "Variable with the access key.",
    "sk_env": "Variable with the secret key.",
    "security_token_env": "Variable with the security token of temporary keys.",
    "user_env": "Variable with the user's name.",
    "password_env": "Variable with the password.",
    "domain_env": "Variable with the account's name.",
}
CHECK = {
    "over": "Whether it looks at each change, as `change`, or once at the whole plan, as `plan`.",
    "when": "Expression that tells what it is about; without it, everything.",
    "require": "Expression that must hold there.",
    "message": "What is told where it does not hold.",
}
NOTIFY = {
    "url": "Where to; only as ${env.X}.",
    "when": "After each run, after runs that did or found something, or only after runs that did not end with 0.",
    "timeout": "How long the posting may take in all.",
    "ca_file": "Certificates to trust, beside the config.",
    "proxy": "Proxy URL.",
}
STATE_KEYS = {
    "local": ("path",),
    "http": (
        "address",
        "update_method",
        "lock_address",
        "lock_method",
        "unlock_address",
        "unlock_method",
        "username",
        "password",
        "client_ca_certificate_pem",
        "client_certificate_pem",
        "client_private_key_pem",
        "headers",
        "retry_max",
        "retry_wait_min",
        "retry_wait_max",
        "skip_cert_verification",
        "request_timeout",
        "ca_file",
        "proxy",
    ),
    "s3": ("bucket", "key", "region", "endpoint", "profile", "path_style", "encrypt", "kms_key_id", "ca_file"),
    "postgres": ("conn_str", "schema_name", "name"),
}
_TEXT: Schema = {"type": "string"}
_SCALAR: Schema = {"type": ["string", "number", "boolean"]}
_KEY: dict[str, Schema] = {"headers": {"type": "object", "additionalProperties": _TEXT}}


def config_schema() -> Schema:
    """What the config may hold."""
    durations = dict.fromkeys(("confirm_timeout", "request_timeout", "settle_time"), DURATION)
    rate: Schema = {"anyOf": [{"type": "string", "pattern": r"^[0-9]{1,6}(\.[0-9]{1,3})?/s$"}, REFERENCE]}
    target = shape_of(Target, TARGET, instead={**durations, "rate": rate})
    check, notify = shape_of(Check, CHECK), shape_of(Notify, NOTIFY, instead={"timeout": DURATION})
    for part, unwritten in ((target, ("name",)), (check, ("name", "line"))):
        for key in unwritten:
            del part["properties"][key]
    return {
        "$schema": DIALECT,
        "$id": "urn:reconcile:schema:config:1",
        "title": "Config of reconcile",
        "type": ["object", "null"],
        "additionalProperties": False,
        "properties": _properties(),
        "$defs": {
            "target": target | {"required": ["type"]},
            "Auth": shape_of(Auth, AUTH) | {"required": ["type"]},
            "check": check | {"required": ["require"]},
            "notify": notify | {"required": ["url"]},
        },
    }


def _properties() -> Schema:
    return {
        "version": {"const": 1, "description": "Version of this format."},
        "stack": _TEXT | {"description": "Owns what it reports; kept in the state, and never changed."},
        "specs": _TEXT | {"description": "Folder of the specs.", "default": "specs"},
        "state": {
            "description": "Where the state lives: a path, or a backend with its keys.",
            "anyOf": [_TEXT, *(_backend(name, keys) for name, keys in STATE_KEYS.items())],
        },
        "default_target": _TEXT | {"description": "Target of resources that name none."},
        "variables": {
            "type": ["object", "null"],
            "description": "Values of ${var.X}; --var, --var-file and RECONCILE_VAR_X win.",
            "additionalProperties": _TEXT,
        },
        "guards": {
            "type": ["object", "null"],
            "description": "Beyond these an apply is refused until --allow names the number.",
            "additionalProperties": False,
            "properties": {
                "max_clears": {
                    "description": "Share of the alarms in the state, as 30%, or a number.",
                    "anyOf": [
                        {"type": "string", "pattern": r"^[0-9]{1,3}(\.[0-9]+)?%$"},
                        {"type": "integer", "minimum": 0},
                        REFERENCE,
                    ],
                },
                "max_triggers": {"description": "Tasks of one apply.", "anyOf": [{"type": "integer", "minimum": 0}, REFERENCE]},
            },
        },
        "checks": {
            "type": ["object", "null"],
            "description": "Policies over plans, by name: expressions in CEL. Where one does not hold, the plan is refused.",
            "propertyNames": {"pattern": NAME},
            "additionalProperties": {"$ref": "#/$defs/check"},
        },
        "notify": {
            "description": "Webhook that gets the record of each run.",
            "anyOf": [{"$ref": "#/$defs/notify"}, {"type": "null"}],
        },
        "targets": {
            "type": ["object", "null"],
            "description": "Connections by name.",
            "propertyNames": {"pattern": NAME},
            "additionalProperties": {"$ref": "#/$defs/target"},
        },
    }


def _backend(name: str, keys: tuple[str, ...]) -> Schema:
    return {
        "type": "object",
        "required": ["backend"] if name != "local" else [],
        "additionalProperties": False,
        "properties": {"backend": {"const": name}, **{key: _KEY.get(key, _SCALAR) for key in keys}},
    }
