"""The digest of the code that would run here now, without running or importing any of it.

The same digest as the engine's own ``engine.code_digest``, which a report carries; a test holds
the two equal. Hashed again only when a file's size or time changed.
"""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import pipeline.contracts
from pipeline.contracts.discovery import choose_engine
from pipeline.contracts.faults import SettingsError
from pipeline.platform.lenient_json import read_bytes

# A copy of the engine's ROW_PACKAGES; tests/console/test_engine_code.py keeps the digests equal.
ROW_PACKAGES = ("engine", "schemas", "settings", "stages", "storage", "streams")
INSTALLED = Path(str(pipeline.contracts.__file__)).parents[1]
MOST_FILES = 2_000
_Stamp = tuple[str, int, int]


class EngineCode:
    """Kept and asked again: a quiet engine is only stat-ed."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._known: tuple[tuple[_Stamp, ...], str | None] = ((), None)

    def digest(self) -> str | None:
        """Hex sha256, or None where no engine may run or its files cannot be read."""
        try:
            directory = choose_engine(self._root).directory
        except SettingsError:
            return None
        package = INSTALLED if directory is None else directory / "pipeline"
        stamps = _stamps(package)
        if stamps is None:
            return None
        if stamps != self._known[0]:
            self._known = (stamps, _digest(package, stamps))
        return self._known[1]


def _stamps(package: Path) -> tuple[_Stamp, ...] | None:
    """Every file that the digest covers, in its order; None for what is no engine."""
    found: list[_Stamp] = []
    try:
        for name in ROW_PACKAGES:
            _look_into(f"{package}/{name}", name, found)
    except OSError:
        return None
    return tuple(sorted(found)) if 0 < len(found) <= MOST_FILES else None


def _look_into(folder: str, relative: str, found: list[_Stamp]) -> None:
    """Add the sources beneath ``folder``; asked twice a second, so that no path objects are made."""
    with os.scandir(folder) as entries:
        for entry in entries:
            place = f"{relative}/{entry.name}"
            if entry.is_dir(follow_symlinks=False):
                if len(found) <= MOST_FILES and entry.name != "__pycache__":
                    _look_into(entry.path, place, found)
            elif entry.name.endswith(".py"):
                seen = entry.stat()
                found.append((place, seen.st_size, seen.st_mtime_ns))


def _digest(package: Path, stamps: tuple[_Stamp, ...]) -> str | None:
    hasher = hashlib.sha256()
    for relative, _, _ in stamps:
        data = read_bytes(package / relative)
        if not isinstance(data, bytes):
            return None
        hasher.update(relative.encode("utf-8", "surrogateescape") + b"\0" + hashlib.sha256(data).digest())
    return hasher.hexdigest()
