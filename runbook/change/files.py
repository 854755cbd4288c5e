"""Touch files of a workspace without being led out of it.

Every path is relative to the workspace and walked folder by folder with ``O_NOFOLLOW``, so that
neither a link that lies there nor one that is put there meanwhile is followed. A write is a
temporary file, fsync, rename, fsync of the folder. A rename never overwrites.
"""

from __future__ import annotations

import contextlib
import ctypes
import errno
import hashlib
import os
import secrets
import stat
from collections.abc import Iterable, Iterator
from pathlib import Path, PurePosixPath

from runbook.change.plan import ABSENT, FileState
from runbook.wizard.refusals import refused

_PIECE = 2**20
_RENAME_NOREPLACE = 1
# What no plan may touch, whoever consents: the repository itself.
_FORBIDDEN = (".git",)


def checked(relative: str) -> PurePosixPath:
    """``relative`` as a plain path below the workspace. Raises RefusedError."""
    path = PurePosixPath(relative)
    odd = not relative or "\0" in relative or path.is_absolute() or ".." in path.parts or not path.parts
    if odd or str(path) != relative:
        raise refused(
            "path_outside", f"{relative!r} is not a path inside the workspace.", "Name a file below its root."
        )
    if any(part.lower() in _FORBIDDEN for part in path.parts):
        raise refused("path_forbidden", f"{relative} belongs to git itself.", "Repair it with git.")
    return path


@contextlib.contextmanager
def parent_of(root: Path, relative: str, *, make: list[str] | None = None) -> Iterator[tuple[int, str]]:
    """The open folder that holds ``relative``, and the name in it. Raises RefusedError, FileNotFoundError.

    With ``make``, missing folders are created and their paths added to it, outermost first.
    """
    path = checked(relative)
    descriptor = os.open(root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        for index, part in enumerate(path.parts[:-1]):
            here = "/".join(path.parts[: index + 1])
            descriptor = _step(descriptor, part, here, make)
        yield descriptor, path.parts[-1]
    finally:
        os.close(descriptor)


def _step(descriptor: int, part: str, here: str, make: list[str] | None) -> int:
    flags = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
    try:
        below = os.open(part, flags, dir_fd=descriptor)
    except FileNotFoundError:
        if make is None:
            raise
        os.mkdir(part, 0o755, dir_fd=descriptor)  # the umask has its say
        os.fsync(descriptor)
        make.append(here)
        below = os.open(part, flags, dir_fd=descriptor)
    except OSError as error:
        if error.errno in (errno.ELOOP, errno.ENOTDIR):
            raise _not_plain(here, "a link or no folder") from error
        raise
    os.close(descriptor)
    return below


def _not_plain(path: str, what: str) -> Exception:
    return refused(
        "not_a_plain_file",
        f"{path} is {what}; the runbook touches plain files only.",
        f"Look at it: ls -ld {path}. Put a plain file there, or take it away, then plan again.",
        path,
    )


def state_of(root: Path, relative: str) -> FileState:
    """Digest, size and mode of a file, ABSENT where there is none. Raises RefusedError, OSError."""
    try:
        with parent_of(root, relative) as (folder, name):
            descriptor = _open_plain(folder, name, relative)
            try:
                status = os.fstat(descriptor)
                return FileState(
                    sha256=_digest(descriptor), bytes=status.st_size, mode=stat.S_IMODE(status.st_mode)
                )
            finally:
                os.close(descriptor)
    except FileNotFoundError:
        return ABSENT


def _open_plain(folder: int, name: str, relative: str) -> int:
    # O_NONBLOCK: a named pipe in its place would block whoever opens it.
    flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
    try:
        descriptor = os.open(name, flags, dir_fd=folder)
    except OSError as error:
        if error.errno == errno.ELOOP:
            raise _not_plain(relative, "a link") from error
        raise
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise _not_plain(relative, "no plain file")
    return descriptor


def _digest(descriptor: int) -> str:
    digest = hashlib.sha256()
    while piece := os.read(descriptor, _PIECE):
        digest.update(piece)
    return digest.hexdigest()


def prefix_digest(root: Path, relative: str, size: int) -> str | None:
    """SHA-256 of the first ``size`` bytes; None when the file is shorter."""
    digest = hashlib.sha256()
    with parent_of(root, relative) as (folder, name):
        descriptor = _open_plain(folder, name, relative)
        try:
            while size and (piece := os.read(descriptor, min(_PIECE, size))):
                digest.update(piece)
                size -= len(piece)
        finally:
            os.close(descriptor)
    return None if size else digest.hexdigest()


def read_bytes(root: Path, relative: str) -> bytes:
    """The file's bytes, without following links. Raises RefusedError, OSError."""
    with parent_of(root, relative) as (folder, name):
        descriptor = _open_plain(folder, name, relative)
        with os.fdopen(descriptor, "rb") as file:
            return file.read()


def write_bytes(root: Path, relative: str, data: bytes, mode: int) -> list[str]:
    """Put ``data`` at ``relative`` with just ``mode``, all or nothing; returns the folders it made."""
    made: list[str] = []
    with parent_of(root, relative, make=made) as (folder, name):
        temporary = f".{name[:200]}.{secrets.token_hex(4)}.tmp"
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
        descriptor = os.open(temporary, flags, 0o600, dir_fd=folder)
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(data)
                file.flush()
                os.fchmod(file.fileno(), mode)
                os.fsync(file.fileno())
            os.rename(temporary, name, src_dir_fd=folder, dst_dir_fd=folder)
        except BaseException:
            with contextlib.suppress(OSError):
                os.unlink(temporary, dir_fd=folder)
            raise
        os.fsync(folder)
    return made


def append_bytes(root: Path, relative: str, data: bytes) -> None:
    """Append with a single write call, and sync. Raises OSError."""
    with parent_of(root, relative, make=[]) as (folder, name):
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW | os.O_CLOEXEC
        descriptor = os.open(name, flags, 0o600, dir_fd=folder)
        try:
            if os.write(descriptor, data) != len(data):
                raise OSError(errno.EIO, "short write")
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        os.fsync(folder)


def truncate(root: Path, relative: str, size: int) -> None:
    with parent_of(root, relative) as (folder, name):
        descriptor = os.open(name, os.O_WRONLY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=folder)
        try:
            os.ftruncate(descriptor, size)
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def remove(root: Path, relative: str, folders: tuple[str, ...] = ()) -> None:
    """Take a file away, then each of ``folders`` that is empty. Raises OSError."""
    with parent_of(root, relative) as (folder, name):
        os.unlink(name, dir_fd=folder)
        os.fsync(folder)
    for each in folders:
        with contextlib.suppress(OSError), parent_of(root, each) as (folder, name):
            os.rmdir(name, dir_fd=folder)
            os.fsync(folder)


def rename_new(root: Path, source: str, target: str) -> None:
    """Rename ``source`` to ``target``, which must be free. Raises FileExistsError, OSError.

    Another file system is an error (EXDEV), never a copy: the bytes stay where they are.
    """
    with parent_of(root, source) as (from_folder, from_name), parent_of(root, target) as (to_folder, to_name):
        _rename_noreplace(from_folder, from_name, to_folder, to_name)
        os.fsync(to_folder)
        os.fsync(from_folder)


def _rename_noreplace(from_folder: int, from_name: str, to_folder: int, to_name: str) -> None:
    try:
        call = ctypes.CDLL(None, use_errno=True).renameat2
    except AttributeError:
        call = None
    if call is not None:
        done = call(from_folder, os.fsencode(from_name), to_folder, os.fsencode(to_name), _RENAME_NOREPLACE)
        if done == 0:
            return
        number = ctypes.get_errno()
        if number not in (errno.EINVAL, errno.ENOSYS):
            raise OSError(number, os.strerror(number), to_name)
    # Where the kernel or the file system cannot: a link refuses to overwrite as well, and the
    # bytes have a name at every moment.
    os.link(from_name, to_name, src_dir_fd=from_folder, dst_dir_fd=to_folder, follow_symlinks=False)
    os.unlink(from_name, dir_fd=from_folder)


def files_below(root: Path, names: Iterable[str]) -> list[str]:
    """Every plain file at or below ``names``, which may be patterns; sorted, links are left out."""
    found: list[str] = []
    tops: list[Path] = []
    for name in names:
        tops += root.glob(name) if "*" in name else [root / name]
    for top in tops:
        if top.is_symlink():
            continue
        if top.is_file():
            found.append(top.relative_to(root).as_posix())
        for folder, folders, files in os.walk(top):
            folders[:] = [each for each in folders if not (Path(folder) / each).is_symlink()]
            for file in files:
                path = Path(folder) / file
                if path.is_file() and not path.is_symlink():
                    found.append(path.relative_to(root).as_posix())
    return sorted(set(found))
