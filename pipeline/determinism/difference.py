"""Find the first stage and row in which two workspaces' outputs differ.

Files are compared byte by byte, in the order in which the stages write them: a row that came out
differently in P2 explains every difference after it. Nothing here asks run_hash, which may be
what is wrong.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from itertools import zip_longest
from pathlib import Path, PurePosixPath
from typing import Any, BinaryIO

import orjson

from pipeline.contracts import paths
from pipeline.contracts.untrusted import visible
from pipeline.platform import disk

SHOWN_CHARACTERS = 300
_BLOCK_BYTES = 1 << 20


@dataclass(frozen=True)
class Difference:
    """``line`` is 1-based, None when a whole file is missing; the texts are cut and made visible.

    ``fields`` are the names of the members that differ, with dots where they lie deeper.
    """

    stage: str
    file: str
    line: int | None
    first_run: str
    second_run: str
    first: str
    second: str
    fields: tuple[str, ...]

    def to_dict(self) -> dict[str, Any]:
        return {**asdict(self), "fields": list(self.fields)}


def outputs_in_order(streams: Sequence[str]) -> list[tuple[str, PurePosixPath]]:
    """Every output with the stage that writes it, earliest first."""
    return [
        *(("materialize", paths.evidence_file(name)) for name in streams),
        ("materialize", paths.DISTILLATION_SKIPS),
        *(("score", paths.scored_file(name)) for name in streams),
        ("export", paths.RAG_EXPORT),
        ("export", paths.SFT_EXPORT),
        ("export", paths.PREFERENCE_EXPORT),
        ("export", paths.RAG_QUARANTINE),
        ("export", paths.SFT_QUARANTINE),
        ("export", paths.PREFERENCE_QUARANTINE),
    ]


def first_difference(
    first: tuple[str, Path], second: tuple[str, Path], outputs: Sequence[tuple[str, PurePosixPath]]
) -> Difference | None:
    """``first`` and ``second`` are a run's name and its workspace. Raises OSError."""
    for stage, relative in outputs:
        one, other = first[1] / relative, second[1] / relative
        if not one.exists() and not other.exists():
            continue
        if one.exists() != other.exists():
            there = ("there", "missing") if one.exists() else ("missing", "there")
            return Difference(stage, str(relative), None, first[0], second[0], *there, ())
        with disk.open_to_read(one) as a, disk.open_to_read(other) as b:
            found = None if _same_bytes(a, b) else _first_line(a, b)
        if found is not None:
            number, left, right = found
            return Difference(
                stage, str(relative), number, first[0], second[0], _shown(left), _shown(right),
                differing_fields(left, right),
            )  # fmt: skip
    return None


def _same_bytes(first: BinaryIO, second: BinaryIO) -> bool:
    while True:
        left, right = first.read(_BLOCK_BYTES), second.read(_BLOCK_BYTES)
        if left != right:
            return False
        if not left:
            return True


def _first_line(first: BinaryIO, second: BinaryIO) -> tuple[int, bytes | None, bytes | None] | None:
    first.seek(0)
    second.seek(0)
    for number, (left, right) in enumerate(zip_longest(first, second), start=1):
        if left != right:
            return number, left, right
    return None


def _shown(line: bytes | None) -> str:
    if line is None:
        return "no such line"
    return visible(line.rstrip(b"\n").decode(errors="replace"), SHOWN_CHARACTERS)


def differing_fields(first: bytes | None, second: bytes | None) -> tuple[str, ...]:
    """The members in which two rows differ; none when one of the lines is no row."""
    try:
        left, right = orjson.loads(first or b""), orjson.loads(second or b"")
    except orjson.JSONDecodeError:
        return ()
    return tuple(_differing(left, right, ""))


def _differing(left: Any, right: Any, prefix: str) -> list[str]:
    if not (isinstance(left, dict) and isinstance(right, dict)):
        return [prefix] if prefix and left != right else []
    names: list[str] = []
    for key in dict.fromkeys((*left, *right)):
        place = f"{prefix}.{key}" if prefix else key
        if (key in left) != (key in right):
            names.append(place)
        elif left[key] != right[key]:
            names += _differing(left[key], right[key], place)
    # Equal members in another order are another row all the same.
    return names or ([f"{prefix or 'row'} (order of members)"] if list(left) != list(right) else [])
