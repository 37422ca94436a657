"""What an apply does, as lines, and its closing account. Knows no clock, so that the same run gives the same text."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from reconcile.ports import Progress
from reconcile.views.inert import cells, inert
from reconcile.views.layout import hanging, look_of, summary
from reconcile.views.plan_text import resolve_command
from reconcile.views.style import PLAIN, Style
from reconcile.views.units import counted

MOST_TROUBLE = 200
_PAST = {
    "report": "reported",
    "update": "updated",
    "replace": "replaced",
    "renew": "renewed",
    "clear": "cleared",
    "trigger": "triggered",
    "adopt": "adopted",
    "move": "moved",
    "forget": "forgotten",
}
_GROUPS = (("report", "update", "replace", "adopt", "clear"), ("trigger",), ("renew",), ("move", "forget"))


def progress_line(progress: Progress, *, done: int, total: int, style: Style, width: int | None = None) -> str:
    """`  3/12  +   report   alarm.web  reported`: one step that ended; where a width is given, what is too much stands below."""
    look = look_of(progress.action)
    count = f"{done:>{len(str(total))}}/{total}"
    word = f"{look.symbol:<3} {progress.action:<7}"
    outcome = _outcome(progress, style)
    line = f"{count}  {look.paint(style, word)}  {inert(progress.address)}  {outcome}"
    detail = inert(progress.detail) if progress.detail != outcome else ""
    plain = len(count) + len(word) + cells(inert(progress.address)) + cells(_outcome(progress, PLAIN)) + cells(detail) + 8
    if not detail or width is None or plain <= width:
        return f"{line}: {detail}" if detail else line
    return "\n".join([line, *hanging("", detail, indent=len(count) + 2, width=width)])


def _outcome(progress: Progress, style: Style) -> str:
    match progress.outcome:
        case "done":
            return _PAST.get(progress.action, progress.action)
        case "unconfirmed":
            return f"{_PAST.get(progress.action, progress.action)}, unconfirmed"
        case "failed" | "unknown":
            return style.danger(progress.outcome.upper())
        case outcome:
            return inert(outcome)


def render_account(outcomes: Sequence[Progress], *, exit_code: int, serial: int, style: Style, width: int = 100) -> str:
    """The end of an apply: what went wrong with what to do about it, then one line of counts."""
    trouble = [progress for progress in outcomes if progress.outcome in ("failed", "unknown", "skipped")]
    trouble.sort(key=lambda progress: ("unknown", "failed", "skipped").index(progress.outcome))
    lines: list[str] = []
    for progress in trouble[:MOST_TROUBLE]:
        lines += _trouble(progress, style, width)
    if len(trouble) > MOST_TROUBLE:
        lines.append(f"  ... and {len(trouble) - MOST_TROUBLE:,} more")
    return "\n".join([*lines, *([""] if lines else []), *_last(outcomes, exit_code, serial, style, width)]) + "\n"


def _trouble(progress: Progress, style: Style, width: int) -> list[str]:
    look = look_of(progress.action)
    paint = style.dim if progress.outcome == "skipped" else style.danger
    address = inert(progress.address)
    lines = [f"  {paint(f'{progress.outcome:<7}')}  {look.symbol:<3} {progress.action:<7}  {style.bold(address)}"]
    if progress.detail:
        lines += hanging("", inert(progress.detail), indent=11, width=width)
    if progress.outcome == "unknown" and progress.action == "trigger":
        lines += hanging("", "It may have run, and is not sent again until you say how it ended:", indent=11, width=width)
        lines.append(" " * 11 + inert(resolve_command(progress.address)))
    elif progress.hint:
        lines += hanging("", inert(progress.hint), indent=11, width=width)
    return lines


def _last(outcomes: Sequence[Progress], exit_code: int, serial: int, style: Style, width: int) -> list[str]:
    if not outcomes:
        return [style.bold("Nothing to do.")]
    done = Counter(progress.action for progress in outcomes if progress.outcome in ("done", "unconfirmed"))
    parts = [", ".join(_phrase(action, done[action]) for action in group if done[action]) for group in _GROUPS]
    text = "; ".join(part for part in parts if part) or "nothing"
    rest = _rest(outcomes)
    paint = style.bold if exit_code == 0 else style.danger
    return [paint(line) for line in summary(f"Applied: {text}.{rest} State serial {serial}.", width=width)]


def _phrase(action: str, count: int) -> str:
    return f"{counted(count, 'task')} triggered" if action == "trigger" else f"{count:,} {_PAST[action]}"


def _rest(outcomes: Sequence[Progress]) -> str:
    found = Counter(progress.outcome for progress in outcomes)
    words = [f"{found[outcome]:,} {outcome}" for outcome in ("failed", "unknown", "skipped", "unconfirmed") if found[outcome]]
    return f" {', '.join(words)}." if words else ""
