"""What earlier loads found, kept by what decided it: the bytes of each file, the config, the rules, the environment read.

Nothing here is believed over the content: a body is checked against its digest, and whoever asks can load anew.
"""

from __future__ import annotations

import hashlib
import os
import weakref
from array import array
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import accumulate
from pathlib import Path

from reconcile.kept import Kept, Sheet, decode, encode
from reconcile.model.address import Address
from reconcile.model.base import digest
from reconcile.model.config import Config
from reconcile.model.desired import Declared, Desired, Forgotten, Moved, Source
from reconcile.model.outline import WIDTH
from reconcile.specs.identities import MARK
from reconcile.specs.rows import Rows, Unsound, declared_from

SMALLEST = 64 * 1024  # bytes of specs below which a file beside them is not worth its place
AHEAD = 1 << 20  # bytes read at once where bodies are read one after the other


class Watched(Mapping[str, str]):
    """The environment, noting which variables were looked at."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._environ = environ
        self.seen: set[str] = set()

    def __getitem__(self, name: str) -> str:
        self.seen.add(name)
        return self._environ[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._environ)

    def __len__(self) -> int:
        return len(self._environ)


def rules_digest(config: Config, directory: Path) -> str:
    """Moves with the config and with the code that reads specs."""
    here = Path(__file__).parents[1]
    code = hashlib.sha256()
    for path in sorted([*(here / "specs").glob("*.py"), *(here / "model").glob("*.py"), here / "__init__.py"]):
        code.update(path.name.encode() + path.read_bytes())
    return digest([code.hexdigest(), config.model_dump(mode="json"), os.fsencode(directory.absolute()).hex()])


def environ_digests(names: Iterable[str], environ: Mapping[str, str]) -> dict[str, str]:
    """What decided of the environment: a digest of each value, empty where it is not set."""
    return {
        name: digest([name, environ[name].encode("utf-8", "surrogateescape").hex()]) if name in environ else ""
        for name in sorted(names)
    }


class Memory:
    """What is kept of the specs of one folder, under one config."""

    def __init__(self, kept: Kept, rules: str) -> None:
        self._kept = kept
        self.rules = rules
        place = hashlib.sha256(rules.encode()).hexdigest()[:20]
        self._name, self._bodies = f"specs-{place}", f"specs-{place}-bodies"
        self._handle: int | None = None

    def recall(self, environ: Mapping[str, str]) -> Sheet | None:
        """The sheet of the last load whose rules and environment were these."""
        content = self._kept.read(self._name)
        sheet = None if content is None else decode(content)
        if sheet is None or not _is_ours(sheet, self.rules, environ):
            return None
        self._handle = self._kept.open(self._bodies)
        if self._handle is None:
            return None
        weakref.finalize(self, os.close, self._handle)
        return sheet

    def body(self, sheet: Sheet, place: int) -> bytes:
        """The kept body of a row. Raises Unsound where there can be none."""
        assert self._handle is not None
        try:
            return os.pread(self._handle, sheet.numbers["sizes"][place], sheet.numbers["starts"][place])
        except (OSError, ValueError) as error:
            raise Unsound(sheet.outlines.addresses[place]) from error

    def resource(self, sheet: Sheet, place: int) -> Declared:
        """The resource of a row. Raises Unsound."""
        rows = sheet.outlines
        raw = rows.digests[place * WIDTH : place * WIDTH + WIDTH]
        return declared_from(rows.addresses[place], self.body(sheet, place), raw)

    def ahead(self, sheet: Sheet) -> Callable[[int], bytes]:
        """Like `body`, for those who ask for one after the other."""
        assert self._handle is not None
        handle, starts, sizes = self._handle, sheet.numbers["starts"], sheet.numbers["sizes"]
        part, begin = b"", 0

        def body(place: int) -> bytes:
            nonlocal part, begin
            start, size = starts[place], sizes[place]
            if start < begin or start + size > begin + len(part):
                part, begin = os.pread(handle, max(AHEAD, size), start), start
            return part[start - begin : start - begin + size]

        return body

    def keep(
        self, desired: Desired, rows: Rows, bodies: Iterable[bytes], files: list[tuple[str, str, bool]], seen: dict[str, str]
    ) -> None:
        """Keep a load that found nothing wrong; each file has its name, digest and whether it stands for itself."""
        sizes = array("q")
        if not self._kept.write_parts(self._bodies, _measured(bodies, sizes)):
            return
        about = {
            "rules": self.rules,
            "environ": seen,
            "files": files,
            "digest": desired.digest,
            "notes": desired.notes,
            "moved": desired.moved,
            "forget": desired.forget,
        }
        starts = array("q", accumulate(sizes, initial=0))[:-1]
        columns = {"files": rows.files, "starts": starts, "sizes": sizes}
        sheet = Sheet(about, rows.outlines(), columns, {"identities": bytes(rows.marks)})
        self._kept.write(self._name, encode(sheet))


def _measured(bodies: Iterable[bytes], sizes: array[int]) -> Iterator[bytes]:
    for body in bodies:
        sizes.append(len(body))
        yield body


def rows_of(sheet: Sheet) -> Rows:
    """The columns of a sheet."""
    rows = sheet.outlines
    marks, files = sheet.marks["identities"], sheet.numbers["files"]
    return Rows(rows.addresses, rows.digests, rows.flags, rows.numbers, marks, files)


def places_in(sheet: Sheet, files: Mapping[int, int]) -> Sequence[int]:
    """The places of the rows that stand in these files."""
    return [place for place, file in enumerate(sheet.numbers["files"]) if file in files]


def desired_of(sheet: Sheet, declared: Mapping[Address, Declared]) -> Desired:
    """What an unchanged load found."""
    about = sheet.about
    moved = tuple(Moved(old, new, Source(*source)) for old, new, source in about["moved"])
    forget = tuple(Forgotten(address, Source(*source)) for address, source in about["forget"])
    files = len(set(sheet.numbers["files"]))
    return Desired(declared, moved, forget, about["digest"], tuple(about["notes"]), files)


def _is_ours(sheet: Sheet, rules: str, environ: Mapping[str, str]) -> bool:
    about, rows = sheet.about, len(sheet.outlines)
    try:
        names = [str(name) for name, _, _ in about["files"]]
        whole = len(sheet.marks["identities"]) == MARK * rows and {"files", "starts", "sizes"} <= sheet.numbers.keys()
        desired_of(sheet, {})
        known = about["environ"]
        return whole and about["rules"] == rules and len(set(names)) == len(names) and known == environ_digests(known, environ)
    except (KeyError, ValueError, TypeError):
        return False
