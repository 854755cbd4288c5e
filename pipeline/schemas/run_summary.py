"""RunSummary: one run in one file, with the hash of everything that it produced."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, ValidationInfo, field_validator
from pydantic_core import PydanticCustomError

from pipeline.schemas.parts import (
    Amount,
    Count,
    Name,
    Ordinal,
    PipelineRunId,
    Row,
    SchemaVersion1,
    Sha256,
    Text,
    UtcTimestamp,
)
from pipeline.schemas.receipt import EngineClaim, GitClaim, Stage

SCHEMA_VERSION = 1


class StageEntry(Row):
    """A stage of the run and where its receipt lies."""

    stage: Stage = Field(description="The stage.")
    receipt: Name = Field(description="Path of the receipt, relative to the workspace.")
    sha256: Sha256 = Field(description="SHA-256 of the receipt.")
    ok: bool = Field(description="Whether the stage did what it was asked.")
    carried_from: PipelineRunId | None = Field(description="The run that did the work, if not this one.")


class StreamCounts(Row):
    """The counts of one stream."""

    lines: Count = Field(description="Source lines read.")
    mapped: Count = Field(description="Lines that became evidence.")
    looked_up: Count = Field(description="Lines that serve as a look-up and yield no evidence.")
    skipped: Count = Field(description="Lines that could not be used.")
    evidence: Count = Field(description="Evidence rows.")
    accepted: Count = Field(description="Runs scored accepted.")
    partially_accepted: Count = Field(description="Runs scored partially_accepted.")
    needs_human_review: Count = Field(description="Runs scored needs_human_review.")
    rejected: Count = Field(description="Runs scored rejected.")


class RunCounts(Row):
    """The counts of a whole run, over all streams."""

    lines: Count = Field(description="Source lines read.")
    mapped: Count = Field(description="Lines that became evidence.")
    looked_up: Count = Field(description="Lines that serve as a look-up and yield no evidence.")
    skipped: Count = Field(description="Lines that could not be used.")
    evidence: Count = Field(description="Evidence rows.")
    scored: Count = Field(description="Scored runs.")
    accepted: Count = Field(description="Runs scored accepted.")
    partially_accepted: Count = Field(description="Runs scored partially_accepted.")
    needs_human_review: Count = Field(description="Runs scored needs_human_review.")
    rejected: Count = Field(description="Runs scored rejected.")
    rag: Count = Field(description="Playbooks exported.")
    sft: Count = Field(description="Training rows exported.")
    preference: Count = Field(description="Pairs exported.")
    quarantined_rag: Count = Field(description="Runs that the RAG export refused.")
    quarantined_sft: Count = Field(description="Runs that the SFT export refused.")
    quarantined_preference: Count = Field(description="Runs that the preference export refused.")
    chunks_total: Count = Field(description="Chunks that the sources consist of.")
    chunks_processed: Count = Field(description="Chunks that were not in the cache.")


class RunSummary(Row):
    """`reports/distillation/<id>/summary.json`, written at the commit or for a finished failure."""

    schema_version: SchemaVersion1 = Field(description="Version of this schema.")
    pipeline_run_id: PipelineRunId = Field(description="Identity of the run, and name of its folder.")
    command: Name = Field(description="The command that ran.")
    ok: bool = Field(description="Whether the run committed its outputs.")
    exit_code: Annotated[int, Field(ge=0, le=255)] = Field(description="Exit code of the command.")
    run_hash: Sha256 | None = Field(
        description="Hash of rows without recorded_at, counts and settings; null for a failure."
    )
    recorded_at: UtcTimestamp = Field(description="The run's clock value, as stamped on new rows.")
    started_at: UtcTimestamp = Field(description="When the run began.")
    finished_at: UtcTimestamp = Field(description="When the run ended.")
    elapsed_seconds: Amount = Field(description="Duration of the run.")
    stages: list[StageEntry] = Field(description="The stages and their receipts.")
    counts: RunCounts = Field(description="Counts of the whole run.")
    streams: dict[Name, StreamCounts] = Field(description="Counts by stream.")
    warnings: list[Text] = Field(description="What an operator should know although the run went on.")
    git: GitClaim | None = Field(description="State of the repository; null outside of one.")
    engine: EngineClaim = Field(description="The engine that did the work.")
    settings_digest: Sha256 = Field(description="Digest of the settings that touch rows.")
    workers: Ordinal = Field(description="Number of workers; not part of the run hash.")
    chunk_bytes: Ordinal = Field(description="Nominal size of a chunk; not part of the run hash.")

    @field_validator("run_hash")
    @classmethod
    def _committed_runs_have_a_hash(cls, run_hash: str | None, info: ValidationInfo) -> str | None:
        """A run that is ok has a run_hash."""
        if run_hash is None and info.data.get("ok"):
            raise PydanticCustomError("hash_missing", "A run that committed its outputs has a run_hash")
        return run_hash
