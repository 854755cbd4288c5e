"""FileClaims of files that an earlier stage wrote and this stage reads."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path, PurePosixPath
from typing import Any

from pipeline.storage.digests import measured


def input_claims(
    workspace: Path, streams: Sequence[str], *files: Callable[[str], PurePosixPath]
) -> list[dict[str, Any]]:
    """Claims of each stream's files that exist, e.g. with ``paths.evidence_file``. Raises OSError."""
    names = [str(file_of(stream)) for file_of in files for stream in streams]
    return [
        {"path": relative, **measured(workspace / relative)}
        for relative in names
        if (workspace / relative).exists()
    ]
