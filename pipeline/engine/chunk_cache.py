"""Finished chunks, kept by what they were made from, so that nothing is done twice.

A key covers everything that can change a chunk's rows: stream, file, position, the lines'
digests, the look-ups, the settings that touch rows, and the engine's own source files (a
version number would hide an edited engine). Nothing of inodes or absolute paths is in it: a
copied workspace finds its chunks again.

Files are renamed into place but not synced one by one. A ``kill -9`` leaves whole files, as the
kernel still holds them; after a power cut they may be hollow, so an entry that was written
under another boot of the machine is used only when its rows still have their digests.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

from pipeline.contracts import paths
from pipeline.engine.chunk_entries import SECTIONS, Sections
from pipeline.engine.chunk_index import (
    DIGEST_BYTES,
    ChunkIndex,
    cut,
    decode_index,
    encode_index,
    numbers,
)
from pipeline.engine.commit_points import reached
from pipeline.platform import disk, disk_faults
from pipeline.platform.confined import refuse_link

_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


def boot_id() -> str:
    """Names this boot of the machine; empty where the system does not tell."""
    try:
        return _BOOT_ID.read_text(encoding="ascii").strip()
    except OSError:
        return ""


class ChunkCache:
    """The cache below one workspace's ``.distill/cache``."""

    def __init__(self, workspace: Path) -> None:
        self.folder = workspace / paths.CHUNK_CACHE
        self._boot = boot_id()

    def rows_path(self, key: str) -> Path:
        return self.folder.joinpath(key[:2], f"{key}.rows")

    def index_path(self, key: str) -> Path:
        return self.folder.joinpath(key[:2], f"{key}.index")

    def load(self, key: str) -> ChunkIndex | None:
        """The index of a finished, whole chunk, or None."""
        try:
            index = decode_index(disk.read_plain(self.index_path(key)))
            if self.rows_path(key).stat().st_size != sum(index.section_bytes):
                return None
            if (not self._boot or index.boot_id != self._boot) and not self._rows_are_whole(key, index):
                return None
        except (OSError, ValueError):
            return None
        return index

    def has(self, key: str) -> bool:
        """Whether a finished chunk seems to be there; ``load`` tells whether it is whole."""
        return self.index_path(key).is_file() and self.rows_path(key).is_file()

    def store(self, key: str, index: ChunkIndex, sections: Sections) -> None:
        """Put a finished chunk in place, rows first, index last. Raises StorageError."""
        index.boot_id = self._boot
        rows_path = self.rows_path(key)
        refuse_link(rows_path.parent)
        disk.make_folder(rows_path.parent)
        self._put(rows_path, sections)
        reached("chunk-rows-written")
        self._put(self.index_path(key), [encode_index(index)])
        reached("chunk-index-written")

    def _put(self, path: Path, pieces: Sections) -> None:
        try:
            with disk.replacing(path, durable=False) as descriptor:
                for piece in pieces:
                    disk.write_all(descriptor, piece)
        except OSError as error:
            raise disk_faults.storage_fault(
                error, path, "The last outputs are in place and verified; finished chunks are kept."
            ) from error

    def _rows_are_whole(self, key: str, index: ChunkIndex) -> bool:
        """Whether every row in ``*.rows`` has the digest that the index gives it."""
        with disk.open_to_read(self.rows_path(key)) as file:
            for section in range(len(SECTIONS)):
                digests = iter(cut(index.digests[section], DIGEST_BYTES))
                for length in numbers("I", index.lengths[section]):
                    if length and hashlib.sha256(file.read(length)).digest() != next(digests):
                        return False
        return True

    def keep_only(self, keys: set[str]) -> int:
        """Remove every chunk that is not in ``keys``; returns how many were removed."""
        removed = 0
        if not self.folder.is_dir():
            return 0
        for path in self.folder.glob("??/*"):
            if path.name.split(".", 1)[0] not in keys:
                disk.discard(path)
                removed += path.suffix == ".index"
        return removed
