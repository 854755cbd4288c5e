"""The runbook's files of a workspace: what it may touch, and what state a file is in.

Reading and writing is ``platform.confined``'s: no link is followed, a write is all or nothing, a
rename never overwrites. A link in the way is refused here like a path that leads outside.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import stat
from collections.abc import Iterable, Iterator
from pathlib import Path, PurePosixPath

from pipeline.platform import confined
from pipeline.platform.disk_faults import NotPlainError
from runbook.change.plan import ABSENT, FileState
from runbook.change.refusals import refused

_PIECE = 2**20
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
def plain_only(relative: str) -> Iterator[None]:
    """Refuse ``relative`` where it leads outside, and a link or pipe on the way. Raises RefusedError."""
    checked(relative)
    try:
        yield
    except NotPlainError as error:
        raise refused(
            "not_a_plain_file",
            f"{error.place} is {error.what}; the runbook touches plain files only.",
            f"Look at it: ls -ld {error.place}. Put a plain file there, or take it away, then plan again.",
            error.place,
        ) from error


@contextlib.contextmanager
def _opened(root: Path, relative: str) -> Iterator[int]:
    with plain_only(relative), confined.opened(root, relative) as descriptor:
        yield descriptor


def state_of(root: Path, relative: str) -> FileState:
    """Digest, size and mode of a file, ABSENT where there is none. Raises RefusedError, OSError."""
    try:
        with _opened(root, relative) as descriptor:
            status = os.fstat(descriptor)
            digest, _ = _digest(descriptor, None)
            return FileState(sha256=digest, bytes=status.st_size, mode=stat.S_IMODE(status.st_mode))
    except FileNotFoundError:
        return ABSENT


def _digest(descriptor: int, size: int | None) -> tuple[str, int]:
    """SHA-256 of the first ``size`` bytes (None: of all), and how many there were."""
    digest = hashlib.sha256()
    taken = 0
    while piece := os.read(descriptor, _PIECE if size is None else min(_PIECE, size - taken)):
        digest.update(piece)
        taken += len(piece)
    return digest.hexdigest(), taken


def prefix_digest(root: Path, relative: str, size: int) -> str | None:
    """SHA-256 of the first ``size`` bytes; None when the file is shorter."""
    with _opened(root, relative) as descriptor:
        digest, taken = _digest(descriptor, size)
    return digest if taken == size else None


def read_bytes(root: Path, relative: str) -> bytes:
    """The file's bytes, without following links. Raises RefusedError, OSError."""
    with plain_only(relative):
        return confined.read_bytes(root, relative)


def write_bytes(root: Path, relative: str, data: bytes, mode: int) -> list[str]:
    """Put ``data`` at ``relative`` with just ``mode``, all or nothing; returns the folders it made."""
    with plain_only(relative):
        return confined.put(
            root, relative, data, mode=mode, exact_mode=True, folder_mode=confined.SHARED_FOLDER_MODE
        )


def make_folder(root: Path, relative: str) -> None:
    """Make a folder where it is missing. Raises RefusedError, OSError."""
    mode = confined.SHARED_FOLDER_MODE
    with plain_only(relative), confined.folder_of(root, f"{relative}/x", make=[], folder_mode=mode):
        pass


def append_bytes(root: Path, relative: str, data: bytes) -> None:
    """Append just ``data``, and sync. Raises RefusedError, OSError."""
    with plain_only(relative):
        confined.append(root, relative, data, close_torn_line=False)


def truncate(root: Path, relative: str, size: int) -> None:
    with plain_only(relative):
        confined.truncate(root, relative, size)


def remove(root: Path, relative: str, folders: tuple[str, ...] = ()) -> None:
    """Take a file away, then each of ``folders`` that is empty. Raises RefusedError, OSError."""
    with plain_only(relative):
        confined.remove(root, relative, folders)


def rename_new(root: Path, source: str, target: str) -> None:
    """Rename ``source`` to ``target``, which must be free. Raises FileExistsError, RefusedError, OSError."""
    with plain_only(source), plain_only(target):
        confined.rename_new(root, source, target)


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
