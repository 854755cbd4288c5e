"""What can be wrong with a stream beyond the types of its values.

Its rules, its preset, the look-ups that its rules name, the paths that it reads, and the limits
of exports that name a stream. Each mistake is found when the settings are read, before any source is.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from pipeline.contracts.nearest import nearest_of
from pipeline.settings import confine
from pipeline.settings.locate import KeyPath, nearest_line
from pipeline.settings.mistakes import Mistake, mistakes
from pipeline.settings.model import Settings, StreamSettings
from pipeline.settings.presets import PRESETS
from pipeline.settings.rules import StreamRules

_FILE_PATH = re.compile(r"_file(?:\.|\Z)")
_LIMITS_OF_STREAMS = ("stream_caps", "partial_at")
_NO_FILE = "a line of a look-up stream has no _file"
_FILE_WAY_OUT = "Take its id from a member of the line; _file is that of the line which looks something up."


def stream_mistakes(
    workspace: Path, settings: Settings, document: dict[str, Any], lines: dict[KeyPath, int]
) -> Iterator[Mistake]:
    """All of them; ``document`` is the parsed file and ``lines`` where its keys stand."""
    roots: list[Path] = []
    for index, root in enumerate(settings.workspace.source_roots):
        problem = _root_problem(workspace, root, roots)
        if problem is None:
            roots.append(confine.resolved(workspace / root))
        else:
            yield _item_mistake(("workspace", "source_roots"), index, root, problem, lines)
    lookups = [stream.name for stream in settings.streams if stream.role == "lookup"]
    for number, stream in enumerate(settings.streams):
        at: KeyPath = ("stream", number)
        yield from _rule_mistakes(at, stream, document, lines)
        if stream.preset is not None and stream.preset not in PRESETS:
            yield _name_mistake((*at, "preset"), stream.preset, "no such preset", PRESETS, lines)
        for path, text in _files_of_lookups(
            document["stream"][number], at, is_lookup=stream.role == "lookup"
        ):
            yield Mistake(path, nearest_line(lines, path), f'"{text}"', _NO_FILE, _FILE_WAY_OUT)
        for path, name in _named_lookups(document["stream"][number], at):
            if name not in lookups:
                yield _name_mistake(path, name, 'no stream of role "lookup" is called so', lookups, lines)
    sources = [stream.name for stream in settings.streams if stream.role != "lookup"]
    for path in _streams_of_exports(document):
        if path[-1] not in sources:
            hint = nearest_of(str(path[-1]), sources)
            yield Mistake(path, nearest_line(lines, path), None, "no stream that is read is called so", hint)
    declared = [("stream", number, one.path) for number, one in enumerate(settings.streams)]
    declared += [("evaluation", number, one.path) for number, one in enumerate(settings.evaluations)]
    for table, number, patterns in declared:
        for index, pattern in enumerate(patterns):
            problem = confine.pattern_complaint(workspace, roots, pattern)
            if problem is not None:
                yield _item_mistake((table, number, "path"), index, pattern, problem, lines)


def _streams_of_exports(document: dict[str, Any]) -> Iterator[KeyPath]:
    """Each stream that a limit of an export names: a limit of one that is misspelt would limit nothing."""
    for export, table in document.get("export", {}).items():
        for limit in _LIMITS_OF_STREAMS if isinstance(table, dict) else ():
            for name in table.get(limit, ()):
                yield ("export", export, limit, name)


def _root_problem(workspace: Path, root: str, earlier: list[Path]) -> str | None:
    problem = confine.root_complaint(workspace, root)
    if problem is None and confine.resolved(workspace / root).name in {other.name for other in earlier}:
        return "has the same last name as another source root, and provenance tells them apart by it"
    return problem


def _rule_mistakes(
    at: KeyPath, stream: StreamSettings, document: dict[str, Any], lines: dict[KeyPath, int]
) -> Iterator[Mistake]:
    written = {name: getattr(stream, name) for name in StreamRules.model_fields}
    try:
        StreamRules.model_validate({name: rule for name, rule in written.items() if rule is not None})
    except ValidationError as error:
        yield from mistakes(error, document, lines, at)


def _named_lookups(tree: Any, at: KeyPath) -> Iterator[tuple[KeyPath, str]]:
    """Each ``lookup = NAME`` of a stream's rules, with its place."""
    if isinstance(tree, dict):
        for key, value in tree.items():
            if key == "lookup" and isinstance(value, str):
                yield (*at, key), value
            else:
                yield from _named_lookups(value, (*at, key))
    elif isinstance(tree, list):
        for index, item in enumerate(tree):
            yield from _named_lookups(item, (*at, index))


def _files_of_lookups(tree: Any, at: KeyPath, *, is_lookup: bool) -> Iterator[tuple[KeyPath, str]]:
    """Each path of ``_file`` that is asked of a line of a look-up stream, with its place."""
    if isinstance(tree, str):
        if is_lookup and at[-1] != "name" and _FILE_PATH.match(tree):
            yield at, tree
    elif isinstance(tree, dict):
        for key, value in tree.items():
            yield from _files_of_lookups(
                value, (*at, key), is_lookup=is_lookup or (key == "get" and "lookup" in tree)
            )
    elif isinstance(tree, list):
        for index, item in enumerate(tree):
            yield from _files_of_lookups(item, (*at, index), is_lookup=is_lookup)


def _item_mistake(where: KeyPath, index: int, value: str, problem: str, lines: dict[KeyPath, int]) -> Mistake:
    return Mistake(where, nearest_line(lines, (*where, index)), f'"{value}"', problem)


def _name_mistake(
    where: KeyPath, name: str, problem: str, known: Collection[str], lines: dict[KeyPath, int]
) -> Mistake:
    return Mistake(where, nearest_line(lines, where), f'"{name}"', problem, nearest_of(name, known))
