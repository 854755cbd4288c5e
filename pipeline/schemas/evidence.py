"""EvidenceRecord: what one attempt of an agent was asked, did, and is known to be worth."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from pipeline.schemas.parts import (
    Amount,
    Category,
    Code,
    Count,
    EvidenceProvenance,
    Fraction,
    Message,
    Name,
    Row,
    RunId,
    SchemaVersion2,
    Text,
    UtcTimestamp,
)

SCHEMA_VERSION = 2


class EvidenceMessage(Message):
    """One turn of a conversation as the log has it."""

    reasoning: Text | None = Field(
        description="What the model thought before it spoke, where the log has it."
    )
    weight: float | None = Field(description="How much the turn counts in training, where the log says so.")


class HumanOverride(Row):
    """A person's decision about a run. It beats every other signal."""

    decision: Category = Field(description="The category that the person decided on.")
    by: Text | None = Field(description="Who decided, where the log says so.")
    reason: Text | None = Field(description="Why, in the person's words.")
    at: UtcTimestamp | None = Field(description="When the decision was made.")


class EvidenceRecord(Row):
    """One attempt, mapped from one part of one source line. Written by P2."""

    schema_version: SchemaVersion2 = Field(description="Version of this schema.")
    run_id: RunId = Field(description="Identity derived from stream, sig_hash and part.")
    task_id: Name = Field(description="What was attempted; attempts of one task share it.")
    stream: Name = Field(description="Stream of `distill.toml` that the source line belongs to.")
    timestamp: UtcTimestamp | None = Field(description="When the run happened, if the log says so.")
    model_name: Text | None = Field(description="Model that answered, if the log or its path names one.")
    model_provider: Text | None = Field(description="Who serves the model.")
    instruction: Text | None = Field(description="What the model was asked to do.")
    context: Text | None = Field(description="What the model was given beside the instruction.")
    response: Text | None = Field(description='What the model answered; null is not recorded, "" is empty.')
    goal: Text | None = Field(
        description="What a simulated user wanted; never exported, since the model never saw it."
    )
    messages: list[EvidenceMessage] | None = Field(description="The conversation, or null for a flat run.")
    tools: Text | None = Field(description="Tools that the model was offered, as JSON text.")
    finish_reason: Text | None = Field(description="Why the model stopped, in the log's own word.")
    success_markers: list[Text] = Field(description="Weak signs of success found in the log.")
    failure_markers: list[Text] = Field(description="Weak signs of failure found in the log.")
    reward: Fraction | None = Field(description="Reward of the environment, from 0 to 1.")
    verdict: Literal["pass", "fail", "error"] | None = Field(
        description="Outcome in the log; `error` is a provider's failure, neither right nor wrong."
    )
    human_override: HumanOverride | None = Field(description="A person's decision, which wins.")
    validation: dict[str, bool] = Field(description="Named checks of the answer and their outcome.")
    tokens: Count | None = Field(description="Tokens used by the run.")
    cost_usd: Amount | None = Field(description="Cost of the run in US dollars.")
    latency_ms: Amount | None = Field(description="Duration of the run in milliseconds.")
    tags: list[Text] = Field(description="Labels for search and retrieval.")
    flags: list[Code] = Field(description="What to know of the run before it is used, such as `truncated`.")
    provenance: EvidenceProvenance = Field(description="The source lines that the row was mapped from.")
    recorded_at: UtcTimestamp = Field(description="When the row was first written.")
