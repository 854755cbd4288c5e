"""PreferenceSample: two answers to one prompt, the better one chosen."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from itertools import zip_longest
from typing import Annotated

from pydantic import Field, ValidationInfo, field_validator
from pydantic_core import PydanticCustomError

from pipeline.schemas.parts import (
    Code,
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

Conversation = Annotated[list[Message], Field(min_length=1)]


_WORD = re.compile(r"\S+")
_TURN = object()


def _words(text: str) -> Iterator[str]:
    """The words of the text after NFKC; white space is all that is between them.

    Written here and not borrowed from the exporter, whose guard this one has to outlive. Word
    by word, because two answers mostly differ within the first few.
    """
    for match in _WORD.finditer(text):
        word = match[0]
        if word.isascii():
            yield word
        else:
            yield from unicodedata.normalize("NFKC", word).split()


def _said(answer: str | list[Message]) -> Iterator[object]:
    """What the assistant said and called; what tools answered is not the model's text."""
    if isinstance(answer, str):
        yield from _words(answer)
        return
    for turn in answer:
        if turn.role == "assistant":
            yield _TURN
            yield from _words(turn.content or "")
            yield from ((call.name, call.arguments) for call in turn.tool_calls or ())


def _same(one: str | list[Message], other: str | list[Message]) -> bool:
    return all(mine == yours for mine, yours in zip_longest(_said(one), _said(other)))


class PreferenceSample(Row):
    """One pair of `exports/preference/chosen_rejected.jsonl`.

    For flat runs `prompt`, `chosen` and `rejected` are texts. For conversations all three are
    lists of messages: the prompt is the prefix that both runs share, the answers are what
    each of them did after it.
    """

    id: Annotated[str, Field(pattern=r"^pref-[0-9a-f]{16}$")] = Field(
        description="Identity derived from both run ids."
    )
    prompt: Name | Conversation = Field(description="What both runs were asked: a text, or messages.")
    chosen: Name | Conversation = Field(description="The better answer, of the prompt's kind.")
    rejected: Name | Conversation = Field(description="The worse answer, of the prompt's kind.")
    reason: Code = Field(description="Permanent code of why the chosen run ranks higher.")
    chosen_run_id: RunId = Field(description="Run of the better answer.")
    rejected_run_id: RunId = Field(description="Run of the worse answer; never the same run.")
    stream: Name = Field(description="Stream of both runs.")
    task_id: Name = Field(description="Task of both runs.")
    chosen_model_name: Text | None = Field(description="Model of the better answer, if known.")
    rejected_model_name: Text | None = Field(description="Model of the worse answer, if known.")
    chosen_score: Fraction = Field(description="Score of the better run.")
    rejected_score: Fraction = Field(description="Score of the worse run.")
    turns: Ordinal = Field(description="Assistant turns of the chosen answer; 1 for a flat pair.")
    estimated_tokens: Count = Field(description="Estimated length of prompt and longer answer in tokens.")
    split: Split = Field(description="Train or validation, by a hash of the task.")
    chosen_provenance: Provenance = Field(description="Source line of the better run.")
    rejected_provenance: Provenance = Field(description="Source line of the worse run.")
    recorded_at: UtcTimestamp = Field(description="When the row was first written.")

    @field_validator("chosen", "rejected")
    @classmethod
    def _answers_the_prompt(cls, answer: str | list[Message], info: ValidationInfo) -> str | list[Message]:
        """Prompt and answers are all texts or all messages; an answer starts with an assistant turn."""
        prompt = info.data.get("prompt")
        if prompt is not None and isinstance(answer, str) is not isinstance(prompt, str):
            raise PydanticCustomError("mixed_kinds", "Prompt and answers are all texts or all messages")
        if not isinstance(answer, str) and answer[0].role != "assistant":
            raise PydanticCustomError("answer_not_by_assistant", "An answer starts with an assistant turn")
        return answer

    @field_validator("rejected")
    @classmethod
    def _texts_differ(cls, rejected: str | list[Message], info: ValidationInfo) -> str | list[Message]:
        """The texts differ after NFKC, with runs of white space as one space."""
        chosen = info.data.get("chosen")
        if chosen is not None and _same(chosen, rejected):
            raise PydanticCustomError("same_text", "Chosen and rejected are the same text")
        return rejected

    @field_validator("rejected_run_id")
    @classmethod
    def _runs_differ(cls, rejected_run_id: str, info: ValidationInfo) -> str:
        """The two runs differ."""
        if rejected_run_id == info.data.get("chosen_run_id"):
            raise PydanticCustomError("self_pair", "Chosen and rejected are the same run")
        return rejected_run_id
