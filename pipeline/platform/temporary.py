"""Folders and files that go again, in TMPDIR or /tmp. A place that takes none is a storage fault."""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from pipeline.contracts.faults import StorageError
from pipeline.contracts.untrusted import visible

_DO_NEXT = "Free some space there, or name another folder with TMPDIR, then run the same command again."


def temporary_place() -> Path:
    """The folder that temporary ones are made in. Raises StorageError where no folder takes a file."""
    with stored_there():
        return Path(tempfile.gettempdir())


@contextlib.contextmanager
def stored_there() -> Iterator[None]:
    """Say of the block's OSError that the temporary folder refused. Raises StorageError."""
    try:
        yield
    except OSError as error:
        raise StorageError.of(
            "no_temporary_folder",
            f"A temporary file could not be written: {visible(error.strerror or str(error), 300)}.",
            "Nothing of the workspace was changed.",
            _DO_NEXT,
        ) from error


def new_folder(prefix: str) -> Path:
    """A new folder that only this user may enter; the caller takes it away. Raises StorageError."""
    with stored_there():
        return Path(tempfile.mkdtemp(prefix=prefix))


@contextlib.contextmanager
def folder_for_now(prefix: str) -> Iterator[Path]:
    """The same, and it goes at the end of the block. Raises StorageError."""
    with stored_there():
        folder = tempfile.TemporaryDirectory(prefix=prefix)
    with folder as path:
        yield Path(path)


def file_without_name(folder: Path | None = None) -> BinaryIO:
    """An open file that goes when it is closed, in ``folder`` or the temporary one. Raises StorageError."""
    with stored_there():
        return tempfile.TemporaryFile(dir=folder)
