"""A number with its noun: ``1 finding``, ``1,204 findings``."""

from __future__ import annotations


def plural(value: int, noun: str, rest: str = "") -> str:
    """``noun`` takes an ``s`` unless there is exactly one; ``rest`` follows it after a space."""
    return f"{value:,} {noun}{'' if value == 1 else 's'}{f' {rest}' if rest else ''}"


def differ(files: int, rest: str) -> str:
    """``1 file differs from v1``, ``2 files differ from v1``."""
    return plural(files, "file", f"{'differs' if files == 1 else 'differ'} {rest}")
