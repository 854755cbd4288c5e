"""Replace a file all or nothing: temporary file beside it, fsync, rename, fsync of the directory.

The engine has a hand of its own for its outputs; this one is for what the console writes on
request: reports for CI and textfiles for a metrics collector.
"""

from __future__ import annotations

import contextlib
import os
import secrets
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

from pipeline.contracts.faults import Fault, StorageError

# Another user's collector has to read them; the umask may take that away.
FILE_MODE = 0o644


def write_atomically(path: Path, data: bytes, *, mode: int = FILE_MODE) -> None:
    """``path`` holds ``data``, or what it held before. Raises StorageError."""
    write_with(path, lambda file: _write(file, data), mode=mode)


def _write(file: BinaryIO, data: bytes) -> None:
    file.write(data)


def write_with(path: Path, fill: Callable[[BinaryIO], None], *, mode: int = FILE_MODE) -> None:
    """As ``write_atomically``, for content that ``fill`` writes piece by piece."""
    # A leading dot and another ending: a collector must not read it half written.
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}.tmp")
    try:
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
        with os.fdopen(os.open(temporary, flags, mode), "wb") as file:
            fill(file)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
        folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
    except OSError as error:
        raise StorageError(
            Fault(
                "report_refused",
                f"{path} could not be written: {error.strerror or error}.",
                "What stood there before is in place.",
                "Look at the disk and its permissions, then run the same command again.",
                file=str(path),
            )
        ) from error
    finally:
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)
