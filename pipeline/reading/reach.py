"""Why something cannot be read, in words: gone or refused, and which path it is that says so.

The system names the path that was asked for, and refuses it for the sake of a folder above. An
operator needs that folder.
"""

from __future__ import annotations

import errno
import os
from pathlib import Path

GONE = (errno.ENOENT, errno.ENOTDIR)
_REFUSED = (errno.EACCES, errno.EPERM)


def check_folder(folder: Path) -> None:
    """Raises the system's OSError when ``folder`` cannot be listed, or not be passed through."""
    with os.scandir(folder):
        (folder / ".").stat()


def in_words(error: OSError, folder: Path) -> str:
    """One sentence for an error that reading ``folder``, or something in it, ran into."""
    path = Path(os.fsdecode(error.filename)) if isinstance(error.filename, (str, bytes)) else folder
    if error.errno in _REFUSED:
        return f"permission denied on {_refusing(path)}"
    if error.errno in GONE and not _stands(folder):
        missing = next(place for place in (*reversed(folder.parents), folder) if not _stands(place))
        above = "" if missing == folder else f", with {missing}"
        return f"{folder} was removed, moved or unmounted{above}"
    inside = path != folder and path.is_relative_to(folder)  # an operator knows which workspace it is
    return f"{path.relative_to(folder) if inside else path}: {error.strerror or error}"


def _stands(path: Path) -> bool:
    """Whether it is there; what may not be looked at is taken to be."""
    try:
        path.stat()
    except OSError as error:
        return error.errno not in GONE
    return True


def _refusing(path: Path) -> Path:
    """The highest folder on the way that may not be passed through, else the path itself."""
    return next((place for place in reversed(path.parents) if not os.access(place, os.X_OK)), path)
