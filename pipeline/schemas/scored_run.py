"""ScoredRun: the verdict on one evidence row, with the code of the rule that decided."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from pipeline.schemas.parts import (
    Category,
    Code,
    Fraction,
    Name,
    Provenance,
    Row,
    RunId,
    SchemaVersion1,
    UtcTimestamp,
)

SCHEMA_VERSION = 1


class ScoredRun(Row):
    """The category of one evidence row. Written by P3; each evidence row has exactly one."""

    schema_version: SchemaVersion1 = Field(description="Version of this schema.")
    run_id: RunId = Field(description="The evidence row that was scored.")
    task_id: Name = Field(description="Task of the evidence row.")
    stream: Name = Field(description="Stream of the evidence row.")
    category: Category = Field(description="The verdict.")
    score: Fraction = Field(description="Strength of the run, from 0 to 1; ranks the attempts of a task.")
    reasons: Annotated[list[Code], Field(min_length=1)] = Field(
        description="Permanent codes, that of the rule which decided first."
    )
    sub_scores: dict[str, Fraction] = Field(description="The signals behind the score, each from 0 to 1.")
    scorer_version: Name = Field(description="Version of the rules that decided.")
    provenance: Provenance = Field(description="The source line of the evidence row.")
    recorded_at: UtcTimestamp = Field(description="When the row was first written.")
