"""`python -m reconcile`."""

from reconcile.cli.entry import run

run()
