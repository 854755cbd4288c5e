"""Which parts of a line the rules read, so that what they do not read can be named."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any

from pipeline.settings.syntax import plain_steps

_ITEMS = "[]"
_MOST_NAMES = 16
_MOST_DEEPER = 4
_ITEMS_LOOKED_AT = 8
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
        """The paths in ``line`` that nothing reads, each once, down to where a value stands.

        An object of many members, whose names are data as likely as not, is named as a whole.
        """
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
                yield from _named(inner, where, _MOST_DEEPER)
            else:
                yield from _unread(inner, child, where)
    elif isinstance(value, list):
        child = node.inner.get(_ITEMS)
        if child is None:
            yield from _named(value, path, _MOST_DEEPER)
            return
        for item in value:
            yield from _unread(item, child, f"{path}{_ITEMS}")


def _named(value: Any, path: str, deeper: int) -> Iterator[str]:
    """The places of values in what nobody reads; null is no value, but for ``path`` itself."""
    if isinstance(value, dict):
        inside = [(f"{path}.{name}", inner) for name, inner in value.items() if inner is not None]
    elif isinstance(value, list):
        inside = [(f"{path}{_ITEMS}", item) for item in value[:_ITEMS_LOOKED_AT] if isinstance(item, dict)]
    else:
        inside = []
    if not inside or not deeper or len(inside) > _MOST_NAMES:
        yield path
        return
    for where, inner in inside:
        yield from _named(inner, where, deeper - 1)
