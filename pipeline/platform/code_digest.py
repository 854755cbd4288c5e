"""One digest over a package's source files, so that code that was edited is never hidden.

The engine that runs puts it into its reports, the console compares it with the code that would run
now, and what the firewall called CLEAR counts for one and the same firewall alone.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable
from pathlib import Path

from pipeline.platform.lenient_json import read_bytes

# What a worker imports to make a row; tests/pipeline/engine/test_code_digest.py holds it to that.
# Audits, gates, replay and the firewall judge rows and shape none.
ROW_PACKAGES = ("engine", "evaluation", "schemas", "settings", "stages", "storage", "streams")

# A folder with more is no engine, and nobody waits for it to be walked.
MOST_FILES = 2_000

Stamp = tuple[str, int, int]
"""Path in the package, size, and time of writing in nanoseconds."""


def code_stamps(package: Path, folders: Iterable[str]) -> list[Stamp]:
    """Every ``.py`` file at or below ``folders`` of ``package``, in order. Raises OSError.

    A folder that is not there has none: an engine of another version has other packages.
    """
    found: list[Stamp] = []
    for name in folders:
        if os.path.lexists(f"{package}/{name}"):
            _look_into(f"{package}/{name}", name, found)
    return sorted(found)


def _look_into(folder: str, relative: str, found: list[Stamp]) -> None:
    """Asked twice a second, so that no path objects are made."""
    if len(found) > MOST_FILES:
        raise OSError(f"more than {MOST_FILES:,} files")
    with os.scandir(folder) as entries:
        for entry in entries:
            place = f"{relative}/{entry.name}"
            if entry.is_dir(follow_symlinks=False):
                if entry.name != "__pycache__":
                    _look_into(entry.path, place, found)
            elif entry.name.endswith(".py"):
                seen = entry.stat()
                found.append((place, seen.st_size, seen.st_mtime_ns))


def code_digest(package: Path, stamps: Iterable[Stamp]) -> str:
    """Hex sha256 over names and bytes. Raises OSError for what is no plain file."""
    hasher = hashlib.sha256()
    for relative, _, _ in stamps:
        data = read_bytes(package / relative)
        if not isinstance(data, bytes):
            raise OSError(f"{relative}: {data.why}")
        hasher.update(relative.encode("utf-8", "surrogateescape") + b"\0" + hashlib.sha256(data).digest())
    return hasher.hexdigest()
