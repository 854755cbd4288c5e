"""A number with its noun: ``1 finding``, ``1,204 findings``."""

from __future__ import annotations


def plural(value: int, noun: str, rest: str = "") -> str:
    """``noun`` takes an ``s`` unless there is exactly one; ``rest`` follows it after a space."""
    return f"{value:,} {noun}{'' if value == 1 else 's'}{f' {rest}' if rest else ''}"
