"""The pages of the guide taken apart: blocks of commands, files they show, links. Knows how a block says what it needs."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
BLOCK = re.compile(r"^```([^\n]*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
FILE = re.compile(r"# ((?:specs/[\w./-]+|reconcile)\.yaml)\n")


@dataclass(frozen=True)
class Block:
    """One fenced block. `sh` is run; `sh account` with an emulator as the account; `sh unknown` where the answer to the start
    of each task was lost; `sh exit=6` must end so.

    A `yaml` block whose first line names a file is that file.
    """

    info: str
    text: str

    @property
    def is_commands(self) -> bool:
        """Whether it is run."""
        return self.info.split()[:1] == ["sh"]

    @property
    def exit_code(self) -> int:
        """How it must end."""
        match = re.search(r"\bexit=(\d+)", self.info)
        return int(match[1]) if match else 0

    @property
    def needs_account(self) -> bool:
        """Whether it is shown for a real account."""
        return "account" in self.info.split()

    @property
    def needs_unknown(self) -> bool:
        """Whether it is about starts whose answer was lost."""
        return "unknown" in self.info.split()

    @property
    def file(self) -> str | None:
        """The file that it shows, if it names one."""
        match = FILE.match(self.text) if self.info == "yaml" else None
        return match[1] if match else None


def blocks(page: Path) -> Iterator[Block]:
    """All fenced blocks, in their order."""
    for match in BLOCK.finditer(page.read_text("utf-8")):
        yield Block(match[1].strip(), match[2])


def links(page: Path) -> Iterator[str]:
    """Where the page points to, within the project."""
    text = BLOCK.sub("", page.read_text("utf-8"))
    for match in re.finditer(r"\]\(([^)\s]+)\)", text):
        if not match[1].startswith(("http://", "https://")):
            yield match[1]


def anchors(page: Path) -> set[str]:
    """The fragments that headings of a page can be reached by."""
    text = BLOCK.sub("", page.read_text("utf-8"))
    found = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in found}
