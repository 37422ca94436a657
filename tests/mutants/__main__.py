"""`python -m tests.mutants`: switch on each seeded bug and show whether a check saw it."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from tests.mutants.bugs import BUGS


def main() -> int:
    """Run them all."""
    found = 0
    for bug in BUGS:
        with tempfile.TemporaryDirectory() as folder:
            said = bug.caught(Path(folder))
        found += bool(said)
        sys.stdout.write(f"{'caught' if said else 'MISSED':7} {bug.name:36} {said[0][:100] if said else ''}\n")
    sys.stdout.write(f"{found} of {len(BUGS)} caught\n")
    return int(found < len(BUGS))


if __name__ == "__main__":
    sys.exit(main())
