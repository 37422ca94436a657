"""What pydantic found wrong, in plain words, at its place. Knows the types, no rules of its own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, get_args

from pydantic import BaseModel, ValidationError

from reconcile.specs import codes
from reconcile.specs.closest import did_you_mean
from reconcile.specs.locate import Steps
from reconcile.specs.source import Spot
from reconcile.specs.variables import say_not_text
from reconcile.specs.wording import plain, shape

_WANTED = {
    "bool_type": "true or false",
    "int_type": "a whole number",
    "float_type": "a number",
    "int_from_float": "a whole number",
    "dict_type": "a mapping",
    "model_type": "a mapping",
    "model_attributes_type": "a mapping",
    "list_type": "a list",
    "tuple_type": "a list",
}


def tell(error: ValidationError, model: type[BaseModel], spot: Spot, *, at: Steps = ()) -> None:
    """Add every problem of a validation to the report. `at` is where the model begins."""
    for found in error.errors(include_url=False, include_context=True):
        path = tuple(step for step in found["loc"] if step != "[key]")
        _tell(found, path, model, spot, at)


def _tell(found: Mapping[str, Any], path: Steps, model: type[BaseModel], spot: Spot, at: Steps) -> None:
    kind, value, full = found["type"], found["input"], at + path
    name = path[-1] if path else ""
    if kind == "missing":
        inside = f" of `{path[-2]}`" if len(path) > 1 else ""
        spot.problem(full, codes.REQUIRED, f"`{name}`{inside} is required", key=True)
    elif kind == "extra_forbidden":
        hint = did_you_mean(str(name), fields_at(model, path[:-1]))
        spot.problem(full, codes.UNKNOWN_KEY, f"there is no key `{str(name)[:80]}` here", hint, key=True)
    elif kind == "literal_error":
        choices = _choices(model, path)
        hint = did_you_mean(value, choices) if isinstance(value, str) else None
        spot.problem(full, codes.CHOICE, f"`{plain(value)}` is not one of {', '.join(choices)}", hint)
    elif kind == "string_type":
        say_not_text(spot, full, value)
    elif kind in _WANTED:
        spot.problem(full, codes.TYPE, f"`{name}` must be {_WANTED[kind]}, and {_what(value)} is not", _hint(kind, value))
    else:
        spot.problem(full, codes.RANGE, f"`{name}`: {found['msg'][0].lower()}{found['msg'][1:]}")


def _what(value: Any) -> str:
    if isinstance(value, dict | list):
        return shape(value)
    return f'the text "{plain(value)}"' if isinstance(value, str) else f"`{plain(value)}`"


def _hint(kind: str, value: Any) -> str | None:
    if kind == "bool_type" and isinstance(value, str) and value.lower() in ("yes", "no", "on", "off", "y", "n", "true", "false"):
        return f"write {'true' if value.lower() in ('yes', 'on', 'y', 'true') else 'false'}; in YAML 1.2 `{value}` is text"
    return "leave the quotes out" if kind in ("int_type", "float_type") and isinstance(value, str) and value.isdecimal() else None


def fields_at(model: type[BaseModel], path: Steps) -> list[str]:
    """The keys a model has at a path."""
    inner = _annotation(model, path)
    return [name for found in _models(inner) for name in found.model_fields] if path else list(model.model_fields)


def _annotation(model: type[BaseModel], path: Steps) -> Any:
    """The type that a model has at a path."""
    here: Any = model
    for step in path:
        owners = _models(here)
        if isinstance(step, int) or not owners:
            continue
        field = owners[0].model_fields.get(step)
        here = None if field is None else field.annotation
    return here


def _models(annotation: Any) -> list[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [model for inner in get_args(annotation) for model in _models(inner)]


def _choices(model: type[BaseModel], path: Steps) -> list[str]:
    return _words(_annotation(model, path))


def _words(annotation: Any) -> list[str]:
    out: list[str] = []
    for inner in get_args(annotation):
        out += [inner] if isinstance(inner, str) else _words(inner)
    return out
