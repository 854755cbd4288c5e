"""How the firewall opens a file that it does not trust."""

from __future__ import annotations

import os
import stat
from pathlib import Path


class FileRefusedError(Exception):
    """A file that exists and is not read. The text says why."""


class FileMissingError(Exception):
    """There is no such file."""


def open_regular(path: Path) -> int:
    """A descriptor for a regular file. Raises FileMissingError or FileRefusedError.

    A pipe would block at open and a device could yield bytes for ever, hence O_NONBLOCK and the
    look at its kind afterwards.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    except (FileNotFoundError, NotADirectoryError):
        raise FileMissingError from None
    except OSError as error:
        raise FileRefusedError(error.strerror or "cannot be opened") from None
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise FileRefusedError("not a regular file")
    return descriptor
