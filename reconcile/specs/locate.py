"""Where each value of a YAML file stands: a second, located parse, made only when a problem needs a place.

Knows positions and texts, never meanings.
"""

from __future__ import annotations

from typing import Any, NamedTuple, TypeAlias

import yaml

Steps: TypeAlias = tuple[str | int, ...]
Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_MAX_DEPTH = 64


class Place(NamedTuple):
    """A line, a column and the column after the end; from 1. `end_column` None reaches to the end of the line."""

    line: int
    column: int
    end_column: int | None


class Node:
    """One value: its place, its text if it is a scalar, its children with the places of their keys."""

    __slots__ = ("children", "empty", "place", "text")

    def __init__(self, place: Place, text: str | None = None, *, empty: bool = False) -> None:
        self.place = place
        self.text = text
        self.empty = empty
        self.children: dict[str | int, tuple[Place, Node]] = {}


class Found(NamedTuple):
    """The deepest node that exists on a path; `complete` says whether it is the path's end."""

    key: Place
    node: Node
    complete: bool


class Places:
    """All places of one file."""

    def __init__(self, stream: bytes) -> None:
        self._firsts: dict[tuple[int, int], Place] = {}
        self._anchors: dict[str, Node] = {}
        self._documents: list[Node] = []
        self._loader = Loader(stream)
        try:
            self._read()
        except yaml.YAMLError:
            pass  # what stands before the error is located; the error itself has been reported
        finally:
            self._loader.dispose()

    def find(self, document: int, path: Steps) -> Found:
        """The node at a path, or the deepest one on the way to it."""
        if document >= len(self._documents):
            start = Place(1, 1, None)
            return Found(start, Node(start), False)
        node = self._documents[document]
        key = node.place
        for step in path:
            if step not in node.children:
                return Found(key, node, False)
            key, node = node.children[step]
        return Found(key, node, True)

    def first_of(self, line: int, column: int) -> Place | None:
        """Where the key that is repeated at this place stood first."""
        return self._firsts.get((line, column))

    def __len__(self) -> int:
        return len(self._documents)

    def _read(self) -> None:
        event = self._loader.get_event()
        while not isinstance(event, yaml.StreamEndEvent):
            if isinstance(event, yaml.DocumentStartEvent):
                self._anchors = {}
                self._documents.append(self._node(self._loader.get_event(), 0))
            event = self._loader.get_event()

    def _node(self, event: Any, depth: int) -> Node:
        if isinstance(event, yaml.AliasEvent):
            return self._anchors.get(event.anchor or "") or Node(place_of(event))
        if depth > _MAX_DEPTH:
            raise yaml.YAMLError("too deep")
        if isinstance(event, yaml.ScalarEvent):
            node = Node(place_of(event), event.value, empty=_is_empty(event))
        else:
            node = Node(place_of(event))
        if event.anchor is not None:
            self._anchors[event.anchor] = node
        if isinstance(event, yaml.MappingStartEvent):
            self._mapping(event, node, depth + 1)
        elif isinstance(event, yaml.SequenceStartEvent):
            self._sequence(event, node, depth + 1)
        return node

    def _mapping(self, start: Any, node: Node, depth: int) -> None:
        while not isinstance(event := self._loader.get_event(), yaml.MappingEndEvent):
            key = self._node(event, depth)
            value = self._node(self._loader.get_event(), depth)
            if key.text is None:
                continue
            if key.text in node.children:
                self._firsts[key.place.line, key.place.column] = node.children[key.text][0]
            else:
                node.children[key.text] = (key.place, value)
        self._close(start, event, node)

    def _sequence(self, start: Any, node: Node, depth: int) -> None:
        while not isinstance(event := self._loader.get_event(), yaml.SequenceEndEvent):
            item = self._node(event, depth)
            node.children[len(node.children)] = (item.place, item)
        self._close(start, event, node)

    @staticmethod
    def _close(start: Any, end: Any, node: Node) -> None:
        if start.flow_style and start.start_mark.line == end.end_mark.line:
            node.place = node.place._replace(end_column=end.end_mark.column + 1)


def _is_empty(event: Any) -> bool:
    return bool(event.start_mark.index == event.end_mark.index)


def place_of(event: Any) -> Place:
    """The place of an event; what spans several lines reaches to the end of its first."""
    start, end = event.start_mark, event.end_mark
    whole = isinstance(event, yaml.ScalarEvent | yaml.AliasEvent) and start.line == end.line
    return Place(start.line + 1, start.column + 1, max(end.column, start.column + 1) + 1 if whole else None)
