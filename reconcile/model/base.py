"""The base of every noun, and the canonical form in which nouns are digested."""

from __future__ import annotations

import hashlib
import json
from functools import cache
from typing import Any, Self

from pydantic import BaseModel, ConfigDict


class Value(BaseModel):
    """A frozen value that refuses fields it does not know and types it did not ask for. Its validator is made on first use."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, ser_json_inf_nan="constants", defer_build=True)

    @classmethod
    def trusted(cls, **fields: Any) -> Self:
        """An instance of all its fields, in their order, known to be right: nothing is checked, nothing is copied."""
        made = cls.__new__(cls)
        _set(made, "__dict__", fields)
        _set(made, "__pydantic_fields_set__", _every(cls))
        _set(made, "__pydantic_extra__", None)
        _set(made, "__pydantic_private__", None)
        return made

    def sharing(self) -> Self:
        """The same, one with its like in what says which fields were given: most of what a small value weighs."""
        given = self.__pydantic_fields_set__
        _set(self, "__pydantic_fields_set__", _given.setdefault(frozenset(given), given))
        return self

    def but(self, **changes: Any) -> Self:
        """The same with some fields changed, unchecked: `model_copy` for who makes a hundred thousand of them."""
        return self.trusted(**{**self.__dict__, **changes})


_set = object.__setattr__
_given: dict[frozenset[str], set[str]] = {}


@cache
def _every(kind: type[Value]) -> set[str]:
    """The names of all fields: one set for all instances that have every field."""
    return set(kind.model_fields)


def canonical(value: Any) -> bytes:
    """Encode JSON-able data to the one byte string it is digested by: sorted keys, no spaces, UTF-8."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False).encode(
        "utf-8", "surrogatepass"
    )


def digest(value: Any) -> str:
    """`sha256:…` of the canonical form."""
    return "sha256:" + hashlib.sha256(canonical(value)).hexdigest()
