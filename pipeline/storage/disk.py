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
import stat
from collections.abc import Iterable, Iterator
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

    def unlink(self, path: Path) -> None:
        path.unlink(missing_ok=True)

    def mkdir(self, folder: Path) -> None:
        folder.mkdir(mode=FOLDER_MODE)


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


def sync_folder(folder: Path) -> None:
    """Make renames in ``folder`` durable."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        operations.fsync(descriptor)
    finally:
        os.close(descriptor)


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
def new_file(path: Path, *, mode: int = FILE_MODE) -> Iterator[int]:
    """A descriptor for a new file at ``path``, removed again if the block fails.

    A link at ``path`` is not followed.
    """
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC, mode)
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
            discard(temporary)
            raise
        if durable:
            sync_folder(path.parent)
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
    """
    make_folder(path.parent)
    try:
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW | os.O_CLOEXEC
        descriptor = os.open(path, flags, FILE_MODE)
        try:
            write_all(descriptor, (b"\n" if is_torn(path) else b"") + line)
            operations.fsync(descriptor)
        finally:
            os.close(descriptor)
    except OSError as error:
        raise storage_fault(error, path) from error
