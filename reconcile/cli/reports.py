"""Where a plan goes besides the terminal: files for pull requests, pipelines and people, several in one run."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from reconcile.cli.given import Given
from reconcile.cli.options import option
from reconcile.cli.streams import answer, tell_runner
from reconcile.errors import CommandLineWrong

if TYPE_CHECKING:
    from reconcile.model.desired import Desired
    from reconcile.model.snapshot import Snapshot

Decorated = TypeVar("Decorated", bound=Callable[..., Any])
STDOUT = "-"
SUMMARY_BYTES = 500_000  # GitHub takes 1 MiB per step
_FILE = click.Path(allow_dash=True)
MARKDOWN = option("--markdown", metavar="FILE", type=_FILE, help="Write a review comment in Markdown; `-` is stdout.")
METRICS = option("--metrics", metavar="FILE", type=_FILE, help="Write Prometheus metrics of this run; `-` is stdout.")
NOTIFY = option("--notify", metavar="URL", help="Post a record of the run; better set in the variable, as URLs hold tokens.")
_OPTIONS = (
    MARKDOWN,
    option("--html", metavar="FILE", type=_FILE, help="Write a page that stands by itself; `-` is stdout."),
    option("--gitlab-report", metavar="FILE", type=_FILE, help="Write GitLab's merge request report; `-` is stdout."),
    option(
        "--dotenv", metavar="FILE", type=_FILE, help="Write RECONCILE_CHANGES and the like for a dotenv report; `-` is stdout."
    ),
    option("--github", is_flag=True, help="Annotate for GitHub Actions; fill $GITHUB_OUTPUT and $GITHUB_STEP_SUMMARY."),
)


def takes_reports(command: Decorated) -> Decorated:
    """Give a command the options that write a plan elsewhere."""
    for one in reversed(_OPTIONS):
        command = one(command)
    return command


def owns_stdout(*wanted: str | None, as_json: bool) -> bool:
    """Whether stdout is taken by a file that was asked for. Raises CommandLineWrong when two want it."""
    count = sum(1 for name in wanted if name == STDOUT) + as_json
    if count > 1:
        raise CommandLineWrong("two answers cannot both go to stdout", hint="give all but one of them a file")
    return count == 1 and not as_json


def put(given: Given, name: str, text: str) -> None:
    """Write a report to its file, whole or not at all, or to stdout."""
    from reconcile.cli.plan_files import write_public

    if name == STDOUT:
        answer(text)
    else:
        write_public(given.path(Path(name)), text)


@dataclass(frozen=True, slots=True)
class Reports:
    """Which reports were asked for."""

    markdown: str | None = None
    html: str | None = None
    gitlab_report: str | None = None
    dotenv: str | None = None
    github: bool = False

    def on_stdout(self, metrics: str | None, *, as_json: bool) -> bool:
        """Whether one of them, or the metrics, takes the place of the text."""
        return owns_stdout(self.markdown, self.html, self.gitlab_report, self.dotenv, metrics, as_json=as_json)

    def write(
        self,
        given: Given,
        document: Mapping[str, Any],
        *,
        exit_code: int,
        saved_to: str | None = None,
        desired: Desired | None = None,
        snapshot: Callable[[], Snapshot | None] = lambda: None,
    ) -> None:
        """Write all that were asked for."""
        from reconcile.views.github import output_lines

        if self.markdown is not None:
            put(given, self.markdown, _markdown(document, saved_to))
        if self.html is not None:
            from reconcile.views.html import render_html

            put(given, self.html, render_html(document, desired=desired, snapshot=snapshot()))
        if self.gitlab_report is not None:
            from reconcile.views.gitlab import render_gitlab_report

            put(given, self.gitlab_report, render_gitlab_report(document))
        if self.dotenv is not None:
            put(given, self.dotenv, output_lines(document, exit_code=exit_code, prefix="RECONCILE_"))
        if self.github:
            _github(document, exit_code, saved_to)


def _markdown(document: Mapping[str, Any], saved_to: str | None, **settings: int) -> str:
    from reconcile.views.markdown import render_markdown

    return render_markdown(document, saved_to=saved_to, **settings)


def _github(document: Mapping[str, Any], exit_code: int, saved_to: str | None) -> None:
    """Annotations on stderr, which the runner reads like stdout; step outputs and summary where the runner names their files."""
    from reconcile.views.github import output_lines, render_annotations

    tell_runner(render_annotations(document))
    _append("GITHUB_OUTPUT", output_lines(document, exit_code=exit_code))
    if os.environ.get("GITHUB_STEP_SUMMARY"):
        _append("GITHUB_STEP_SUMMARY", _markdown(document, saved_to, max_bytes=SUMMARY_BYTES))


def _append(variable: str, text: str) -> None:
    name = os.environ.get(variable)
    if name:
        with Path(name).open("a", encoding="utf-8", newline="\n") as file:
            file.write(text)
