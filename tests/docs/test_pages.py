"""What the guide promises about itself: links resolve, the reference and the picture are of this version, README stays short."""

from __future__ import annotations

import re
import subprocess
import sys
from html import unescape
from pathlib import Path

import pytest
import yaml

from reconcile.specs.codes import CODES
from tests.docs.pages import PAGES, ROOT, anchors, blocks, links

sys.path.insert(0, str(ROOT / "docs"))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_resolve(page: Path) -> None:
    """Files exist, and so do the headings that fragments name."""
    for link in links(page):
        name, _, fragment = link.partition("#")
        target = (page.parent / name).resolve() if name else page
        assert target.exists(), link
        assert not fragment or fragment in anchors(target), link


def test_every_page_is_reached_from_the_readme() -> None:
    """No page is an island."""
    seen, left = set(), [ROOT / "README.md"]
    while left:
        page = left.pop()
        if page not in seen:
            seen.add(page)
            left += [
                (page.parent / link.partition("#")[0]).resolve() for link in links(page) if link.partition("#")[0].endswith(".md")
            ]
    guide = {"index.md", "tutorial.md", "concepts.md", "recipes.md", "reference.md", "faq.md"}
    assert {ROOT / "docs" / name for name in guide} <= seen | {ROOT / "docs" / "index.md"}


def test_the_reference_is_of_this_version() -> None:
    """`python docs/generate.py` writes what is there."""
    import generate

    assert generate.PAGE.read_text("utf-8") == generate.page(), "run: python docs/generate.py"
    text = generate.PAGE.read_text("utf-8")
    assert all(f"`{code}`" in text for code in CODES)


def test_the_published_schemas_are_of_this_version() -> None:
    """`python docs/generate.py` writes them; the example's files name two of them for editors."""
    import generate

    assert {path: path.read_text("utf-8") for path in generate.SCHEMAS} == {
        path: generate.schema_text(kind) for path, kind in generate.SCHEMAS.items()
    }, "run: python docs/generate.py"
    for path in (ROOT / "reconcile.yaml", *(ROOT / "specs").rglob("*.yaml")):
        named = re.match(r"# yaml-language-server: \$schema=(\S+)\n", path.read_text("utf-8"))
        assert named is not None and (path.parent / named[1]).resolve() in generate.SCHEMAS, path


def test_the_exit_codes_of_the_reference_are_those_of_the_help() -> None:
    """The page, the README and `--help` name the same ones."""
    import generate

    wanted = {number for key in generate.EXIT_CODES for number in key.split(", ")}
    for text in (_help(), (ROOT / "README.md").read_text("utf-8")):
        told = re.search(r"Exit codes(?: are stable)?:(.*?)(?:\n\n|$)", text, re.DOTALL)
        assert told is not None
        found = re.findall(r"(?:^|[\s·/])(\d+)(?=[ /])", re.sub(r"\s+", " ", told[1]))
        assert set(found) == wanted


def _help() -> str:
    return subprocess.run([sys.executable, "-m", "reconcile", "--help"], capture_output=True, text=True, check=True).stdout


def words(svg: str) -> list[str]:
    """What can be read in the picture; instants and ages left out, since they are of the moment."""
    text = unescape("\n".join(re.findall(r"<text[^>]*>([^<]*)</text>", svg))).replace("\xa0", " ")
    text = re.sub(r"\d{4}-\d\d-\d\dT[\d:.]+Z", "TIME", text)
    return re.sub(r"reported [^\n]*? ago", "reported AGE", text).split()


def test_the_picture_is_of_this_version() -> None:
    """The run that `python docs/terminal_svg.py` draws still prints the same; the picture fetches nothing."""
    import terminal_svg

    kept = terminal_svg.PICTURE.read_text("utf-8")
    assert words(kept) == words(terminal_svg.picture(terminal_svg.shown())), "run: python docs/terminal_svg.py"
    assert "url(http" not in kept
    assert "@import" not in kept


def test_the_readme_stays_short() -> None:
    """Whoever wants more follows a link."""
    assert (ROOT / "README.md").read_text("utf-8").count("\n") <= 120


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_yaml_in_a_page_is_yaml(page: Path) -> None:
    """An example with a slip in it teaches the slip."""
    for block in blocks(page):
        if block.info == "yaml":
            yaml.safe_load(block.text)


def test_the_guide_speaks_of_the_project_only() -> None:
    """No path of one machine, no debts."""
    words = re.compile(r"\bTODO\b|\bFIXME\b|/" + r"work/shared|/tmp/")
    assert [page.name for page in PAGES if words.search(page.read_text("utf-8"))] == []
