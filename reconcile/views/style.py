"""Colour by meaning. No meaning lives in colour alone: words and symbols stand beside it; knows nothing of terminals."""

from __future__ import annotations

from dataclasses import dataclass

_GREEN, _YELLOW, _RED, _DANGER, _DIM, _BOLD, _CYAN = "32", "33", "31", "1;31", "2", "1", "36"


@dataclass(frozen=True, slots=True)
class Style:
    """Paints inert text, or leaves it as it is where `colour` is False."""

    colour: bool = False

    def _paint(self, code: str, text: str) -> str:
        return f"\x1b[{code}m{text}\x1b[0m" if self.colour and text else text

    def add(self, text: str) -> str:
        """Something comes into being."""
        return self._paint(_GREEN, text)

    def change(self, text: str) -> str:
        """Something becomes different."""
        return self._paint(_YELLOW, text)

    def remove(self, text: str) -> str:
        """Something ends."""
        return self._paint(_RED, text)

    def danger(self, text: str) -> str:
        """What must not be overlooked: irreversible, refused, unknown."""
        return self._paint(_DANGER, text)

    def quiet(self, text: str) -> str:
        """Something happens that nobody needs to look at."""
        return self._paint(_CYAN, text)

    def dim(self, text: str) -> str:
        """Beside the point."""
        return self._paint(_DIM, text)

    def bold(self, text: str) -> str:
        """A heading."""
        return self._paint(_BOLD, text)


PLAIN = Style()
