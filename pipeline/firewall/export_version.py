"""Of which version an export is: it is judged by the walls of its own."""

from __future__ import annotations

import os
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

from pipeline.contracts import paths
from pipeline.firewall import strict_json
from pipeline.firewall.causes import read_json
from pipeline.firewall.line_feed import MAX_LINE_BYTES
from pipeline.firewall.places import Places
from pipeline.firewall.plain_files import FileMissingError, FileRefusedError, open_regular

NEWEST = 2
_BEGINNING = 64 * 1024
_MANIFEST = paths.EXPORTS / "manifest.json"


def version_of(places: Places) -> int:
    """1 for rows without a shape whose manifest knows of no versions; without rows the newest."""
    rows = list(_first_rows(places.target))
    if not rows or any("shape" in row for row in rows):
        return NEWEST
    if places.root is not None and places.is_live:
        return versions(places.root).get("sft", 1)
    return 1


def version_of_other(root: Path, export: str) -> int:
    """Of playbooks or pairs: by their rows, else by what the manifest says of them.

    A manifest that calls rows old which hold what only newer ones have does not make them so.
    """
    for row in _first_rows(root / paths.EXPORT_FILES[export]):
        if isinstance(row.get("tags"), str) if export == "rag" else "shape" in row:
            return NEWEST
    return versions(root).get(export, 1)


def versions(root: Path) -> dict[str, int]:
    """The version of each export that the manifest names; a void manifest says what it said."""
    manifest = read_json(root / _MANIFEST)
    schemas = manifest.get("schemas") if isinstance(manifest, dict) else None
    named = schemas.items() if isinstance(schemas, dict) else ()
    return {export: version for export, version in named if isinstance(version, int)}


def first_lines(path: Path) -> Iterator[bytes]:
    """The lines that begin in the first 64 KiB of a file, none of one that cannot be read."""
    try:
        with os.fdopen(open_regular(path), "rb") as file:
            for line in iter(partial(file.readline, MAX_LINE_BYTES), b""):
                yield line
                if file.tell() >= _BEGINNING:
                    return
    except (FileMissingError, FileRefusedError, OSError):
        return


def _first_rows(path: Path) -> Iterator[dict[str, Any]]:
    for line in first_lines(path):
        try:
            row = strict_json.read(line)
        except strict_json.UnreadableError:
            continue  # a finding of whoever reads the whole file
        if isinstance(row, dict):
            yield row
