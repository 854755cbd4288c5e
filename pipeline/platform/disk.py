"""The one hand that writes, syncs, renames and links: every durable change goes through here.

Having a single door makes two promises testable: each write is atomic (temporary file beside,
fsync, rename, fsync of the folder), and a disk that fails at the N-th operation leaves the old
bytes intact. Tests replace ``operations`` by one that fails on purpose.

Paths here are taken as they are: a place that an operator named, or one whose folders were
looked at. Below a workspace, ``confined`` walks to the folder without following a link.
"""

from __future__ import annotations

import contextlib
import errno
import io
import os
import stat
from collections.abc import Iterable, Iterator
from functools import partial
from pathlib import Path
from typing import BinaryIO, cast

from pipeline.platform.disk_faults import (
    NotPlainError,
    TooLargeError,
    UnsyncedError,
    storage_fault,
    unreadable,
)
from pipeline.platform.system_calls import DiskOperations as DiskOperations

# Copies of data are private: only the operator who runs the engine reads them.
FILE_MODE = 0o600
FOLDER_MODE = 0o700
# What others read: reports for CI, textfiles for a collector. The umask has its say.
SHARED_MODE = 0o644

# More than any file that is read as a whole comes to: the state of a run over terabytes has some megabytes.
MOST_WHOLE_BYTES = 2**30
# Four times the longest line of a source; of a row no more is made.
MOST_LINE_BYTES = 64 * 2**20

_NEW = os.O_WRONLY | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC


def open_plain(path: Path) -> int:
    """A descriptor to read a plain file, or what a link to one leads to.

    Raises NotPlainError for what would block, as a named pipe does, and OSError.
    """
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise NotPlainError(str(path), "no plain file")
    return descriptor


def open_to_read(path: Path) -> io.BufferedReader:
    """The file that ``open_plain`` opens."""
    return os.fdopen(open_plain(path), "rb")


def read_plain(path: Path) -> bytes:
    """All bytes of a plain file. Raises as ``open_plain``, and TooLargeError."""
    with open_to_read(path) as file:
        return read_whole(file, path)


def read_whole(file: BinaryIO, path: Path) -> bytes:
    """All bytes of an open file. Raises TooLargeError before any is read, and OSError."""
    size = os.fstat(file.fileno()).st_size
    if size > MOST_WHOLE_BYTES:
        said = f"it has {size:,} bytes; at most {MOST_WHOLE_BYTES:,} are read at once"
        raise TooLargeError(errno.EFBIG, said, str(path))
    return file.read()


def lines_in(file: BinaryIO, path: Path) -> Iterator[bytes]:
    """The lines of a file of rows, each with its line end. Raises TooLargeError as soon as one is longer
    than any row, and OSError."""
    for number, line in enumerate(iter(partial(file.readline, MOST_LINE_BYTES + 1), b""), start=1):
        if len(line) > MOST_LINE_BYTES:
            said = f"line {number:,} is over {MOST_LINE_BYTES // 2**20} MiB"
            raise TooLargeError(errno.EFBIG, said, str(path))
        yield line


operations = DiskOperations()


def read_some(descriptor: int, most_bytes: int, path: Path) -> bytes:
    """Up to ``most_bytes`` of the open file ``path``, empty at its end. Raises UnreadableError."""
    try:
        return os.read(descriptor, most_bytes)
    except OSError as error:
        raise unreadable(error, path) from error


def write_all(descriptor: int, data: bytes | bytearray | memoryview) -> None:
    """Write every byte; a short write is continued, an error is raised as OSError."""
    view = memoryview(data)
    while view:
        written = operations.write(descriptor, view)
        if written <= 0:
            raise OSError(errno.EIO, "short write")
        view = view[written:]


class _Sink(io.RawIOBase):
    """Passes on what is written as operations of ours."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor

    def writable(self) -> bool:
        return True

    def write(self, data: bytes | memoryview, /) -> int:  # type: ignore[override]
        view = memoryview(data).cast("B")
        write_all(self._descriptor, view)
        return len(view)


def as_file(descriptor: int) -> BinaryIO:
    """``descriptor`` as an unbuffered file for a library (tar, gzip) to write to. It stays open."""
    return cast("BinaryIO", _Sink(descriptor))


def make_folder(folder: Path) -> None:
    """Create ``folder`` and its parents, each private to the operator where new."""
    try:
        _make_folder(folder)
    except OSError as error:
        raise storage_fault(error, folder) from error


def _make_folder(folder: Path) -> None:
    # Not mkdir(parents=True): it makes the parents with whatever the umask leaves open.
    if folder.is_dir():
        return
    if folder.parent != folder:
        _make_folder(folder.parent)
    try:
        operations.mkdir(folder)
    except FileExistsError:
        if not folder.is_dir():  # else another process was quicker
            raise


@contextlib.contextmanager
def open_folder(folder: Path) -> Iterator[int]:
    """A descriptor of ``folder``. Raises OSError."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def sync_folder(folder: Path) -> None:
    """Make renames in ``folder`` durable."""
    with open_folder(folder) as descriptor:
        operations.fsync(descriptor)


def sync_folders(folders: Iterable[Path], top: Path) -> None:
    """Make renames in ``folders`` durable, and the folders themselves, up to ``top``."""
    synced: set[Path] = set()
    for folder in folders:
        for place in (folder, *folder.parents):
            if place in synced or not place.is_relative_to(top):
                break
            sync_folder(place)
            synced.add(place)


@contextlib.contextmanager
def new_file(path: Path) -> Iterator[int]:
    """A descriptor for a new file at ``path``, removed again if the block fails.

    A link at ``path`` is not followed.
    """
    descriptor = os.open(path, _NEW | os.O_TRUNC, FILE_MODE)
    try:
        yield descriptor
    except BaseException:
        os.close(descriptor)
        discard(path)
        raise
    os.close(descriptor)


def discard(path: Path) -> None:
    """Remove a file that nothing refers to; when even that fails, it is harmless."""
    with contextlib.suppress(OSError):
        operations.unlink(path)


@contextlib.contextmanager
def replacing(path: Path, *, mode: int = FILE_MODE, durable: bool = True) -> Iterator[int]:
    """A descriptor; what the block wrote to it stands at ``path`` when it ends, all or nothing.

    Raises OSError, and what the block raises; the old bytes then stay. ``durable`` syncs the file
    and its folder.
    """
    with (
        open_folder(path.parent) as folder,
        replacing_in(folder, path.name, mode=mode, durable=durable) as descriptor,
    ):
        yield descriptor


def random_part() -> str:
    """The part of a name that nobody foresees. As ``secrets`` draws it, which is slow to import."""
    return os.urandom(4).hex()


@contextlib.contextmanager
def replacing_in(
    folder: int, name: str, *, mode: int = FILE_MODE, exact_mode: bool = False, durable: bool = True
) -> Iterator[int]:
    """``replacing`` in an open folder. With ``exact_mode`` the umask has no say."""
    # A leading dot and another ending: no collector and no glob of ours reads it half written.
    temporary = f".{name[:200]}.{random_part()}.tmp"
    descriptor = os.open(temporary, _NEW | os.O_EXCL, FILE_MODE if exact_mode else mode, dir_fd=folder)
    try:
        try:
            yield descriptor
            if exact_mode:
                os.fchmod(descriptor, mode)
            if durable:
                operations.fsync(descriptor)
        finally:
            os.close(descriptor)
        operations.replace(temporary, name, source_in=folder, target_in=folder)
    except BaseException:
        with contextlib.suppress(OSError):
            operations.unlink(temporary, inside=folder)
        raise
    if durable:
        try:
            operations.fsync(folder)
        except OSError as error:
            raise UnsyncedError(error.errno, error.strerror) from error


def write_file(path: Path, data: bytes, *, mode: int = FILE_MODE, parents: bool = True) -> None:
    """Put ``data`` at ``path`` all or nothing. Raises StorageError; the old bytes then stay."""
    if parents:
        make_folder(path.parent)
    try:
        with replacing(path, mode=mode) as descriptor:
            write_all(descriptor, data)
    except OSError as error:
        raise storage_fault(error, path) from error


def is_torn(path: Path) -> bool:
    """Whether ``path`` is a file whose last line was not finished. Raises OSError."""
    status = path.stat()
    if not stat.S_ISREG(status.st_mode) or status.st_size == 0:
        return False
    with path.open("rb") as file:
        file.seek(-1, os.SEEK_END)
        return file.read(1) != b"\n"


def append_line(path: Path, line: bytes) -> None:
    """Append one whole line durably; a torn last line of an earlier writer is closed first.

    The torn piece stays readable as a line of its own, so that it never fuses with this one.
    Raises StorageError.
    """
    make_folder(path.parent)
    try:
        with open_folder(path.parent) as folder:
            append_in(folder, path.name, line)
    except OSError as error:
        raise storage_fault(error, path) from error


def append_in(
    folder: int, name: str, data: bytes, *, close_torn_line: bool = True, durable: bool = True
) -> None:
    """Append to a file of an open folder; what a failed write left of ``data`` is cut off again.

    Raises OSError. Where even the cutting fails, the next line closes the torn piece.
    """
    flags = os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
    descriptor = os.open(name, flags, FILE_MODE, dir_fd=folder)
    try:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            raise NotPlainError(name, "no plain file")
        size = status.st_size
        torn = close_torn_line and size and os.pread(descriptor, 1, size - 1) != b"\n"
        try:
            write_all(descriptor, (b"\n" if torn else b"") + data)
            if durable:
                operations.fsync(descriptor)
        except OSError:
            with contextlib.suppress(OSError):
                _cut_off(descriptor, size, len(data) + bool(torn))
            raise
    finally:
        os.close(descriptor)
    if durable and not size:
        operations.fsync(folder)


def _cut_off(descriptor: int, size: int, most: int) -> None:
    # Not when there is more than we wrote: then another process appended behind us.
    if size < os.fstat(descriptor).st_size <= size + most:
        operations.truncate(descriptor, size)
