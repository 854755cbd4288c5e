"""Which parts of a line the rules read, so that what they do not read can be named."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any

from pipeline.settings.syntax import plain_steps

_ITEMS = "[]"
# The plain paths inside a JMESPath expression. Words that are functions do no harm here.
_INSIDE_EXPRESSION = re.compile(
    r'(?:[A-Za-z_][A-Za-z0-9_]*|"[^"]*")(?:\.[A-Za-z_][A-Za-z0-9_]*|\."[^"]*"|\[-?\d+\])*'
)


class _Node:
    def __init__(self) -> None:
        self.inner: dict[str, _Node] = {}
        self.is_read = False


class PathTree:
    """The tree of what ``paths`` read. What lies below a path that is read is read with it."""

    def __init__(self, paths: Iterable[str]) -> None:
        self._root = _Node()
        for path in paths:
            for steps in plain_paths(path):
                node = self._root
                for step in steps:
                    node = node.inner.setdefault(_ITEMS if isinstance(step, int) else step, _Node())
                node.is_read = True

    def unread(self, line: dict[str, Any]) -> list[str]:
        """The paths in ``line`` that nothing reads, each once, named at the highest place."""
        return list(dict.fromkeys(_unread(line, self._root, "")))


def plain_paths(path: str) -> Iterator[tuple[str | int, ...]]:
    """The steps of a plain path, or of each plain path inside a JMESPath expression."""
    steps = plain_steps(path)
    if steps is not None:
        yield steps
        return
    for match in _INSIDE_EXPRESSION.finditer(path):
        inner = plain_steps(match[0])
        if inner is not None:
            yield inner


def _unread(value: Any, node: _Node, path: str) -> Iterator[str]:
    if node.is_read:
        return
    if isinstance(value, dict):
        for name, inner in value.items():
            child = node.inner.get(name)
            where = f"{path}.{name}" if path else name
            if child is None and _ITEMS in node.inner:
                # An object whose values are items, as a list's.
                child, where = node.inner[_ITEMS], f"{path}{_ITEMS}"
            if child is None:
                yield where
            else:
                yield from _unread(inner, child, where)
    elif isinstance(value, list):
        child = node.inner.get(_ITEMS)
        if child is None:
            yield path
            return
        for item in value:
            yield from _unread(item, child, f"{path}{_ITEMS}")
