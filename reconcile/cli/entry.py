"""The tool as a process of its own. The garbage collector would find nothing while modules load, and nothing worth freeing at
the end: it is held back there. Knows no command."""

from __future__ import annotations

import gc
import os
import sys
from typing import NoReturn

RARELY = (100_000, 20, 50)  # new objects, and generations, between two collections


def run() -> NoReturn:
    """Run the command line and end the process with its exit code."""
    gc.set_threshold(*RARELY)
    os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")  # else it looks through all that is installed for some
    from reconcile.cli.main import main

    code = main()
    gc.freeze()
    sys.exit(code)
