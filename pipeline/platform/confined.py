"""Files below a workspace, walked to without following a link.

A workspace may be a clone of somebody's repository: a link planted where outputs go would send
them, and with them copies of the data, to any place that the operator may write. Every path is
relative to the workspace and walked folder by folder with ``O_NOFOLLOW``, so that neither a link
that lies there nor one that is put there meanwhile is followed. Sources are another matter
(``streams/files.py``).
"""

from __future__ import annotations

import contextlib
import errno
import os
import stat
from collections.abc import Iterable, Iterator
from pathlib import Path, PurePath

from pipeline.contracts.untrusted import visible
from pipeline.platform import disk, disk_faults
from pipeline.platform.disk_faults import NotPlainError

# Of folders that others read as well: the umask has its say.
SHARED_FOLDER_MODE = 0o755
_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC


@contextlib.contextmanager
def folder_of(
    root: Path,
    relative: PurePath | str,
    *,
    make: list[str] | None = None,
    folder_mode: int = disk.FOLDER_MODE,
) -> Iterator[tuple[int, str]]:
    """The open folder that holds ``relative``, and the name in it.

    With ``make``, missing folders are created and their paths added to it, outermost first.
    Raises NotPlainError for a link on the way, FileNotFoundError, OSError.
    """
    parts = PurePath(relative).parts
    if not parts or PurePath(relative).is_absolute() or ".." in parts:
        raise NotPlainError(str(root / relative), "no place inside the workspace")
    folder = os.open(root, _FOLDER)
    try:
        for index, part in enumerate(parts[:-1]):
            here = PurePath(*parts[: index + 1])
            below = _step(folder, part, root / here, make, folder_mode, here.as_posix())
            os.close(folder)
            folder = below
        yield folder, parts[-1]
    finally:
        os.close(folder)


def _step(folder: int, part: str, place: Path, make: list[str] | None, mode: int, here: str) -> int:
    try:
        return os.open(part, _FOLDER | os.O_NOFOLLOW, dir_fd=folder)
    except OSError as error:
        if make is None or not isinstance(error, FileNotFoundError):
            raise told(error, place) from error
    with contextlib.suppress(FileExistsError):  # another process was quicker
        disk.operations.mkdir(part, mode=mode, inside=folder)
        disk.operations.fsync(folder)
        make.append(here)
    try:
        return os.open(part, _FOLDER | os.O_NOFOLLOW, dir_fd=folder)
    except OSError as error:
        raise told(error, place) from error


def told(error: OSError, place: Path) -> OSError:
    """``error``, as NotPlainError where it says that ``place`` is a link or no folder."""
    error.filename = str(place)
    if error.errno not in (errno.ELOOP, errno.ENOTDIR):
        return error
    if place.is_symlink():
        with contextlib.suppress(OSError):
            return NotPlainError(str(place), f"a link to {visible(str(place.readlink()))}")
    return NotPlainError(str(place), "no folder")


def open_plain(folder: int, name: str, place: Path) -> int:
    """A descriptor to read the plain file ``name``. Raises NotPlainError, FileNotFoundError, and
    UnreadableError for what else refuses.
    """
    # O_NONBLOCK: a named pipe in its place would block whoever opens it.
    flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
    try:
        descriptor = os.open(name, flags, dir_fd=folder)
    except OSError as error:
        raise disk_faults.unreadable(told(error, place), place) from error
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise NotPlainError(str(place), "no plain file")
    return descriptor


@contextlib.contextmanager
def opened(root: Path, relative: PurePath | str) -> Iterator[int]:
    """A descriptor to read a plain file below ``root``. Raises as ``open_plain``."""
    with folder_of(root, relative) as (folder, name):
        descriptor = open_plain(folder, name, root / relative)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def read_bytes(root: Path, relative: PurePath | str) -> bytes:
    """The bytes of a plain file below ``root``. Raises as ``open_plain``."""
    with opened(root, relative) as descriptor, open(descriptor, "rb", closefd=False) as file:
        return disk.read_whole(file, root / relative)


def make_folder(root: Path, relative: PurePath | str) -> Path:
    """The folder ``relative``, made where it is missing. Raises StorageError."""
    try:
        with folder_of(root, PurePath(relative) / "x", make=[]):
            return root / relative
    except OSError as error:
        raise disk_faults.storage_fault(error, root / relative, "Nothing was written.") from error


def put(
    root: Path,
    relative: PurePath | str,
    data: bytes,
    *,
    mode: int = disk.FILE_MODE,
    exact_mode: bool = False,
    folder_mode: int = disk.FOLDER_MODE,
    durable: bool = True,
) -> list[str]:
    """Put ``data`` at ``relative`` all or nothing; returns the folders it made. Raises OSError."""
    made: list[str] = []
    with folder_of(root, relative, make=made, folder_mode=folder_mode) as (folder, name):
        if (root / relative).is_symlink():
            raise told(OSError(errno.ELOOP, ""), root / relative)
        with disk.replacing_in(folder, name, mode=mode, exact_mode=exact_mode, durable=durable) as descriptor:
            disk.write_all(descriptor, data)
    return made


def write_file(root: Path, relative: PurePath | str, data: bytes, *, mode: int = disk.FILE_MODE) -> None:
    """Put ``data`` at ``relative`` all or nothing. Raises StorageError; the old bytes then stay."""
    try:
        put(root, relative, data, mode=mode)
    except OSError as error:
        raise disk_faults.storage_fault(error, root / relative) from error


def append(
    root: Path, relative: PurePath | str, data: bytes, *, close_torn_line: bool = True, durable: bool = True
) -> None:
    """Append to a file below ``root``, as ``disk.append_in`` does. Raises OSError."""
    with folder_of(root, relative, make=[]) as (folder, name):
        try:
            disk.append_in(folder, name, data, close_torn_line=close_torn_line, durable=durable)
        except OSError as error:
            raise told(error, root / relative) from error


def append_line(root: Path, relative: PurePath | str, line: bytes) -> None:
    """Append one whole line durably; a torn last line is closed first. Raises StorageError."""
    try:
        append(root, relative, line)
    except OSError as error:
        raise disk_faults.storage_fault(
            error, root / relative, "The lines before it are in place."
        ) from error


def truncate(root: Path, relative: PurePath | str, size: int) -> None:
    """Cut a file to ``size`` bytes. Raises OSError."""
    with folder_of(root, relative) as (folder, name):
        descriptor = os.open(name, os.O_WRONLY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=folder)
        try:
            disk.operations.truncate(descriptor, size)
            disk.operations.fsync(descriptor)
        finally:
            os.close(descriptor)


def remove(root: Path, relative: PurePath | str, folders: Iterable[PurePath | str] = ()) -> None:
    """Take a file away, then each of ``folders`` that is empty. Raises OSError."""
    with folder_of(root, relative) as (folder, name):
        disk.operations.unlink(name, inside=folder)
        disk.operations.fsync(folder)
    for each in folders:
        with contextlib.suppress(OSError), folder_of(root, each) as (folder, name):
            disk.operations.rmdir(name, inside=folder)
            disk.operations.fsync(folder)


def rename_new(root: Path, source: PurePath | str, target: PurePath | str) -> None:
    """Rename ``source`` to ``target``, which must be free. Raises FileExistsError, OSError.

    Another file system is an error (EXDEV), never a copy: the bytes stay where they are.
    """
    with folder_of(root, source) as (old, name), folder_of(root, target) as (new, free_name):
        disk.operations.rename_new(name, free_name, source_in=old, target_in=new)
        disk.operations.fsync(new)
        disk.operations.fsync(old)


def refuse_links(workspace: Path, relatives: Iterable[PurePath | str]) -> None:
    """Raises StorageError when a component below ``workspace`` of any path is a link.

    What does not exist yet is fine. Paths are relative and have no ``..``.
    """
    looked_at: set[str] = set()
    for relative in relatives:
        place = str(workspace)
        for part in PurePath(relative).parts:
            place = f"{place}/{part}"
            if place in looked_at:
                continue
            looked_at.add(place)
            try:
                is_link = stat.S_ISLNK(os.lstat(place).st_mode)
            except OSError:
                break  # not there, or not to be looked at: whoever writes there will be told
            if is_link:
                refuse_link(Path(place))


def refuse_link(place: Path) -> None:
    """Raises StorageError when ``place`` itself is a link."""
    if place.is_symlink():
        raise disk_faults.storage_fault(told(OSError(errno.ELOOP, ""), place), place)
