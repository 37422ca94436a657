"""Gathers the variables: `RECONCILE_VAR_X` < `--var-file` < `--var X=…`; the config's own come below them. Texts only."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from reconcile.errors import CommandLineWrong
from reconcile.specs import codes
from reconcile.specs.build import build
from reconcile.specs.files import read, shown
from reconcile.specs.source import Report, Spot
from reconcile.specs.wording import plain, shape

_PREFIX = "RECONCILE_VAR_"
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*")


def given_variables(
    directory: Path, *, var: Sequence[str], var_files: Sequence[Path], environ: Mapping[str, str], report: Report
) -> dict[str, str]:
    """The variables from outside the config. Raises CommandLineWrong for a `--var` without its `=`."""
    out = {name.removeprefix(_PREFIX): value for name, value in sorted(environ.items()) if name.startswith(_PREFIX)}
    for path in var_files:
        out.update(_from_file(directory / path, directory, report))
    for text in var:
        name, equals, value = text.partition("=")
        if not equals or not _NAME.fullmatch(name):
            raise CommandLineWrong(f"`--var {text}` is not of the form `--var NAME=VALUE`")
        out[name] = value
    return {name: value for name, value in out.items() if _NAME.fullmatch(name)}


def _from_file(path: Path, directory: Path, report: Report) -> dict[str, str]:
    file = read(path, shown(path, directory), "C", report)
    documents = None if file is None else build(file, report)
    out: dict[str, str] = {}
    for number, document in enumerate(documents or ()):
        if file is not None and document.value is not None:
            out.update(texts(document.value, Spot(report, file, number)))
    return out


def texts(value: Any, spot: Spot) -> dict[str, str]:
    """A mapping of variable names to texts, checked."""
    if not isinstance(value, dict):
        spot.problem((), codes.TYPE, "variables are a mapping of names to texts")
        return {}
    out: dict[str, str] = {}
    for name, text in value.items():
        if not _NAME.fullmatch(name):
            hint = "use letters, digits, `_` and `-`"
            spot.problem((name,), codes.NAME, f"`{name[:60]}` is no name for a variable", hint, key=True)
        elif isinstance(text, str):
            out[name] = text
        else:
            say_not_text(spot, (name,), text)
    return out


def say_not_text(spot: Spot, path: tuple[str | int, ...], value: Any) -> None:
    """Tell that a value is no text, in the words that fit what it is."""
    if isinstance(value, bool | int | float):
        word = "a boolean" if isinstance(value, bool) else "a number"
        written = spot.text(path) or plain(value)
        spot.problem(path, codes.QUOTE, f"`{written}` is {word}, and text is wanted", f'quote it: "{written}"')
    else:
        spot.problem(path, codes.TYPE, f"this is {shape(value)}, and text is wanted")
