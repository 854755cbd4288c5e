"""How many rows: of one stream, of one export, and what must add up."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class StreamCounts:
    """Rows of one stream. None is "not recorded", which is not zero."""

    stream: str
    lines: int | None = None
    mapped: int | None = None
    looked_up: int | None = None
    skipped: int | None = None
    evidence: int | None = None
    accepted: int | None = None
    partially_accepted: int | None = None
    needs_human_review: int | None = None
    rejected: int | None = None


@dataclass(frozen=True, slots=True)
class ExportCounts:
    """``rows`` in the export, ``refused`` into quarantine; ``file_bytes`` as found on disk."""

    name: str
    rows: int | None = None
    refused: int | None = None
    file_bytes: int | None = None


@dataclass(frozen=True, slots=True)
class Balance:
    """One law of conservation as arithmetic: ``left`` = the sum of ``right``."""

    name: str
    left: int
    right: tuple[tuple[str, int], ...]

    @property
    def holds(self) -> bool:
        return self.left == sum(value for _, value in self.right)
