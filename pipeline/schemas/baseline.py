"""AuditBaseline: the metrics that the next audit is measured against, and who decided on them."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, ValidationInfo, field_validator
from pydantic_core import PydanticCustomError

from pipeline.schemas.parts import Count, Name, PipelineRunId, Row, SchemaVersion1, Sha256, Text, UtcTimestamp

SCHEMA_VERSION = 1


class AuditBaseline(Row):
    """One line of `data/_kb/audit_baselines.jsonl`, as we append it.

    The file is also appended to by hand, with `notes` and perhaps `metrics` and nothing else.
    Such rows count, so the audit reads them with its own tolerant reader, not with this model.
    """

    schema_version: SchemaVersion1 = Field(description="Version of this schema.")
    kind: Literal["seed", "passed", "accept", "dismiss", "release", "revoke"] = Field(
        description="Why the row exists: first audit, passing audit, a decision, a release, an undo."
    )
    pipeline_run_id: PipelineRunId | None = Field(description="Latest run when the metrics were taken.")
    run_hash: Sha256 | None = Field(description="run_hash of that run.")
    metrics: dict[Name, float] = Field(description="Value of each metric; for a decision, the values seen.")
    denominators: dict[Name, Count] = Field(description="For each rate, the number of rows it is a share of.")
    breakdown: dict[Name, dict[Name, float]] = Field(
        description="For each metric, its value by stream, model and reason, to name what moved it."
    )
    decided_metrics: list[Name] = Field(
        description="For a decision, the metrics that it covers; empty is all."
    )
    notes: Text | None = Field(description="Why, in the operator's words; a decision needs it.")
    actor: Text | None = Field(description="Who decided; null where no person did.")
    revokes: Sha256 | None = Field(description="For an undo, the SHA-256 of the line that it takes back.")
    recorded_at: UtcTimestamp = Field(description="When the row was written.")

    @field_validator("notes", "actor")
    @classmethod
    def _decisions_are_explained(cls, text: str | None, info: ValidationInfo) -> str | None:
        """A decision (accept, dismiss, revoke) has a note and an actor."""
        if info.data.get("kind") in ("accept", "dismiss", "revoke") and not (text or "").strip():
            raise PydanticCustomError("decision_unexplained", "A decision needs a note and an actor")
        return text

    @field_validator("revokes")
    @classmethod
    def _only_an_undo_revokes(cls, revokes: str | None, info: ValidationInfo) -> str | None:
        """An undo names the line that it takes back; no other row does."""
        kind = info.data.get("kind")
        if kind is not None and (kind == "revoke") is not (revokes is not None):
            raise PydanticCustomError(
                "wrong_revocation", "An undo names the line that it takes back, others none"
            )
        return revokes
