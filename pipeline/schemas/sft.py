"""SftSample: one row of training data. Its type is one of the three walls against contamination."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, ValidationInfo, field_validator
from pydantic_core import PydanticCustomError

from pipeline.schemas.parts import (
    Count,
    Fraction,
    Message,
    Name,
    Ordinal,
    Provenance,
    Row,
    RunId,
    Split,
    Text,
    UtcTimestamp,
)

SCHEMA_VERSION = 1


class SftSample(Row):
    """One row of `exports/sft/instruction_response.jsonl`.

    A flat row trains on `instruction`, `context` and `response`. A conversation trains on
    `messages`, and the three texts are only a view of it.
    """

    id: Annotated[str, Field(pattern=r"^sft-[0-9a-f]{16}$")] = Field(
        description="Identity derived from the run id."
    )
    instruction: Text = Field(description="What was asked; in a conversation the first user turn.")
    context: Text | None = Field(description="Given beside it; in a conversation the system prompt.")
    response: Text = Field(description="What was answered; in a conversation the last assistant text.")
    messages: list[Message] | None = Field(
        description="The conversation up to its last assistant turn, or null for a flat row."
    )
    source_run_id: RunId = Field(description="The run that the row is made of.")
    quality_score: Literal["accepted", "partially_accepted"] = Field(
        description="Category of the run; no other may enter."
    )
    stream: Name = Field(description="Stream of the run.")
    task_id: Name = Field(description="Task of the run.")
    model_name: Text | None = Field(description="Model that answered, if known.")
    score: Fraction = Field(description="Score of the run.")
    turns: Ordinal = Field(description="Assistant turns in the row; 1 for a flat one.")
    estimated_tokens: Count = Field(description="Estimated length of the row in tokens.")
    split: Split = Field(description="Train or validation, by a hash of the task.")
    provenance: Provenance = Field(description="The source line of the run.")
    recorded_at: UtcTimestamp = Field(description="When the row was first written.")

    @field_validator("messages")
    @classmethod
    def _trains_on_an_answer(
        cls, messages: list[Message] | None, info: ValidationInfo
    ) -> list[Message] | None:
        """A flat row has an instruction and a response; a conversation ends on an assistant turn."""
        if messages is None:
            # A text that was refused itself is absent from info.data and already reported.
            if not all(info.data.get(name, "?").strip() for name in ("instruction", "response")):
                raise PydanticCustomError(
                    "flat_row_is_blank", "A row without messages needs an instruction and a response"
                )
        elif not messages or messages[-1].role != "assistant":
            raise PydanticCustomError(
                "not_ending_on_assistant", "A conversation ends on an assistant turn, the one to learn"
            )
        return messages
