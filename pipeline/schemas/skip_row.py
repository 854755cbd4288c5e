"""SkipRow: a source line that P2 could not use, and why."""

from __future__ import annotations

from pydantic import Field

from pipeline.schemas.parts import Code, Count, Name, Ordinal, Row, SchemaVersion1, Text, UtcTimestamp

SCHEMA_VERSION = 1


class SkipRow(Row):
    """One line of `data/_kb/distillation_skips.jsonl`: lines = mapped + looked up + skipped."""

    schema_version: SchemaVersion1 = Field(description="Version of this schema.")
    stream: Name = Field(description="Stream that the line belongs to.")
    file: Name = Field(description="Source file, relative to the workspace or its source root.")
    line: Ordinal = Field(description="Line number, counted from 1.")
    byte_offset: Count = Field(description="Offset of the line's first byte in the decompressed file.")
    reason: Code = Field(description="Permanent code of the skip.")
    detail: Text = Field(description="What the code leaves open; no text of the line.")
    recorded_at: UtcTimestamp = Field(description="When the row was first written.")
