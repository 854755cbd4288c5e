"""Single rows out of finished chunks, for those that are looked at again across chunks."""

from __future__ import annotations

import os
from collections import OrderedDict
from collections.abc import Mapping
from typing import Any

import orjson

from pipeline.engine.chunk_cache import ChunkCache
from pipeline.platform import disk

# Rows jump between chunks; this many parts stay open.
_OPEN_PARTS = 64


class RowParts:
    """Use it in a ``with`` block. ``keys`` has the chunks' keys in the cache by their number."""

    def __init__(self, cache: ChunkCache, keys: Mapping[int, str]) -> None:
        self._cache = cache
        self._keys = keys
        self._open: OrderedDict[int, int] = OrderedDict()

    def __enter__(self) -> RowParts:
        return self

    def __exit__(self, *_: object) -> None:
        for descriptor in self._open.values():
            os.close(descriptor)
        self._open.clear()

    def row(self, chunk: int, offset: int, length: int) -> dict[str, Any]:
        """The row at these bytes of the chunk's rows. Raises OSError."""
        descriptor = self._open.get(chunk)
        if descriptor is None:
            if len(self._open) >= _OPEN_PARTS:
                os.close(self._open.popitem(last=False)[1])
            path = self._cache.rows_path(self._keys[chunk])
            descriptor = self._open[chunk] = disk.open_plain(path)
        self._open.move_to_end(chunk)
        row: dict[str, Any] = orjson.loads(os.pread(descriptor, length, offset))
        return row
