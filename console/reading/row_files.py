"""The workspace's own files of rows: which there are, of which kind, how large, how old."""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Literal

from pipeline.contracts import paths
from pipeline.reading import reach

Kind = Literal["evidence", "scored", "export", "pairs", "quarantine", "skips", "journal", "other"]
MOST_FILES = 1_000
_FIXED: tuple[tuple[PurePosixPath, Kind], ...] = (
    (paths.SFT_EXPORT, "export"),
    (paths.RAG_EXPORT, "export"),
    (paths.PREFERENCE_EXPORT, "pairs"),
    (paths.SFT_QUARANTINE, "quarantine"),
    (paths.RAG_QUARANTINE, "quarantine"),
    (paths.PREFERENCE_QUARANTINE, "quarantine"),
    (paths.DISTILLATION_SKIPS, "skips"),
    (paths.SCORING_SKIPS, "skips"),
    (paths.REPLAY_RUNS, "journal"),
    (paths.AUDIT_BASELINES, "journal"),
)
_FOLDERS: tuple[tuple[PurePosixPath, Kind], ...] = (
    (paths.EVIDENCE, "evidence"),
    (paths.SCORED_RUNS, "scored"),
)


@dataclass(frozen=True, slots=True)
class FoundFile:
    """A file of rows. ``changed`` is seconds since the epoch."""

    relative: str
    kind: Kind
    file_bytes: int
    changed: float


@dataclass(frozen=True, slots=True)
class RowFiles:
    """``troubles`` says of which places it is not known whether they hold more."""

    files: tuple[FoundFile, ...] = ()
    troubles: tuple[str, ...] = ()


def find_row_files(root: Path) -> RowFiles:
    """Exports, quarantine, skips and journals, then evidence and scored runs by name."""
    names = [(str(relative), kind) for relative, kind in _FIXED]
    troubles: dict[str, None] = {}
    for folder, kind in _FOLDERS:
        try:
            names += [(str(folder / name), kind) for name in _jsonl_in(root / folder)]
        except OSError as error:
            if error.errno not in reach.GONE:
                troubles[reach.in_words(error, root)] = None
    found = []
    for relative, kind in names[:MOST_FILES]:
        try:
            seen = (root / relative).stat()
        except OSError as error:
            if error.errno not in reach.GONE:
                troubles[reach.in_words(error, root)] = None
            continue
        if stat.S_ISREG(seen.st_mode):
            found.append(FoundFile(relative, kind, seen.st_size, seen.st_mtime))
    return RowFiles(tuple(found), tuple(troubles))


def kind_of(relative: str) -> Kind:
    """The kind of a file by its place in the workspace."""
    path = PurePosixPath(relative)
    for known, kind in _FIXED:
        # A quarantined or archived copy has its name plus a suffix.
        if path.parent == known.parent and path.name.startswith(known.name):
            return kind
    return next((kind for folder, kind in _FOLDERS if path.parent == folder), "other")


def _jsonl_in(folder: Path) -> list[str]:
    with os.scandir(folder) as entries:
        return sorted(entry.name for entry in entries if entry.name.endswith(".jsonl"))
