"""PreferenceSample: two answers to one prompt, the better one chosen."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, ValidationInfo, field_validator
from pydantic_core import PydanticCustomError

from pipeline.schemas.export_message import (
    Conversation,
    ExportMessage,
    Shape,
    ToolsText,
    calls_in,
)
from pipeline.schemas.parts import (
    Code,
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
from pipeline.schemas.same_answer import Turn, same_answer

SCHEMA_VERSION = 2


def _said(answer: list[ExportMessage]) -> list[Turn]:
    """What the assistant said and called; what tools answered is not the model's text."""
    return [
        Turn(turn.content, [(call["name"], call["arguments"]) for call in calls_in(turn.tool_calls)])
        for turn in answer
        if turn.role == "assistant"
    ]


class PreferenceSample(Row):
    """One pair of `exports/preference/chosen_rejected.jsonl`.

    Prompt and answers are lists of messages. Of a flat pair the prompt is the context as a system
    turn, where there is one, and the instruction; of conversations it is the prefix that both
    runs share, and the answers are what each of them did after it.
    """

    id: Annotated[str, Field(pattern=r"^pref-[0-9a-f]{16}$")] = Field(
        description="Identity derived from both run ids."
    )
    shape: Shape = Field(description="Whether both runs were one question and answer, or conversations.")
    prompt: Conversation = Field(description="What both runs were asked.")
    chosen: Conversation = Field(description="The better answer.")
    rejected: Conversation = Field(description="The worse answer.")
    tools: ToolsText = Field(description="Tools that both runs were offered, as JSON text, or empty.")
    reason: Code = Field(description="Permanent code of why the chosen run ranks higher.")
    chosen_run_id: RunId = Field(description="Run of the better answer.")
    rejected_run_id: RunId = Field(description="Run of the worse answer; never the same run.")
    stream: Name = Field(description="Stream of both runs.")
    task_id: Name = Field(description="Task of both runs.")
    chosen_model_name: Text = Field(description="Model of the better answer, or empty.")
    rejected_model_name: Text = Field(description="Model of the worse answer, or empty.")
    chosen_score: Fraction = Field(description="Score of the better run.")
    rejected_score: Fraction = Field(description="Score of the worse run.")
    attempts: Count = Field(
        description="Judged runs of the task; 0 in a row of version 1, which did not count them."
    )
    passed: Count = Field(description="How many of them were accepted.")
    turns: Ordinal = Field(description="Assistant turns of the chosen answer; 1 for a flat pair.")
    estimated_tokens: Count = Field(description="Estimated length of prompt and longer answer in tokens.")
    split: Split = Field(description="Train or validation, by a hash of the task.")
    chosen_provenance: Provenance = Field(description="Source line of the better run.")
    rejected_provenance: Provenance = Field(description="Source line of the worse run.")
    recorded_at: UtcTimestamp = Field(description="When the row was first written.")

    @field_validator("chosen", "rejected")
    @classmethod
    def _is_an_answer(cls, answer: list[ExportMessage]) -> list[ExportMessage]:
        """An answer starts with an assistant turn."""
        if answer[0].role != "assistant":
            raise PydanticCustomError("answer_not_by_assistant", "An answer starts with an assistant turn")
        return answer

    @field_validator("rejected")
    @classmethod
    def _texts_differ(cls, rejected: list[ExportMessage], info: ValidationInfo) -> list[ExportMessage]:
        """The answers differ in more than what cannot be seen, a fence, or the spelling of a call."""
        chosen = info.data.get("chosen")
        if chosen is not None and same_answer(_said(chosen), _said(rejected)):
            raise PydanticCustomError("same_text", "Chosen and rejected are the same text")
        return rejected

    @field_validator("rejected_run_id")
    @classmethod
    def _runs_differ(cls, rejected_run_id: str, info: ValidationInfo) -> str:
        """The two runs differ."""
        if rejected_run_id == info.data.get("chosen_run_id"):
            raise PydanticCustomError("self_pair", "Chosen and rejected are the same run")
        return rejected_run_id

    @field_validator("passed")
    @classmethod
    def _no_more_than_attempts(cls, passed: int, info: ValidationInfo) -> int:
        """No more runs passed than were judged."""
        if passed > info.data.get("attempts", passed):
            raise PydanticCustomError("more_than_attempts", "More runs passed than were judged")
        return passed
