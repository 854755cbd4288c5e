"""Files that look like logs, lie where streams read or where logs belong, and that no stream reads."""

from __future__ import annotations

import os
from pathlib import Path

from pipeline.contracts.untrusted import visible
from pipeline.reading.source_files import logs_beside
from pipeline.settings.model import EvaluationSettings, Settings, StreamSettings
from pipeline.streams.files import list_sources


def unread_files(workspace: Path, settings: Settings) -> list[str]:
    """Names below the workspace, sorted. Folders outside, hidden files and our own outputs are left out.

    Raises InputError as the listing of sources does.
    """
    readers: list[StreamSettings | EvaluationSettings] = [*settings.streams, *settings.evaluations]
    known: set[str] = set()
    refused: set[str] = set()
    for stream in readers:
        listing = list_sources(workspace, settings, stream)
        known.update(file.relative for file in listing.files)
        refused.update(listing.refused)
    logs = logs_beside(workspace, [pattern for stream in readers for pattern in stream.path])
    # What is refused is told by a name that a terminal may show.
    unread = (name for name in logs - known if visible(name) not in refused)
    return sorted(unread, key=os.fsencode)
