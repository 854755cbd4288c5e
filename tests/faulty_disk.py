"""A disk that fails at the N-th operation, once or for good, for whoever writes through ``platform.disk``."""

from __future__ import annotations

import errno
import os
from collections import Counter
from typing import Any

from pipeline.platform import disk


class FaultyDisk(disk.DiskOperations):
    """Counts operations; the N-th fails. A write that fails has written a part.

    A full disk still lets files be removed and cut; one that fails for good otherwise lets nothing happen.
    ``kinds`` names the operations that count, all of them by default. Syncs are counted and not
    carried out: hundreds of runs would only wait for the disk.
    """

    def __init__(
        self, number: int, error: int, *, for_good: bool = False, kinds: frozenset[str] | None = None
    ) -> None:
        self.number, self.error, self.for_good, self.kinds = number, error, for_good, kinds
        self.count = 0
        self.failed: Counter[str] = Counter()

    def _is_bad(self, kind: str) -> bool:
        if self.kinds is not None and kind not in self.kinds:
            return False
        self.count += 1
        bad = self.count == self.number or (self.for_good and self.count > self.number)
        self.failed[kind] += bad
        return bad

    def _refuse(self, kind: str) -> None:
        if self._is_bad(kind):
            raise OSError(self.error, os.strerror(self.error))

    def write(self, descriptor: int, data: bytes | memoryview) -> int:
        if self._is_bad("write"):
            super().write(descriptor, data[: len(data) // 2])
            raise OSError(self.error, os.strerror(self.error))
        return super().write(descriptor, data)

    def fsync(self, descriptor: int) -> None:
        self._refuse("fsync")

    def truncate(self, descriptor: int, size: int) -> None:
        if not (self.for_good and self.error == errno.ENOSPC):
            self._refuse("truncate")
        super().truncate(descriptor, size)

    def replace(self, *names: Any, **folders: Any) -> None:
        self._refuse("replace")
        super().replace(*names, **folders)

    def link(self, *names: Any, **folders: Any) -> None:
        self._refuse("link")
        super().link(*names, **folders)

    def rename_new(self, *names: Any, **folders: Any) -> None:
        self._refuse("rename_new")
        super().rename_new(*names, **folders)

    def unlink(self, *names: Any, **folders: Any) -> None:
        if not (self.for_good and self.error == errno.ENOSPC):
            self._refuse("unlink")
        super().unlink(*names, **folders)

    def mkdir(self, *names: Any, **how: Any) -> None:
        self._refuse("mkdir")
        super().mkdir(*names, **how)


class ShortWrites(disk.DiskOperations):
    """Takes a third of what it is given, at least a byte."""

    def write(self, descriptor: int, data: bytes | memoryview) -> int:
        return super().write(descriptor, data[: max(1, len(data) // 3)])
