"""Which module imports which, read from the source: late imports in functions and for types, too."""

from __future__ import annotations

import ast
from collections.abc import Mapping, Sequence
from pathlib import Path

PACKAGES = ("console", "runbook", "pipeline")
Graph = Mapping[str, frozenset[str]]


def import_graph(root: Path, packages: Sequence[str] = PACKAGES) -> Graph:
    """Each module of the packages with those of them that it imports."""
    files = {
        _module(path.relative_to(root)): path for name in packages for path in (root / name).rglob("*.py")
    }
    return {name: frozenset(_imported(path, files) - {name}) for name, path in files.items()}


def _module(path: Path) -> str:
    parts = path.with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def _imported(path: Path, known: Mapping[str, Path]) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            below = {f"{node.module}.{alias.name}" for alias in node.names}
            found |= below & known.keys() or {node.module}
    return found & known.keys()


def circles(graph: Graph) -> list[list[str]]:
    """Groups of modules each of which reaches all others of its group by imports."""
    left = {name: set(graph[name]) for name in graph}
    while True:
        # A module that imports nothing any more, or that nobody imports, is in no circle.
        imported = set().union(*left.values()) if left else set()
        outside = {name for name, names in left.items() if not names or name not in imported}
        if not outside:
            break
        left = {name: names - outside for name, names in left.items() if name not in outside}
    groups: list[list[str]] = []
    waiting = set(left)
    while waiting:
        start = min(waiting)
        group = {name for name in _reached(left, start) if start in _reached(left, name)} | {start}
        waiting -= group
        if len(group) > 1:
            groups.append(sorted(group))
    return groups


def _reached(graph: Mapping[str, set[str]], start: str) -> set[str]:
    found: set[str] = set()
    waiting = [start]
    while waiting:
        new = graph[waiting.pop()] - found
        found |= new
        waiting += new
    return found
