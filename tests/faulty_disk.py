"""A disk that fails at the N-th operation, once or for good, for whoever writes through ``platform.disk``."""

from __future__ import annotations

import errno
import os
import sys
from collections import Counter, defaultdict
from collections.abc import Callable
from types import FrameType
from typing import Any
from unittest.mock import patch

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


class _Places(FaultyDisk):
    """Fails never; ``numbers`` says which operations came from the same place, by the whole stack."""

    def __init__(self, error: int, *, for_good: bool) -> None:
        super().__init__(sys.maxsize, error, for_good=for_good)
        self.numbers: defaultdict[tuple[object, ...], list[int]] = defaultdict(list)

    def _is_bad(self, kind: str) -> bool:
        bad = super()._is_bad(kind)
        frame: FrameType | None = sys._getframe()
        place: list[object] = [kind]
        while frame is not None:
            place += (frame.f_code, frame.f_lineno)
            frame = frame.f_back
        self.numbers[tuple(place)].append(self.count)
        return bad


def telling_operations(act: Callable[[], object], error: int, *, for_good: bool) -> list[int]:
    """Which N to try: of each place in the code that is operated from, the first, the middle and the last
    operation of an undisturbed ``act``; a loop's others meet the same code. Then one that nothing reaches."""
    places = _Places(error, for_good=for_good)
    with patch.object(disk, "operations", places):
        act()
    chosen = {numbers[at] for numbers in places.numbers.values() for at in (0, len(numbers) // 2, -1)}
    return [*sorted(chosen), places.count + 10]


class ShortWrites(disk.DiskOperations):
    """Takes a third of what it is given, at least a byte."""

    def write(self, descriptor: int, data: bytes | memoryview) -> int:
        return super().write(descriptor, data[: max(1, len(data) // 3)])
