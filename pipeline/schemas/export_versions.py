"""Of which schema version the rows of each standing export are, as ``exports/manifest.json`` says.

A manifest that names none was written before the second version. What the rows themselves say
(``export_rows.version_of``) must agree; the audit compares.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import orjson

from pipeline.contracts import paths
from pipeline.contracts.faults import InputError
from pipeline.platform import disk
from pipeline.schemas import preference, rag, sft

# As in the registry, without the import of every other schema.
VERSIONS = {
    "rag": rag.SCHEMA_VERSION,
    "sft": sft.SCHEMA_VERSION,
    "preference": preference.SCHEMA_VERSION,
}


def versions_of(manifest: Mapping[str, Any]) -> dict[str, int]:
    """The version of each export's rows. What a manifest does not name is of version 1."""
    named = manifest.get("schemas")
    versions = dict.fromkeys(paths.EXPORT_FILES, 1)
    if isinstance(named, dict):
        versions |= {name: named[name] for name in versions if type(named.get(name)) is int}
    return versions


def standing_manifest(workspace: Path) -> dict[str, Any]:
    """The manifest that stands; empty where there is none, and for one that is no JSON object.

    Raises InputError for one that is there and cannot be read: whoever took it for missing would compare
    no row with what it says.
    """
    path = workspace / paths.EXPORT_MANIFEST
    try:
        manifest = orjson.loads(disk.read_plain(path))
    except (FileNotFoundError, orjson.JSONDecodeError):
        return {}
    except OSError as error:
        raise InputError.of(
            code="manifest_unreadable",
            what_happened=f"{paths.EXPORT_MANIFEST} could not be read: {error.strerror or error}.",
            kept_safe="The exports were not touched.",
            do_next="Check the file and its permissions, then run the command again.",
            file=str(path),
        ) from error
    return manifest if isinstance(manifest, dict) else {}


def standing_versions(workspace: Path) -> dict[str, int]:
    """``versions_of`` the manifest that stands; without one, as of one that names none. Raises InputError."""
    return versions_of(standing_manifest(workspace))


def words_on_age(versions: Mapping[str, int]) -> str:
    """What to say of rows that an earlier version wrote; empty when all are of today's."""
    older = [f"{name} {version}" for name, version in versions.items() if version < VERSIONS[name]]
    if not older:
        return ""
    return f"rows of an earlier version ({', '.join(older)}), written anew by: distill run-all"
