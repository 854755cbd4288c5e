"""Files that look like logs, lie where streams read or where logs belong, and that no stream reads."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from itertools import islice
from pathlib import Path, PurePosixPath

from pipeline.contracts import paths
from pipeline.settings.confine import literal_part
from pipeline.settings.model import EvaluationSettings, Settings, StreamSettings
from pipeline.streams.files import is_ours, list_sources

# Of names that end so, whatever a compressor or a rotation has added.
_OF_LOGS = frozenset((".jsonl", ".json", ".ndjson", ".log", ".traj", ".parquet", ".csv", ".eval"))
_MOST_LOOKED_AT = 20_000


def unread_files(workspace: Path, settings: Settings) -> list[str]:
    """Names below the workspace, sorted. Folders outside, hidden files and our own outputs are left out.

    Raises InputError as the listing of sources does.
    """
    known: set[str] = set()
    folders = {paths.KNOWLEDGE_BASE}
    readers: list[StreamSettings | EvaluationSettings] = [*settings.streams, *settings.evaluations]
    for stream in readers:
        listing = list_sources(workspace, settings, stream)
        known.update(file.relative for file in listing.files)
        known.update(listing.refused)
        folders.update(literal_part(PurePosixPath(pattern)) for pattern in stream.path)
    found = {
        name
        for folder in folders
        if not folder.is_absolute() and ".." not in folder.parts
        for name in islice(_logs_in(workspace, folder), _MOST_LOOKED_AT)
    }
    return sorted(found - known, key=os.fsencode)


def _logs_in(workspace: Path, folder: PurePosixPath) -> Iterator[str]:
    """Of a folder its files, of that of the logs the files of its folders too."""
    is_deep = folder == paths.KNOWLEDGE_BASE
    for here, inner, names in os.walk(workspace / folder):
        inner[:] = sorted(name for name in inner if is_deep and not name.startswith("."))
        for name in names:
            path = Path(here) / name
            relative = PurePosixPath(path.relative_to(workspace).as_posix())
            is_log = not name.startswith(".") and bool(_OF_LOGS & set(relative.suffixes))
            if is_log and not is_ours(str(relative)) and stat.S_ISREG(path.lstat().st_mode):
                yield str(relative)
