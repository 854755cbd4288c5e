"""Which streams ``distill.toml`` declares, and which files their globs find.

Read raw, without the engine's settings code, which may be what is broken.
"""

from __future__ import annotations

import glob
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from pipeline.contracts import paths
from runbook.probes.workspace import Workspace

# What the pipeline writes; no stream reads it.
_OUTPUTS = (str(paths.EVIDENCE), str(paths.SCORED_RUNS), str(paths.EXPORTS), "reports", str(paths.STATE))


@dataclass(frozen=True)
class SourceStream:
    """One ``[[stream]]``: ``rules`` is all of its table."""

    name: str
    tier: int
    role: str
    globs: tuple[str, ...]
    rules: Mapping[str, Any]

    def reads(self, name: str) -> bool:
        """Whether a file of that name in provenance is one of this stream's."""
        return any(fnmatchcase(name, pattern) for pattern in self.globs)


def declared_streams(settings: Mapping[str, Any]) -> list[SourceStream]:
    """The streams of parsed settings in their order; what has no name or path is left out."""
    listed = settings.get("stream")
    found = []
    for table in listed if isinstance(listed, list) else ():
        if not isinstance(table, dict) or not isinstance(table.get("name"), str):
            continue
        tier = table.get("tier", 1)
        path = table.get("path")
        globs = [path] if isinstance(path, str) else path if isinstance(path, list) else []
        found.append(
            SourceStream(
                name=table["name"],
                tier=tier if type(tier) is int else 1,
                role=str(table.get("role", "source")),
                globs=tuple(each for each in globs if isinstance(each, str)),
                rules=table,
            )
        )
    return found


def files_of(workspace: Workspace, stream: SourceStream) -> list[Path]:
    """The files that its globs find, inside the workspace and its source roots; sorted."""
    found: dict[str, Path] = {}
    for pattern in stream.globs:
        for path in _matches(workspace.root, pattern):
            name = relative_name(workspace.root, path)
            if not _is_ours(name) and path.is_file() and _is_inside(workspace, path):
                found[name] = path
    return [found[name] for name in sorted(found)]


def relative_name(root: Path, path: Path) -> str:
    """Below the workspace as provenance has it, elsewhere the whole path."""
    plain = Path(os.path.normpath(path))
    return plain.relative_to(root).as_posix() if plain.is_relative_to(root) else plain.as_posix()


def _matches(root: Path, pattern: str) -> Iterator[Path]:
    # glob.iglob leaves hidden files out unless the pattern names them, as the engine does.
    for match in glob.iglob(pattern, root_dir=root, recursive=True):  # noqa: PTH207 (as above)
        yield root / match


def _is_ours(name: str) -> bool:
    if any(name == folder or name.startswith(f"{folder}/") for folder in _OUTPUTS):
        return True
    head, _, last = name.rpartition("/")
    return head == str(paths.KNOWLEDGE_BASE) and last.split(".", 1)[0] in paths.JOURNAL_STEMS


def _is_inside(workspace: Workspace, path: Path) -> bool:
    listed = workspace.section("workspace").get("source_roots")
    roots = [each for each in listed if isinstance(each, str)] if isinstance(listed, list) else []
    real = Path(os.path.realpath(path))
    tops = [workspace.root, *(workspace.root / each for each in roots)]
    return any(real.is_relative_to(os.path.realpath(top)) for top in tops)
