"""Rows as JSON lines, for people and for the single files of before."""

from __future__ import annotations

from pipeline.formats.sources import Claim
from pipeline.platform import disk

_BUFFER_BYTES = 1 << 20


class JsonlFile:
    """Writes lines to an open descriptor, and counts in ``claim`` what was written. Raises OSError."""

    def __init__(self, descriptor: int, claim: Claim) -> None:
        self._descriptor = descriptor
        self._claim = claim
        self._pending: list[bytes] = []
        self._bytes = 0

    def write(self, line: bytes) -> None:
        self._claim.take(line)
        self._pending.append(line)
        self._bytes += len(line)
        if self._bytes >= _BUFFER_BYTES:
            self.close()

    def close(self) -> None:
        """Hand on what is held back."""
        disk.write_all(self._descriptor, b"".join(self._pending))
        self._pending, self._bytes = [], 0

    def abandon(self) -> None:
        """Nothing is written unless it is asked for."""
