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


def standing_versions(workspace: Path) -> dict[str, int]:
    """``versions_of`` the manifest that stands; of one that cannot be read, as of one that names none."""
    try:
        manifest = orjson.loads(disk.read_plain(workspace / paths.EXPORT_MANIFEST))
    except (OSError, orjson.JSONDecodeError):
        manifest = None
    return versions_of(manifest if isinstance(manifest, dict) else {})


def words_on_age(versions: Mapping[str, int]) -> str:
    """What to say of rows that an earlier version wrote; empty when all are of today's."""
    older = [f"{name} {version}" for name, version in versions.items() if version < VERSIONS[name]]
    if not older:
        return ""
    return f"rows of an earlier version ({', '.join(older)}), written anew by: distill run-all"
