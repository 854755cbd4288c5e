"""When the C library gives freed memory back to the system: by itself it keeps most of it."""

from __future__ import annotations

import contextlib
import ctypes
import sys

_M_MMAP_THRESHOLD = -3
_LARGE_BLOCK_BYTES = 1 << 19


def return_large_blocks() -> None:
    """Have freed blocks of a megabyte given back at once.

    By default the library raises that size to whatever was freed last, and keeps what is below.
    """
    _call("mallopt", _M_MMAP_THRESHOLD, _LARGE_BLOCK_BYTES)


def give_back() -> None:
    """Give back what was freed in small blocks: after a chunk's rows, an output, the keys of all lines."""
    _call("malloc_trim", 0)


def _call(name: str, *arguments: int) -> None:
    if sys.platform == "linux":
        with contextlib.suppress(AttributeError):  # musl has neither
            getattr(ctypes.CDLL(None), name)(*arguments)
