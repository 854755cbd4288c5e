"""Records that wait for the end of a run, by partition: a run's memory is then that of one partition.

What belongs together has one key and so one partition. Records of a partition come back in the order in
which they were put there. As long as they are few they stay in memory; beyond, they are one file below the
run's staging folder, which ends with the run, and with the next one after a kill.
"""

from __future__ import annotations

import os
from array import array
from collections.abc import Iterator
from pathlib import Path

from pipeline.contracts.faults import CHUNKS_KEPT
from pipeline.platform import disk, disk_faults

# At most 256. Ten million candidates of pairs are then 6 MB a partition.
PARTITIONS = 256
# In memory, of each spool.
KEPT_BYTES = 8 << 20
PIECE_BYTES = 16 << 10


class Spool:
    """Append a record to the buffer that ``of_byte`` has for a byte of its key, and ``settle`` now and then;
    read once all are there.

    ``path`` is the file that is made when memory does not hold the records; without one, it always does.
    Methods raise StorageError. Whoever gets a copy of it, also in another process, can read.
    """

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._descriptor = -1
        self._buffers = [bytearray() for _ in range(PARTITIONS)]
        self.of_byte = [self._buffers[byte % PARTITIONS] for byte in range(256)]
        # Where each partition's part of each flush begins in the file; the last number is the file's length.
        self._starts = array("Q", [0])

    @property
    def partitions(self) -> int:
        return len(self._buffers)

    def settle(self) -> None:
        """Write what is in memory, if it is too much."""
        if self._path is not None and sum(map(len, self._buffers)) > KEPT_BYTES:
            self._flush(self._path)

    def _flush(self, path: Path) -> None:
        try:
            if self._descriptor < 0:
                disk.make_folder(path.parent)
                flags = os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC
                self._descriptor = os.open(path, flags, disk.FILE_MODE)
            disk.write_all(self._descriptor, b"".join(self._buffers))
        except OSError as error:
            raise disk_faults.storage_fault(error, path, CHUNKS_KEPT) from error
        for buffer in self._buffers:
            self._starts.append(self._starts[-1] + len(buffer))
            buffer.clear()

    def partition(self, number: int) -> bytes:
        """All records of a partition."""
        is_in_memory = len(self._starts) == 1
        return bytes(self._buffers[number]) if is_in_memory else b"".join(self.pieces(number))

    def pieces(self, number: int) -> Iterator[bytes]:
        """All records of a partition, some bytes at a time, cut anywhere."""
        if self._path is not None:
            for flush in range(number, len(self._starts) - 1, len(self._buffers)):
                yield from self._read(self._path, self._starts[flush], self._starts[flush + 1])
        if self._buffers[number]:
            yield bytes(self._buffers[number])

    def _read(self, path: Path, at: int, end: int) -> Iterator[bytes]:
        try:
            if self._descriptor < 0:
                self._descriptor = disk.open_plain(path)
            while at < end:
                piece = os.pread(self._descriptor, min(end - at, PIECE_BYTES), at)
                if not piece:
                    raise OSError(f"{path} is shorter than it was")
                at += len(piece)
                yield piece
        except OSError as error:
            raise disk_faults.storage_fault(error, path, CHUNKS_KEPT, doing="read") from error

    def take(self) -> Iterator[bytes]:
        """Each partition in turn. Afterwards the spool is empty and its file gone."""
        for number, buffer in enumerate(self._buffers):
            yield self.partition(number)
            buffer.clear()
        self.discard()

    def discard(self) -> None:
        """Give back the room that the records take."""
        self._close()
        if self._path is not None and len(self._starts) > 1:
            disk.discard(self._path)
        del self._starts[1:]
        for buffer in self._buffers:
            buffer.clear()

    def _close(self) -> None:
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

    def __del__(self) -> None:
        self._close()

    def __getstate__(self) -> dict[str, object]:
        return {**self.__dict__, "_descriptor": -1}
