"""The one hand that writes, syncs, renames and links: every durable change goes through here.

Having a single door makes two promises testable: each write is atomic (temporary file, fsync,
rename, fsync of the directory), and a disk that fails at the N-th operation leaves the old
bytes intact. Tests replace ``operations`` by one that fails on purpose.

Failures of the operating system become ``StorageError`` with what was kept safe.
"""

from __future__ import annotations

import contextlib
import errno
import os
from collections.abc import Iterator
from pathlib import Path

from pipeline.contracts.faults import Fault, StorageError

# Copies of data are private: only the operator who runs the engine reads them.
FILE_MODE = 0o600
FOLDER_MODE = 0o700


class DiskOperations:
    """The system calls that change a disk. Replaced as a whole by fault-injecting tests."""

    def write(self, descriptor: int, data: bytes | memoryview) -> int:
        return os.write(descriptor, data)

    def fsync(self, descriptor: int) -> None:
        os.fsync(descriptor)

    def replace(self, source: Path, target: Path) -> None:
        source.replace(target)

    def link(self, source: Path, target: Path) -> None:
        os.link(source, target)


operations = DiskOperations()


def storage_fault(
    error: OSError, path: Path, kept_safe: str = "The previous file is in place."
) -> StorageError:
    """The operator's view of an OSError on ``path``."""
    code, do_next = {
        errno.ENOSPC: ("disk_full", "Free some space, then run the same command again."),
        errno.EDQUOT: ("quota_exceeded", "Free some space in your quota, then run the command again."),
        errno.EROFS: ("read_only", "Make the file system writable, then run the command again."),
        errno.EACCES: ("no_permission", "Give yourself write permission there, then run the command again."),
        errno.EPERM: ("no_permission", "Give yourself write permission there, then run the command again."),
    }.get(error.errno or 0, ("disk_error", "Check the disk (dmesg, df), then run the same command again."))
    free = ""
    if code == "disk_full":
        with contextlib.suppress(OSError):
            stats = os.statvfs(path.parent if path.parent.exists() else Path("/"))
            free = f", {stats.f_bavail * stats.f_frsize:,} bytes free"
    return StorageError(
        Fault(
            code=code,
            what_happened=f"{path} could not be written: {error.strerror or error}{free}.",
            kept_safe=kept_safe,
            do_next=do_next,
            file=str(path),
        )
    )


def write_all(descriptor: int, data: bytes | memoryview) -> None:
    """Write every byte; a short write is continued, an error is raised as OSError."""
    view = memoryview(data)
    while view:
        written = operations.write(descriptor, view)
        if written <= 0:
            raise OSError(errno.EIO, "short write")
        view = view[written:]


def make_folder(folder: Path) -> None:
    """Create ``folder`` and its parents, private to the operator where new."""
    try:
        folder.mkdir(mode=FOLDER_MODE, parents=True, exist_ok=True)
    except OSError as error:
        raise storage_fault(error, folder) from error


def sync_folder(folder: Path) -> None:
    """Make renames in ``folder`` durable."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        operations.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextlib.contextmanager
def new_file(path: Path, *, mode: int = FILE_MODE) -> Iterator[int]:
    """A descriptor for a new file at ``path``, removed again if the block fails."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, mode)
    try:
        yield descriptor
    except BaseException:
        os.close(descriptor)
        path.unlink(missing_ok=True)
        raise
    os.close(descriptor)


def write_file(path: Path, data: bytes, *, mode: int = FILE_MODE, durable: bool = True) -> None:
    """Put ``data`` at ``path`` all or nothing. Raises StorageError; the old bytes then stay."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    make_folder(path.parent)
    try:
        with new_file(temporary, mode=mode) as descriptor:
            write_all(descriptor, data)
            if durable:
                operations.fsync(descriptor)
        try:
            operations.replace(temporary, path)
        except OSError:
            temporary.unlink(missing_ok=True)
            raise
        if durable:
            sync_folder(path.parent)
    except OSError as error:
        raise storage_fault(error, path) from error


def append_line(path: Path, line: bytes) -> None:
    """Append one whole line durably; a torn last line of an earlier writer is closed first.

    The torn piece stays readable as a line of its own, so that it never fuses with this one.
    """
    make_folder(path.parent)
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, FILE_MODE)
        try:
            size = os.fstat(descriptor).st_size
            torn = size > 0 and os.pread(descriptor, 1, size - 1) != b"\n"
            write_all(descriptor, (b"\n" if torn else b"") + line)
            operations.fsync(descriptor)
        finally:
            os.close(descriptor)
    except OSError as error:
        raise storage_fault(error, path) from error
