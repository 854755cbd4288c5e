"""ReleaseManifest: what a release consists of, and that every gate was passed."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, JsonValue, ValidationInfo, field_validator
from pydantic_core import PydanticCustomError

from pipeline.contracts.check_index import GATES, GateId
from pipeline.schemas.parts import (
    Amount,
    Count,
    GitObjectId,
    Name,
    Row,
    SchemaVersion1,
    Sha256,
    Text,
    UtcTimestamp,
)
from pipeline.schemas.receipt import EngineClaim

SCHEMA_VERSION = 1


class Gate(Row):
    """The outcome of one of the six gates."""

    name: GateId = Field(description="The gate.")
    status: Literal["pass", "fail", "error", "not_evaluated"] = Field(description="Its outcome.")
    detail: Text = Field(description="What was seen.")
    elapsed_seconds: Amount = Field(description="Duration of the gate.")


class DatasetCounts(Row):
    """Rows at the freeze, under the six names that operators' scripts read."""

    rag: Count = Field(description="Playbooks.")
    sft: Count = Field(description="Training rows.")
    preference: Count = Field(description="Preference pairs.")
    evidence: Count = Field(description="Evidence rows.")
    scored: Count = Field(description="Scored runs.")
    quarantined: Count = Field(description="Refusals of all three exports.")


class ReleaseManifest(Row):
    """`reports/distillation/release-manifest.json`, flat, written after the last gate.

    `ok` is true only when all six gates were passed; a failed freeze cannot read as passed.
    """

    schema_version: SchemaVersion1 = Field(description="Version of this schema.")
    ok: bool = Field(description="Whether the workspace is ready for release.")
    tag: Name = Field(description="The tag that the freeze is for; it is never created here.")
    git_head: GitObjectId = Field(description="The commit that is released.")
    git_branch: Text | None = Field(description="Its branch; null when HEAD is detached.")
    released_at: UtcTimestamp = Field(description="When the last gate ended.")
    phase_commits: dict[Annotated[str, Field(pattern=r"^P[0-8]$")], GitObjectId] = Field(
        description="Commit of each phase, P0 to P8."
    )
    dataset_counts: DatasetCounts = Field(description="Rows at the freeze.")
    exports: dict[Name, Sha256] = Field(description="SHA-256 of every export file, by path.")
    run_hash: Sha256 | None = Field(description="run_hash of the latest run; null when there is none.")
    latest_baseline: dict[str, JsonValue] | None = Field(
        description="The latest baseline row as it stands in its file, hand-written ones included."
    )
    gates: list[Gate] = Field(description="The six gates in order.")
    engine: EngineClaim = Field(description="The engine that ran the gates.")
    recorded_at: UtcTimestamp = Field(description="When the manifest was written.")

    @field_validator("gates")
    @classmethod
    def _passed_means_all_six(cls, gates: list[Gate], info: ValidationInfo) -> list[Gate]:
        """All six gates are listed in order; ok is true exactly when all six passed."""
        if [gate.name for gate in gates] != [spec.id for spec in GATES]:
            raise PydanticCustomError("gates_incomplete", "The six gates are listed, in order")
        ok = info.data.get("ok")
        if ok is not None and ok is not all(gate.status == "pass" for gate in gates):
            raise PydanticCustomError("verdict_disagrees", "ok is true exactly when all six gates passed")
        return gates
