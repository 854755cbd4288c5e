"""A line as its rules see it: with the name of its file and its number, where a rule asks for them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from pipeline.settings.rules import StreamRules
from pipeline.streams.path_tree import plain_paths
from pipeline.streams.walk import paths_in

FILE = "_file"
"""The member that rules find ``path``, the file's name in provenance, and ``line``, from 1, in."""
SOURCE = "_source"
"""The member in which collected logs name the file that they came from; where a line has none, its own."""

View = Callable[[dict[str, Any], str, int], dict[str, Any]]
"""Line, file and number of the line to what the rules see."""


def compile_view(rules: StreamRules) -> View | None:
    """None where no rule asks for the file, so that the line is seen as it is."""
    paths = tuple(paths_in(rules))
    of_file, of_source = asks_for(FILE, paths), asks_for(SOURCE, paths)
    if not of_file and not of_source:
        return None

    def view(line: dict[str, Any], source_file: str, number: int) -> dict[str, Any]:
        seen = dict(line)
        if of_file:
            seen[FILE] = {"path": source_file, "line": number}
        if of_source and line.get(SOURCE) is None:
            seen[SOURCE] = {"path": source_file}
        return seen

    return view


def asks_for(member: str, paths: Iterable[str]) -> bool:
    """Whether one of ``paths`` begins at ``member``."""
    return any(steps[0] == member for path in paths for steps in plain_paths(path))
