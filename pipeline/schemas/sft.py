"""SftSample: one row of training data. Its type is one of the three walls against contamination."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, ValidationInfo, field_validator
from pydantic_core import PydanticCustomError

from pipeline.schemas.export_message import Conversation, ExportMessage, FlagsText, Shape, ToolsText
from pipeline.schemas.parts import (
    Count,
    Fraction,
    Name,
    Ordinal,
    Provenance,
    Row,
    RunId,
    Split,
    Text,
    UtcTimestamp,
)

SCHEMA_VERSION = 2


class SftSample(Row):
    """One row of `exports/sft/instruction_response.jsonl`.

    Every row trains on `messages`. In a flat row they say what `instruction`, `context` and
    `response` say; in a conversation the three texts are only a view of them.
    """

    id: Annotated[str, Field(pattern=r"^sft-[0-9a-f]{16}$")] = Field(
        description="Identity derived from the run id."
    )
    shape: Shape = Field(description="Whether the run was one question and answer, or a conversation.")
    instruction: Text = Field(description="What was asked; in a conversation the first user turn.")
    context: Text = Field(description="Given beside it, or empty; in a conversation the system prompt.")
    response: Text = Field(description="What was answered; in a conversation the last assistant text.")
    messages: Conversation = Field(
        description="The conversation up to its last assistant turn; a flat row as two or three turns."
    )
    tools: ToolsText = Field(description="Tools that the model was offered, as JSON text, or empty.")
    source_run_id: RunId = Field(description="The run that the row is made of.")
    quality_score: Literal["accepted", "partially_accepted"] = Field(
        description="Category of the run; no other may enter."
    )
    stream: Name = Field(description="Stream of the run.")
    task_id: Name = Field(description="Task of the run.")
    model_name: Text = Field(description="Model that answered, or empty when it is not known.")
    score: Fraction = Field(description="Score of the run.")
    turns: Ordinal = Field(description="Assistant turns in the row; 1 for a flat one.")
    estimated_tokens: Count = Field(description="Estimated length of the row in tokens.")
    flags: FlagsText = Field(description="What the log does not say of the run, as codes; or empty.")
    split: Split = Field(description="Train or validation, by a hash of the task.")
    provenance: Provenance = Field(description="The source line of the run.")
    attempts: Count = Field(
        description="Judged runs of the task; 0 in a row of version 1, which did not count them."
    )
    passed: Count = Field(description="How many of them were accepted.")
    recorded_at: UtcTimestamp = Field(description="When the row was first written.")

    @field_validator("messages")
    @classmethod
    def _trains_on_an_answer(cls, messages: list[ExportMessage], info: ValidationInfo) -> list[ExportMessage]:
        """It ends on an assistant turn; a flat row says the same in its texts and in its messages."""
        if messages[-1].role != "assistant":
            raise PydanticCustomError(
                "not_ending_on_assistant", "A conversation ends on an assistant turn, the one to learn"
            )
        texts = [info.data.get(name) for name in ("instruction", "context", "response")]
        # A text that was refused itself is absent from info.data and already reported.
        if info.data.get("shape") == "flat" and None not in texts:
            instruction, context, response = map(str, texts)
            if not instruction.strip() or not response.strip():
                raise PydanticCustomError(
                    "flat_row_is_blank", "A flat row needs an instruction and a response"
                )
            asked = [("system", context)] if context else []
            told = [(turn.role, turn.content) for turn in messages]
            if told != [*asked, ("user", instruction), ("assistant", response)]:
                raise PydanticCustomError("flat_texts_differ", "The messages do not say what the texts say")
        return messages

    @field_validator("passed")
    @classmethod
    def _no_more_than_attempts(cls, passed: int, info: ValidationInfo) -> int:
        """No more runs passed than were judged."""
        if passed > info.data.get("attempts", passed):
            raise PydanticCustomError("more_than_attempts", "More runs passed than were judged")
        return passed
