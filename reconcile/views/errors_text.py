"""An error as text: what is wrong, where, and on a line of its own what to do. Knows the error tree and nothing else."""

from __future__ import annotations

from reconcile.errors import Answer, InputInvalid, ReconcileError, TargetError
from reconcile.views.inert import inert
from reconcile.views.layout import wrapped
from reconcile.views.problems import render_text
from reconcile.views.style import Style

_PREDICATE = "is "  # such a message is said of the place, which then comes first


def render_error(error: ReconcileError, *, style: Style, width: int | None = None) -> str:
    """The error with a final newline; invalid input is shown problem by problem. Wrapped only where a width is given."""
    if isinstance(error, InputInvalid) and error.problems:
        return render_text(error.problems, files=error.files, style=style)
    told = bool(error.where) and error.message.startswith(_PREDICATE)
    message = f"{error.where} {error.message}" if told else error.message
    lines = [f"{style.danger('Error:')} {_lines(message, 7, width)}"]
    if error.where and not told:
        lines.append(f"  at {inert(error.where)}")
    if isinstance(error, TargetError):
        lines += _answer(error.answer)
    if error.hint:
        lines += ["", f"{style.bold('Hint:')} {_lines(error.hint, 6, width)}"]
    return "\n".join(lines) + "\n"


def _lines(text: str, indent: int, width: int | None) -> str:
    """Our own line breaks stay; what is inside a line is inert."""
    lines = [inert(line) for line in text.split("\n")]
    if width is None:
        return "\n       ".join(lines)
    return f"\n{' ' * indent}".join(part for line in lines for part in wrapped(line, width - indent))


def _answer(answer: Answer) -> list[str]:
    said = " ".join(str(part) for part in (answer.code, answer.words) if part)
    rows = [
        ("HTTP status", "" if answer.status is None else str(answer.status)),
        ("server said", said),
        ("trace id", answer.trace_id or ""),
    ]
    return [f"  {name:<11}  {inert(text)}" for name, text in rows if text]
