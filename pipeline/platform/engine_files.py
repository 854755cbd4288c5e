"""Every file of an engine's package, by digest: one changed byte is another engine.

Digested is whatever an import could reach: sources, their data, compiled modules. Left out is only what
Python itself writes into ``__pycache__``, which is why an engine is run from a copy without those.
"""

from __future__ import annotations

import hashlib
import os
import re
import stat
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

# A folder with more is no engine, and nobody waits for it to be read.
MOST_FILES = 4_000
MOST_BYTES = 64 << 20
_PIECE_BYTES = 1 << 20
_PYTHONS_OWN = re.compile(r"[^.]+\.[a-z]+-\d+(\.opt-\w+)?\.pyc\Z")

Stamps = tuple[tuple[str, int, int, int, int], ...]
"""Path, size, inode, times of writing and of change in nanoseconds, of each file in order."""


@dataclass(frozen=True)
class EngineFiles:
    """``digests`` is the path of each file below the package to its sha256."""

    digests: Mapping[str, str]

    @property
    def digest(self) -> str:
        """Hex sha256 over paths and contents."""
        return digest_of(self.digests)


def digest_of(digests: Mapping[str, str]) -> str:
    """As ``EngineFiles.digest``."""
    lines = (f"{path}\0{digests[path]}\n".encode("utf-8", "surrogateescape") for path in sorted(digests))
    return hashlib.sha256(b"".join(lines)).hexdigest()


_known: dict[str, tuple[Stamps, EngineFiles]] = {}


def read_engine(package: Path) -> EngineFiles:
    """Every file at or below ``package``. Raises OSError for a link, what is no plain file, and too much.

    Kept for this process: files whose stamps are as they were are not read again.
    """
    stamps = engine_stamps(package)
    known = _known.get(str(package))
    if known is not None and known[0] == stamps:
        return known[1]
    found = EngineFiles(
        {stamp[0]: hashlib.sha256(read_file(package, stamp[0])).hexdigest() for stamp in stamps}
    )
    _known[str(package)] = (stamps, found)
    return found


def engine_stamps(package: Path) -> Stamps:
    """The files, unread. Raises as ``read_engine``."""
    found = tuple(sorted(_below(str(package), "")))
    if sum(size for _, size, *_ in found) > MOST_BYTES:
        raise OSError(f"{package} holds more than {MOST_BYTES:,} bytes")
    if len(found) > MOST_FILES:
        raise OSError(f"{package} holds more than {MOST_FILES:,} files")
    return found


def _below(folder: str, relative: str, depth: int = 0) -> Iterator[tuple[str, int, int, int, int]]:
    if depth > 32:
        raise OSError(f"{folder} lies too deep")
    count = 0
    with os.scandir(folder) as entries:
        for entry in entries:
            count += 1
            if count > MOST_FILES:
                raise OSError(f"{folder} holds more than {MOST_FILES:,} files")
            place = f"{relative}{entry.name}"
            seen = entry.stat(follow_symlinks=False)
            if stat.S_ISDIR(seen.st_mode):
                yield from _below(entry.path, f"{place}/", depth + 1)
            elif not stat.S_ISREG(seen.st_mode):
                raise OSError(f"{entry.path} is a link or no plain file")
            elif not (relative.endswith("__pycache__/") and _PYTHONS_OWN.match(entry.name)):
                yield place, seen.st_size, seen.st_ino, seen.st_mtime_ns, seen.st_ctime_ns


def read_file(package: Path, relative: str) -> bytes:
    """The bytes of a plain file. Raises OSError."""
    place = f"{package}/{relative}"
    descriptor = os.open(place, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        seen = os.fstat(descriptor)
        if not stat.S_ISREG(seen.st_mode):
            raise OSError(f"{place} is no plain file")
        data = os.read(descriptor, min(seen.st_size, MOST_BYTES) + 1)
        while len(data) <= MOST_BYTES and (more := os.read(descriptor, _PIECE_BYTES)):
            data += more
    finally:
        os.close(descriptor)
    if len(data) > MOST_BYTES:
        raise OSError(f"{place} holds more than {MOST_BYTES:,} bytes")
    return data
