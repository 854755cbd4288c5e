"""Read the members of written rows that the audit compares, and name the lines that have none.

Decoded by msgspec into narrow types, so that a row whose members are missing or of another type
is a finding with a line number, and a file of any size costs one pass.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Generic, TypeVar

import msgspec

from pipeline.contracts.checks import Example
from pipeline.contracts.evidence_fields import FIELDS
from pipeline.platform import disk

_NULL = msgspec.Raw(b"null")
_EMPTY = (_NULL, msgspec.Raw(b"[]"), msgspec.Raw(b"{}"))

T_co = TypeVar("T_co", covariant=True)


class Provenance(msgspec.Struct, frozen=True):
    source_file: str
    line: int
    byte_offset: int
    sig_hash: str
    part: int


class SourceRange(msgspec.Struct, frozen=True):
    source_file: str
    first_line: int
    last_line: int
    byte_offset: int
    byte_end: int
    lines: int


class EvidenceProvenance(Provenance, frozen=True):
    group: str | None = None
    ranges: list[SourceRange] | None = None

    @property
    def all_ranges(self) -> list[SourceRange]:
        """The ranges; of a row that is one line, that line without its end."""
        if self.ranges is not None:
            return self.ranges
        offset = self.byte_offset
        return [SourceRange(self.source_file, self.line, self.line, offset, offset, 1)]


class EvidenceRow(msgspec.Struct, frozen=True):
    run_id: str
    task_id: str
    stream: str
    provenance: EvidenceProvenance
    schema_version: int = 0


class FilledRow(EvidenceRow, frozen=True):
    """An evidence row with its fields as they are written; a field that is absent is null."""

    timestamp: msgspec.Raw = _NULL
    model_name: msgspec.Raw = _NULL
    model_provider: msgspec.Raw = _NULL
    instruction: msgspec.Raw = _NULL
    context: msgspec.Raw = _NULL
    response: msgspec.Raw = _NULL
    goal: msgspec.Raw = _NULL
    messages: msgspec.Raw = _NULL
    tools: msgspec.Raw = _NULL
    finish_reason: msgspec.Raw = _NULL
    success_markers: msgspec.Raw = _NULL
    failure_markers: msgspec.Raw = _NULL
    reward: msgspec.Raw = _NULL
    verdict: msgspec.Raw = _NULL
    human_override: msgspec.Raw = _NULL
    validation: msgspec.Raw = _NULL
    tokens: msgspec.Raw = _NULL
    cost_usd: msgspec.Raw = _NULL
    latency_ms: msgspec.Raw = _NULL
    tags: msgspec.Raw = _NULL

    def mask(self) -> int:
        """As ``mask_of`` of the row that was written."""
        return sum(1 << bit for bit, name in enumerate(FIELDS) if getattr(self, name) not in _EMPTY)


class ScoredRow(msgspec.Struct, frozen=True):
    run_id: str
    task_id: str
    stream: str
    category: str
    scorer_version: str
    provenance: Provenance


class SkipRow(msgspec.Struct, frozen=True):
    stream: str
    file: str
    line: int
    byte_offset: int
    reason: str


class QuarantinedRow(msgspec.Struct, frozen=True):
    export: str
    reason: str
    run_id: str
    stream: str


class ExportedRow(msgspec.Struct, frozen=True):
    """A row of any export: RAG and SFT rows name one run, pairs name two."""

    stream: str
    source_run_id: str | None = None
    chosen_run_id: str | None = None
    rejected_run_id: str | None = None


class RowFile(Generic[T_co]):
    """One written file: iterating it yields (line, row), and fills ``bad`` with what is no row."""

    def __init__(self, path: Path, shown: str, row_type: type[T_co]) -> None:
        self.path = path
        self.shown = shown
        self.bad: list[Example] = []
        self.bad_count = 0
        self._decoder = msgspec.json.Decoder(row_type)

    @property
    def is_missing(self) -> bool:
        return not self.path.exists()

    def __iter__(self) -> Iterator[tuple[int, T_co]]:
        """Raises OSError; a file that is missing has no rows."""
        if self.is_missing:
            return
        decode = self._decoder.decode
        with disk.open_to_read(self.path) as file:
            for number, line in enumerate(disk.lines_in(file, self.path), 1):
                try:
                    row = decode(line)
                except (msgspec.MsgspecError, UnicodeDecodeError) as error:
                    self._refuse(number, str(error))
                    continue
                if not line.endswith(b"\n"):
                    self._refuse(number, "the last line has no end: the file was cut")
                yield number, row

    def _refuse(self, line: int, why: str) -> None:
        self.bad_count += 1
        if len(self.bad) < 10:
            self.bad.append(Example(file=self.shown, line=line, text=why))
