"""A number with its noun, ``1 finding``, ``1,204 findings``, and with a verb: ``1 row was``."""

from __future__ import annotations

_VOWELS = "aeiou"


def plural(value: int, noun: str, rest: str = "") -> str:
    """``noun`` takes an ``s`` unless there is exactly one; ``rest`` follows it after a space."""
    if value != 1:
        ends_in_ies = noun.endswith("y") and noun[-2] not in _VOWELS
        noun = f"{noun[:-1]}ies" if ends_in_ies else f"{noun}s"
    return f"{value:,} {noun}{f' {rest}' if rest else ''}"


def with_verb(value: int, noun: str, verb: str, rest: str = "") -> str:
    """``verb`` has both its forms, ``was/were``: ``1 row was left``, ``2 rows were left``."""
    one, many = verb.split("/")
    return plural(value, noun, f"{one if value == 1 else many}{f' {rest}' if rest else ''}")


def differ(files: int, rest: str) -> str:
    """``1 file differs from v1``, ``2 files differ from v1``."""
    return with_verb(files, "file", "differs/differ", rest)
