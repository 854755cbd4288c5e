"""What the firewall last called CLEAR: an export's bytes, all that it was judged by, and its own code.

As long as these are equal it need not be asked again before a run replaces the export. The record
holds digests and no times. It is a cache: without it the firewall is asked.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Mapping
from pathlib import Path

import orjson

from pipeline.contracts import paths
from pipeline.contracts.faults import StorageError
from pipeline.engine import run_state
from pipeline.platform import confined, disk
from pipeline.platform.firewall import firewall_digest

_VERSION = 1

Digests = Mapping[str, str]


def judged_files(workspace: Path) -> Iterator[str]:
    """The files by which the firewall judges a live export, relative to the workspace.

    Playbooks and pairs are among them: it holds them against the same evidence.
    """
    for export in (paths.RAG_EXPORT, paths.PREFERENCE_EXPORT):
        if (workspace / export).is_file():
            yield export.as_posix()
    for place in (paths.EVIDENCE, paths.SCORED_RUNS):
        for folder, _, names in os.walk(workspace / place):
            for name in names:
                if name.endswith(".jsonl"):
                    yield Path(folder, name).relative_to(workspace).as_posix()


def digests_now(workspace: Path, export: str, staged: Digests | None = None) -> Digests | None:
    """sha256 of the export and of each file that it is judged by; None when one cannot be read.

    ``staged`` has the digests of files that are about to stand in their places. An export that is
    not there has no digest.
    """
    state = run_state.load(workspace)
    found = dict(staged or {})
    names = set(judged_files(workspace))
    if (workspace / export).exists():
        names.add(export)
    try:
        for relative in names - found.keys():
            known = state.outputs.get(relative)
            if known is not None and state.is_whole(workspace, relative):
                found[relative] = known[0].sha256
            else:
                # Not through a link, and not from a pipe, which would never end.
                with (
                    confined.opened(workspace, relative) as descriptor,
                    open(descriptor, "rb", closefd=False) as file,
                ):
                    found[relative] = hashlib.file_digest(file, "sha256").hexdigest()
    except OSError:
        return None
    return found


def is_last_clear(workspace: Path, export: str, digests: Digests | None) -> bool:
    """Whether these bytes, judged by these files, are what today's firewall called CLEAR."""
    code = firewall_digest()
    return bool(digests and code) and _load(workspace).get(export) == {"firewall": code, "files": digests}


def remember_clear(workspace: Path, export: str, digests: Digests | None) -> None:
    """Note what has just been called CLEAR. A disk that refuses costs a scan, never the run."""
    code = firewall_digest()
    if not digests or not code:
        return
    known = {**_load(workspace), export: {"firewall": code, "files": dict(digests)}}
    try:
        disk.write_file(workspace / paths.LAST_CLEAR, orjson.dumps({"version": _VERSION, "exports": known}))
    except StorageError:
        disk.discard(workspace / paths.LAST_CLEAR)


def _load(workspace: Path) -> dict[str, object]:
    try:
        value = orjson.loads((workspace / paths.LAST_CLEAR).read_bytes())
    except (OSError, ValueError):
        return {}
    if not isinstance(value, dict) or value.get("version") != _VERSION:
        return {}
    exports = value.get("exports")
    return exports if isinstance(exports, dict) else {}
