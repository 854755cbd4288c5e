"""ReplayRun: one question put to a model with retrieved playbooks, and what came of it."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, ValidationInfo, field_validator
from pydantic_core import PydanticCustomError

from pipeline.schemas.parts import Amount, Code, Name, Row, RunId, SchemaVersion1, Sha256, Text, UtcTimestamp

SCHEMA_VERSION = 1

ReplayReason = Literal[
    "empty", "too_short", "filler_or_hedge_phrase", "no_playbook_support", "placeholder", "truncated"
]


class RetrievedPlaybook(Row):
    """A playbook that was put into the prompt."""

    rag_id: Name = Field(description="Identity of the playbook.")
    source_run_id: RunId = Field(description="The run that the playbook is made of.")
    relevance: Amount = Field(description="BM25 relevance; larger is closer.")


class ReplayValidation(Row):
    """What the validator made of the answer."""

    ok: bool = Field(description="Whether the answer passed.")
    reasons: list[ReplayReason] = Field(description="Permanent codes of what is wrong; empty when it passed.")

    @field_validator("reasons")
    @classmethod
    def _reasons_agree(cls, reasons: list[str], info: ValidationInfo) -> list[str]:
        """A refused answer has reasons; one that passed has none."""
        if info.data.get("ok") is bool(reasons):
            raise PydanticCustomError(
                "reasons_disagree", "A refused answer has reasons, one that passed has none"
            )
        return reasons


class ReplayAttempt(Row):
    """One model that was asked."""

    model: Name = Field(description="The model's name as configured.")
    model_origin: Literal["default", "settings", "environment", "flag"] = Field(
        description="Where the model's name came from."
    )
    url: Text | None = Field(description="Server that was asked; null for the embedded model.")
    answer: Text | None = Field(description="The answer; null when none came.")
    error: Code | None = Field(description="Permanent code of why none came, such as unreachable.")
    validation_result: ReplayValidation | None = Field(description="Verdict on the answer; null without one.")
    elapsed_seconds: Amount = Field(description="Time until the answer or the error.")


class ReplayRun(Row):
    """One line of `data/_kb/replay_runs.jsonl`. An attempt that reached no model is logged too."""

    schema_version: SchemaVersion1 = Field(description="Version of this schema.")
    replay_id: Annotated[str, Field(pattern=r"^replay-[0-9a-f]{16}$")] = Field(
        description="Identity of the replay."
    )
    task: Name = Field(description="The question.")
    local_only: bool = Field(description="Whether escalation was forbidden.")
    retrieved: list[RetrievedPlaybook] = Field(description="Playbooks found, most relevant first.")
    prompt_sha256: Sha256 | None = Field(description="SHA-256 of the prompt; null when none was built.")
    attempts: list[ReplayAttempt] = Field(description="Models asked in turn; a second one is the escalation.")
    answer: Text | None = Field(description="The answer that counts, that of the last attempt.")
    validation_result: ReplayValidation = Field(description="The verdict that counts.")
    recorded_at: UtcTimestamp = Field(description="When the row was written.")
