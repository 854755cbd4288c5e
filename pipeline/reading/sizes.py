"""PURE: how many bytes, in a few words."""

from __future__ import annotations


def size_words(size: int | None) -> str:
    """``512 B``, ``4.5 MB``."""
    if size is None:
        return "-"
    if size < 10_000:
        return f"{size:,} B"
    return f"{size / 1e6:,.1f} MB" if size >= 1_000_000 else f"{size / 1e3:,.1f} kB"
