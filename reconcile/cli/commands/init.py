"""`reconcile init`: a config, an example and, if asked, a pipeline."""

from __future__ import annotations

import click

from reconcile.cli.given import Given, takes_given
from reconcile.cli.options import option
from reconcile.cli.streams import answer


@click.command()
@option(
    "--ci",
    type=click.Choice(["github", "gitlab"]),
    help="Also write the pipeline: plan on review, apply on merge, nightly drift.",
)
@option("--force", is_flag=True, help="Overwrite what is there.")
@takes_given
@click.pass_obj
def init(given: Given, /, ci: str | None, force: bool) -> int:
    """Write a config, an example and, if asked, a pipeline. `reconcile plan` works at once, without an account.

    Nothing is written when one of the files is there already, unless --force. With --ci, in a folder
    that has its reconcile.yaml, the pipeline alone is written.

    \b
    Examples:
      reconcile init
      reconcile init --ci github
    """
    from reconcile.cli.starting import pipeline_texts, start, texts_of

    alone = ci is not None and not force and (given.chdir / "reconcile.yaml").exists()
    for name in start(given.chdir, pipeline_texts(ci) if alone else texts_of(ci), force=force):
        answer(f"wrote {name}\n")
    answer("\nNext: reconcile plan\n")
    return 0
