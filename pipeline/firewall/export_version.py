"""Of which version an export is: it is judged by the walls of its own."""

from __future__ import annotations

import os
from pathlib import Path

from pipeline.contracts import paths
from pipeline.firewall.causes import read_json
from pipeline.firewall.places import Places
from pipeline.firewall.plain_files import FileMissingError, FileRefusedError, open_regular

NEWEST = 2
_MARK_OF_2 = b'"shape":'  # rows have had it since version 2
# What the others have had since then; a manifest that calls such rows old does not make them so.
_MARKS_OF_2 = {"rag": b'"tags":"', "preference": _MARK_OF_2}
_BEGINNING = 64 * 1024
_MANIFEST = paths.EXPORTS / "manifest.json"


def version_of(places: Places) -> int:
    """1 for rows without a shape whose manifest knows of no versions; an empty file is of the newest."""
    start = beginning(places.target)
    if not start or _MARK_OF_2 in start:
        return NEWEST
    if places.root is not None and places.is_live:
        return versions(places.root).get("sft", 1)
    return 1


def version_of_other(root: Path, export: str) -> int:
    """Of playbooks or pairs: by their rows, else by what the manifest says of them."""
    if _MARKS_OF_2[export] in beginning(root / paths.EXPORT_FILES[export]):
        return NEWEST
    return versions(root).get(export, 1)


def versions(root: Path) -> dict[str, int]:
    """The version of each export that the manifest names; a void manifest says what it said."""
    manifest = read_json(root / _MANIFEST)
    schemas = manifest.get("schemas") if isinstance(manifest, dict) else None
    named = schemas.items() if isinstance(schemas, dict) else ()
    return {export: version for export, version in named if isinstance(version, int)}


def beginning(path: Path) -> bytes:
    """The first bytes of a file, none of one that cannot be read."""
    try:
        descriptor = open_regular(path)
    except (FileMissingError, FileRefusedError):
        return b""
    try:
        return os.read(descriptor, _BEGINNING)
    except OSError:
        return b""
    finally:
        os.close(descriptor)
