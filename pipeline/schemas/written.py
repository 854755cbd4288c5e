"""The schemas of the engine's exports once more, as types that read a row's bytes in one pass.

What is judged here is what a trainer will read: the line itself, and not the value it was made of.
These types are written out and not made of the pydantic models, which stay the schema: they name a
refusal, and a test holds the two to each other on rows good and bad. A row that is refused here is
refused, whatever the model says of it.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Annotated, Any, Literal

from msgspec import DecodeError, Meta, Struct, json

from pipeline.schemas.export_message import are_calls, are_tools, calls_in
from pipeline.schemas.same_answer import Turn, same_answer

_Name = Annotated[str, Meta(min_length=1)]
_Sha256 = Annotated[str, Meta(pattern=r"\A[0-9a-f]{64}\Z")]
_Code = Annotated[str, Meta(pattern=r"\A[a-z][a-z0-9_]*\Z")]
_Flags = Annotated[str, Meta(pattern=r"\A([a-z][a-z0-9_]*( [a-z][a-z0-9_]*)*)?\Z")]
_Count = Annotated[int, Meta(ge=0, le=2**63 - 1)]
_Ordinal = Annotated[int, Meta(ge=1, le=2**63 - 1)]
_Fraction = Annotated[float, Meta(ge=0, le=1)]
_Allowed = Literal["accepted", "partially_accepted"]
_Split = Literal["train", "validation"]


class _Strict(Struct, forbid_unknown_fields=True, gc=False):
    pass


class _Provenance(_Strict):
    source_file: _Name
    line: _Ordinal
    byte_offset: _Count
    sig_hash: _Sha256
    part: _Count


class _Turn(_Strict):
    role: Literal["system", "user", "assistant", "tool"]
    content: str
    tool_calls: str
    tool_call_id: str
    name: str
    reasoning: str
    weight: float


_Turns = Annotated[list[_Turn], Meta(min_length=1)]


class _Rag(_Strict):
    id: Annotated[str, Meta(pattern=r"\Arag-[0-9a-f]{16}\Z")]
    title: _Name
    content: _Name
    tags: str
    source_run_id: _Name
    success_score: _Fraction
    source_category: _Allowed
    embedding_text: _Name
    stream: _Name
    task_id: _Name
    model_name: str
    score: _Fraction
    turns: _Ordinal
    estimated_tokens: _Count
    split: _Split
    provenance: _Provenance


class _Sft(_Strict):
    id: Annotated[str, Meta(pattern=r"\Asft-[0-9a-f]{16}\Z")]
    shape: Literal["flat", "conversation"]
    instruction: str
    context: str
    response: str
    messages: _Turns
    tools: str
    source_run_id: _Name
    quality_score: _Allowed
    stream: _Name
    task_id: _Name
    model_name: str
    score: _Fraction
    turns: _Ordinal
    estimated_tokens: _Count
    flags: _Flags
    split: _Split
    provenance: _Provenance


class _Preference(_Strict):
    id: Annotated[str, Meta(pattern=r"\Apref-[0-9a-f]{16}\Z")]
    shape: Literal["flat", "conversation"]
    prompt: _Turns
    chosen: _Turns
    rejected: _Turns
    tools: str
    reason: _Code
    chosen_run_id: _Name
    rejected_run_id: _Name
    stream: _Name
    task_id: _Name
    chosen_model_name: str
    rejected_model_name: str
    chosen_score: _Fraction
    rejected_score: _Fraction
    attempts: _Count
    passed: _Count
    turns: _Ordinal
    estimated_tokens: _Count
    split: _Split
    chosen_provenance: _Provenance
    rejected_provenance: _Provenance


@cache
def _reader(row: type[_Strict]) -> Callable[[bytes], Any]:
    return json.Decoder(row, strict=True).decode


def is_written_rag(line: bytes) -> bool:
    """Whether ``line`` is a playbook, but for ``recorded_at``."""
    try:
        _reader(_Rag)(line)
    except DecodeError:  # ValidationError is one
        return False
    return True


def is_written_sft(line: bytes) -> bool:
    """Whether ``line`` is a training row, but for the pass rate of its task and ``recorded_at``."""
    try:
        row: _Sft = _reader(_Sft)(line)
    except DecodeError:
        return False
    turns = row.messages
    if turns[-1].role != "assistant" or not are_tools(row.tools):
        return False
    if not all(are_calls(turn.tool_calls) for turn in turns):
        return False
    return row.shape == "conversation" or _says_what_its_texts_say(row)


def is_written_preference(line: bytes) -> bool:
    """Whether ``line`` is a pair, but for ``recorded_at``."""
    try:
        row: _Preference = _reader(_Preference)(line)
    except DecodeError:
        return False
    if row.chosen_run_id == row.rejected_run_id or row.passed > row.attempts or not are_tools(row.tools):
        return False
    turns = (*row.prompt, *row.chosen, *row.rejected)
    if not all(are_calls(turn.tool_calls) for turn in turns):
        return False
    if row.chosen[0].role != "assistant" or row.rejected[0].role != "assistant":
        return False
    return not same_answer(_answered(row.chosen), _answered(row.rejected))


def _answered(side: list[_Turn]) -> list[Turn]:
    return [
        Turn(turn.content, [(call["name"], call["arguments"]) for call in calls_in(turn.tool_calls)])
        for turn in side
        if turn.role == "assistant"
    ]


def _says_what_its_texts_say(row: _Sft) -> bool:
    told = [(turn.role, turn.content) for turn in row.messages]
    asked = [("system", row.context)] if row.context else []
    return (
        told == [*asked, ("user", row.instruction), ("assistant", row.response)]
        and not _is_blank(row.instruction)
        and not _is_blank(row.response)
    )


def _is_blank(text: str) -> bool:
    return not text or text.isspace()
