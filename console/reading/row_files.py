"""The workspace's own files of rows: which there are, how large, how old; and a row that a report names.

Such a row is looked for by its line, and whether it still is that row is said.
"""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from threading import Event
from typing import Literal

from console.reading.row_file import LineIndex, RowFile, needles_for
from pipeline.contracts import paths
from pipeline.platform.lenient_json import inside
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


_ROWS = ".jsonl"


@dataclass(frozen=True, slots=True)
class FoundRow:
    """``offset`` is where the row begins; None with the reason in ``trouble``.

    ``doubt`` says that another row stands there now than the one that was named.
    """

    offset: int | None = None
    trouble: str = ""
    doubt: str = ""


def names_row(file: str, line: int | None, run_id: str) -> bool:
    """Whether a report's words are enough to look for: a place in a file of rows here."""
    relative = inside(file)
    return relative is not None and relative.suffix == _ROWS and (line is not None or bool(run_id))


def find_row(root: Path, relative: str, line: int | None, run_id: str, stop: Event) -> FoundRow:
    """Look for it; blocks for as long as the file takes to be counted up to there."""
    try:
        file = RowFile(root / relative)
    except OSError as error:
        return FoundRow(trouble=reach.in_words(error, root))
    except ValueError as error:
        return FoundRow(trouble=f"{relative}: {error}")
    try:
        needles = needles_for(run_id) if run_id else ()
        if line is None:
            at = file.find(needles, 0, stop, lambda _: None)
            row = file.row_at(at) if at is not None else None
            trouble = "" if row is not None else f"{relative} has no row of {run_id} any more"
            return FoundRow(row.offset if row is not None else None, trouble)
        index = LineIndex(file)
        index.extend(stop)
        row = file.row_at(offset) if (offset := index.offset_of(line)) is not None else None
        if row is None:
            return FoundRow(trouble=f"{relative} has no line {line} any more")
        same = not needles or any(needle in file.whole(row) for needle in needles)
        return FoundRow(row.offset, doubt="" if same else f"line {line} is another row than the report names")
    finally:
        file.close()
