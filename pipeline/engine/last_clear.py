"""What the firewall last called CLEAR: an export's bytes, all that it was judged by, and its own code.

As long as these are equal it need not be asked again before a run replaces the export. The record
holds digests and no times. It is a cache: without it the firewall is asked.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import orjson

from pipeline.contracts import paths
from pipeline.contracts.faults import OperatorError, StorageError
from pipeline.engine import run_state
from pipeline.platform import confined, disk
from pipeline.platform.firewall import firewall_digest
from pipeline.settings.model import Settings
from pipeline.storage.digests import sha256_of_file
from pipeline.streams.files import stream_files

_LOOK = str(paths.SFT_EXPORT)  # a look at it reads the other exports, too
_VERSION = 2  # 1 knew nothing of files beside the exports, nor of evaluation sets
# Digests of more files than this take longer than the look that they would spare.
_MOST_FILES = 10_000
# And so do those of more bytes that no run of this workspace wrote.
_MOST_UNKNOWN_BYTES = 64 * 2**30

Digests = Mapping[str, str]


class _NotKnownError(Exception):
    """A folder or file cannot be seen as it is, so that only the firewall can tell."""


def judged_rows(workspace: Path, failed: Callable[[OSError], None] | None = None) -> Iterator[str]:
    """The files of evidence and verdicts, relative to the workspace."""
    for place in (paths.EVIDENCE, paths.SCORED_RUNS):
        for folder, _, names in os.walk(workspace / place, onerror=failed):
            for name in names:
                if name.endswith(".jsonl"):
                    yield Path(folder, name).relative_to(workspace).as_posix()


def stands_anything(workspace: Path) -> bool:
    """Whether there is a file below ``exports/`` that a loader might read, or a folder that hides it."""
    try:
        return next(_below_exports(workspace), None) is not None
    except _NotKnownError:
        return True


def _below_exports(workspace: Path) -> Iterator[str]:
    """Every file there, the exports among them. Loaders pass over hidden files and what was set aside."""
    for folder, folders, names in os.walk(workspace / paths.EXPORTS, onerror=_refuse):
        folders[:] = [name for name in folders if not _is_passed_over(name)]
        if any(Path(folder, name).is_symlink() for name in folders):
            raise _NotKnownError
        for name in names:
            if not _is_passed_over(name):
                yield Path(folder, name).relative_to(workspace).as_posix()


def _is_passed_over(name: str) -> bool:
    return name.startswith(".") or paths.QUARANTINE_MARK in name


def _refuse(error: OSError) -> None:
    if not isinstance(error, FileNotFoundError):
        raise _NotKnownError from error


def digests_now(workspace: Path, settings: Settings, staged: Digests | None = None) -> Digests | None:
    """sha256 of all that a look at the live exports reads; None when some of it cannot be told.

    That is whatever lies below ``exports/``, evidence, verdicts, and the evaluation sets with the settings
    that name them. ``staged`` has the digests of files that are about to stand in their places. A file
    that is not there has no digest.
    """
    state = run_state.load(workspace)
    found = dict(staged or {})
    unknown_bytes = 0
    try:
        names = {*judged_rows(workspace, _refuse), *_below_exports(workspace)} - found.keys()
        if len(names) > _MOST_FILES:
            return None
        for relative in names:
            relative.encode()  # the record is of UTF-8; names need not be
            known = state.outputs.get(relative)
            if known is not None and state.is_whole(workspace, relative):
                found[relative] = known[0].sha256
            else:
                # Not through a link, and not from a pipe, which would never end.
                with (
                    confined.opened(workspace, relative) as descriptor,
                    open(descriptor, "rb", closefd=False) as file,
                ):
                    unknown_bytes += os.fstat(descriptor).st_size
                    if unknown_bytes > _MOST_UNKNOWN_BYTES:
                        return None
                    found[relative] = hashlib.file_digest(file, "sha256").hexdigest()
        found.update(_evaluation(workspace, settings))
    except (OSError, UnicodeEncodeError, OperatorError, _NotKnownError):
        return None
    return found


def _evaluation(workspace: Path, settings: Settings) -> Iterator[tuple[str, str]]:
    """Digests of the declared sets, which may lie in a source root, and of what declares them."""
    if settings.evaluations:
        yield str(paths.SETTINGS), sha256_of_file(workspace / paths.SETTINGS)
    for declared in settings.evaluations:
        for file in stream_files(workspace, settings, declared):
            yield f"set {declared.name}: {file.relative}", sha256_of_file(file.path)


def is_last_clear(workspace: Path, digests: Digests | None) -> bool:
    """Whether just these files are what today's firewall called CLEAR."""
    code = firewall_digest()
    return bool(digests and code) and _load(workspace).get(_LOOK) == {"firewall": code, "files": digests}


def remember_clear(workspace: Path, digests: Digests | None) -> None:
    """Note what has just been called CLEAR. A disk that refuses costs a scan, never the run."""
    code = firewall_digest()
    if not digests or not code:
        return
    known = {_LOOK: {"firewall": code, "files": dict(digests)}}
    try:
        disk.write_file(workspace / paths.LAST_CLEAR, orjson.dumps({"version": _VERSION, "exports": known}))
    except StorageError:
        disk.discard(workspace / paths.LAST_CLEAR)


def _load(workspace: Path) -> dict[str, object]:
    try:
        value = orjson.loads(disk.read_plain(workspace / paths.LAST_CLEAR))
    except (OSError, ValueError):
        return {}
    if not isinstance(value, dict) or value.get("version") != _VERSION:
        return {}
    exports = value.get("exports")
    return exports if isinstance(exports, dict) else {}
