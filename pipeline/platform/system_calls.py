"""The system calls that change a disk, in one object that tests replace as a whole."""

from __future__ import annotations

import contextlib
import errno
import os
from pathlib import Path

Name = Path | str
_RENAME_NOREPLACE = 1
_AT_FDCWD = -100


class DiskOperations:
    """Write, sync, rename, link, remove.

    Names are relative to the open folder that is given with them, else to the process's own.
    """

    def write(self, descriptor: int, data: bytes | memoryview) -> int:
        return os.write(descriptor, data)

    def fsync(self, descriptor: int) -> None:
        os.fsync(descriptor)

    def truncate(self, descriptor: int, size: int) -> None:
        os.ftruncate(descriptor, size)

    def replace(
        self, source: Name, target: Name, *, source_in: int | None = None, target_in: int | None = None
    ) -> None:
        os.replace(source, target, src_dir_fd=source_in, dst_dir_fd=target_in)

    def link(
        self, source: Name, target: Name, *, source_in: int | None = None, target_in: int | None = None
    ) -> None:
        os.link(source, target, src_dir_fd=source_in, dst_dir_fd=target_in, follow_symlinks=False)

    def rename_new(
        self, source: Name, target: Name, *, source_in: int | None = None, target_in: int | None = None
    ) -> None:
        """Rename to a name that must be free. Raises FileExistsError; EXDEV, never a copy."""
        import ctypes  # late: it is slow to start

        call = getattr(ctypes.CDLL(None, use_errno=True), "renameat2", None)
        if call is not None:
            old = _AT_FDCWD if source_in is None else source_in
            new = _AT_FDCWD if target_in is None else target_in
            if call(old, os.fsencode(source), new, os.fsencode(target), _RENAME_NOREPLACE) == 0:
                return
            number = ctypes.get_errno()
            if number not in (errno.EINVAL, errno.ENOSYS):
                raise OSError(number, os.strerror(number), str(target))
        # Where the kernel or the file system cannot: a link refuses to overwrite as well, and the
        # bytes have a name at every moment.
        os.link(source, target, src_dir_fd=source_in, dst_dir_fd=target_in, follow_symlinks=False)
        os.unlink(source, dir_fd=source_in)

    def unlink(self, path: Name, *, inside: int | None = None) -> None:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(path, dir_fd=inside)

    def mkdir(self, folder: Name, *, mode: int = 0o700, inside: int | None = None) -> None:
        os.mkdir(folder, mode, dir_fd=inside)

    def rmdir(self, folder: Name, *, inside: int | None = None) -> None:
        os.rmdir(folder, dir_fd=inside)
