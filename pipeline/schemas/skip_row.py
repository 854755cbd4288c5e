"""SkipRow: a source line that P2 could not use, and why."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from pipeline.schemas.parts import Code, Count, Name, Ordinal, Row, UtcTimestamp

SCHEMA_VERSION = 1


class SkipRow(Row):
    """One line of `data/_kb/distillation_skips.jsonl`: lines = mapped + looked up + skipped."""

    schema_version: Literal[1] = Field(description="Version of this schema.")
    stream: Name = Field(description="Stream that the line belongs to.")
    file: Name = Field(description="Source file, relative to the workspace or its source root.")
    line: Ordinal = Field(description="Line number, counted from 1.")
    byte_offset: Count = Field(description="Offset of the line's first byte in the decompressed file.")
    reason: Code = Field(description="Permanent code of the skip.")
    detail: str = Field(description="What the code leaves open; no text of the line.")
    recorded_at: UtcTimestamp = Field(description="When the row was first written.")
