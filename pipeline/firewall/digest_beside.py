"""The digest of what is read, taken on another core: hashlib releases the interpreter lock."""

from __future__ import annotations

import hashlib
import threading

_WORTH_A_THREAD = 512 * 1024


class DigestBeside:
    """sha256 of all pieces in order. A piece is hashed while the caller works on it."""

    def __init__(self) -> None:
        self._hasher = hashlib.sha256()
        self._thread: threading.Thread | None = None

    def update(self, piece: bytes) -> None:
        self._finish()
        if len(piece) < _WORTH_A_THREAD:
            self._hasher.update(piece)
        else:
            self._thread = threading.Thread(target=self._hasher.update, args=(piece,))
            self._thread.start()

    def hexdigest(self) -> str:
        self._finish()
        return self._hasher.hexdigest()

    def _finish(self) -> None:
        if self._thread is not None:
            self._thread.join()
            self._thread = None
