"""A folder in memory where there is one: thousands of small files and syncs, and no wait for a disk."""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

_IN_MEMORY = Path("/dev/shm")  # noqa: S108 - mkdtemp makes a private folder there


@contextlib.contextmanager
def quick_folder() -> Iterator[Path]:
    """A private folder for the block."""
    place = _IN_MEMORY if os.access(_IN_MEMORY, os.W_OK) else None
    with tempfile.TemporaryDirectory(prefix="distill-test-", dir=place) as name:
        yield Path(name)
