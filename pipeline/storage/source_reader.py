"""Bytes at any place of a source. An archive is unpacked once, to a nameless temporary file."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path
from types import TracebackType
from typing import BinaryIO

from pipeline.contracts.faults import InputError
from pipeline.platform.temporary import file_without_name, stored_there
from pipeline.storage.archives import open_source

_BLOCK_BYTES = 2**20


class SourceReader:
    """``with`` it; ``read`` gives what lies at a place, less where the source ends. Raises InputError."""

    def __init__(self, path: Path) -> None:
        file = open_source(path)
        self._file: BinaryIO = file if file.seekable() else _unpacked(file)

    def __enter__(self) -> SourceReader:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        self._file.close()

    def read(self, start: int, length: int) -> bytes:
        self._file.seek(start, os.SEEK_SET)
        return self._file.read(length)


def _unpacked(archive: BinaryIO) -> BinaryIO:
    plain = file_without_name()
    # One that ends early has been read up to there, and no place behind it is asked for.
    with archive, contextlib.suppress(InputError):
        while block := archive.read(_BLOCK_BYTES):
            with stored_there():
                plain.write(block)
    return plain
