"""StageReceipt: what one stage claims to have read, written and counted. An audit recomputes it."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, ValidationInfo, field_validator
from pydantic_core import PydanticCustomError

from pipeline.schemas.parts import (
    Amount,
    Code,
    Count,
    GitObjectId,
    Name,
    PipelineRunId,
    Row,
    SchemaVersion1,
    Sha256,
    Text,
    UtcTimestamp,
)

SCHEMA_VERSION = 1

Stage = Literal["materialize", "score", "export"]
PHASE_OF_STAGE = {"materialize": "P2", "score": "P3", "export": "P4"}


class FileClaim(Row):
    """One file as it was when the stage ended."""

    path: Name = Field(description="Path relative to the workspace, or to its source root.")
    bytes: Count = Field(description="Size in bytes.")
    rows: Count = Field(description="Number of lines.")
    sha256: Sha256 = Field(description="SHA-256 of the file.")
    rows_digest: Sha256 | None = Field(
        description="SHA-256 over the rows without recorded_at; null where there are no such rows."
    )


class FirewallClaim(Row):
    """The firewall's verdict on the SFT file that the stage staged."""

    state: Literal["CLEAR", "BREACH", "ABSENT", "STALE", "UNKNOWN"] = Field(
        description="The verdict; ABSENT is not CLEAR."
    )
    findings: Count = Field(description="Number of findings.")
    sft_sha256: Sha256 | None = Field(description="The file that was scanned.")


class GitClaim(Row):
    """The workspace's repository when the run began."""

    head: GitObjectId | None = Field(description="Commit of HEAD; null before the first commit.")
    branch: Text | None = Field(description="Branch; null when HEAD is detached.")
    dirty: bool = Field(description="Whether the tree may have been another than that of HEAD.")


class EngineClaim(Row):
    """The engine that did the work."""

    version: Name = Field(description="Version number of the engine.")
    digest: Sha256 = Field(description="Digest of the engine's source files.")
    source: Literal["installed", "workspace"] = Field(description="Where the engine was loaded from.")


class StageReceipt(Row):
    """`reports/distillation/<id>/receipts/<stage>.json`, written after the outputs it describes."""

    schema_version: SchemaVersion1 = Field(description="Version of this schema.")
    pipeline_run_id: PipelineRunId = Field(description="The run that the receipt belongs to.")
    stage: Stage = Field(description="The stage that the receipt is for.")
    phase: Literal["P2", "P3", "P4"] = Field(description="The stage's phase.")
    ok: bool = Field(description="Whether the stage did what it was asked.")
    inputs: list[FileClaim] = Field(description="Files that were read.")
    outputs: list[FileClaim] = Field(description="Files that were written.")
    counts: dict[Code, Count] = Field(description="Rows in, out, skipped, quarantined, by name.")
    reasons: dict[Code, Count] = Field(description="Skips, verdicts or refusals by reason code.")
    by_stream: dict[Name, dict[Code, Count]] = Field(description="Counts by stream.")
    firewall: FirewallClaim | None = Field(description="The scan of the staged SFT file, if there was one.")
    git: GitClaim | None = Field(description="State of the repository; null outside of one.")
    engine: EngineClaim = Field(description="The engine that did the work.")
    settings_digest: Sha256 = Field(description="Digest of the settings that touch rows.")
    recorded_at: UtcTimestamp = Field(description="The run's clock value, as stamped on new rows.")
    started_at: UtcTimestamp = Field(description="When the stage began.")
    finished_at: UtcTimestamp = Field(description="When the stage ended.")
    elapsed_seconds: Amount = Field(description="Duration of the stage.")
    carried_from: PipelineRunId | None = Field(
        description="The run whose verified receipt this one repeats, or null."
    )

    @field_validator("phase")
    @classmethod
    def _phase_of_the_stage(cls, phase: str, info: ValidationInfo) -> str:
        """The phase is that of the stage."""
        stage = info.data.get("stage")
        if stage is not None and PHASE_OF_STAGE[stage] != phase:
            raise PydanticCustomError("wrong_phase", "The phase is not that of the stage")
        return phase
