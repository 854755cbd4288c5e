"""The pieces that several schemas share: identities, digests, times, messages, provenance.

All models are frozen and strict: nothing is coerced (``"1"`` is not 1, ``True`` is not 1),
unknown fields are refused and numbers are finite. Patterns use ``[0-9]`` rather than ``\\d``,
which would also accept the digits of other scripts.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field
from pydantic_core import PydanticCustomError

# Larger integers are read back as floats by most JSON readers, orjson among them.
_MAX_INTEGER = 2**63 - 1


def _existing_moment(text: str) -> str:
    """Refuse a date the calendar does not have; the pattern alone would take 30 February."""
    try:
        datetime.fromisoformat(text)
    except ValueError:
        raise PydanticCustomError("no_such_moment", "The calendar has no such moment") from None
    return text


def _plain_integer(value: object) -> object:
    """A literal compares with ``==``, so that it alone would take True and 1.0 for 1."""
    if type(value) is not int:
        raise PydanticCustomError("int_type", "Input should be a valid integer")
    return value


class Row(BaseModel):
    """Base of what we write. Error texts leave the value out: it is data, and may be hostile."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        strict=True,
        allow_inf_nan=False,
        hide_input_in_errors=True,
        defer_build=True,
    )


SchemaVersion1 = Annotated[Literal[1], BeforeValidator(_plain_integer)]
SchemaVersion2 = Annotated[Literal[2], BeforeValidator(_plain_integer)]
# Any constraint makes pydantic read the text as Unicode, so that a lone surrogate is refused.
Text = Annotated[str, Field(min_length=0)]
Name = Annotated[str, Field(min_length=1)]
RunId = Annotated[str, Field(min_length=1)]
Code = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]
Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
GitObjectId = Annotated[str, Field(pattern=r"^([0-9a-f]{40}|[0-9a-f]{64})$")]
UtcTimestamp = Annotated[
    str,
    Field(pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,6})?Z$"),
    AfterValidator(_existing_moment),
]
PipelineRunId = Annotated[str, Field(pattern=r"^[0-9]{8}T[0-9]{6}Z-[0-9a-f]{4,16}$")]

Count = Annotated[int, Field(ge=0, le=_MAX_INTEGER)]
Ordinal = Annotated[int, Field(ge=1, le=_MAX_INTEGER)]
Fraction = Annotated[float, Field(ge=0, le=1)]
Amount = Annotated[float, Field(ge=0)]

Category = Literal["accepted", "partially_accepted", "needs_human_review", "rejected"]
AllowedCategory = Literal["accepted", "partially_accepted"]
Role = Literal["system", "user", "assistant", "tool"]
Split = Literal["train", "validation"]
ExportName = Literal["rag", "sft", "preference"]


class Provenance(Row):
    """Where an evidence row comes from, down to the bytes of its source line."""

    source_file: Name = Field(description="Source file, relative to the workspace or its source root.")
    line: Ordinal = Field(description="Line number in the source file, counted from 1.")
    byte_offset: Count = Field(description="Offset of the line's first byte in the decompressed file.")
    sig_hash: Sha256 = Field(description="SHA-256 of the line's bytes without its line end.")
    part: Count = Field(description="Which evidence row of the line this is, counted from 0.")


class SourceRange(Row):
    """Some of the bytes that an evidence row stands on: lines that follow each other, or one item."""

    source_file: Name = Field(description="Source file, relative to the workspace or its source root.")
    first_line: Ordinal = Field(description="Number of its first line, counted from 1.")
    last_line: Ordinal = Field(description="Number of its last line.")
    byte_offset: Count = Field(description="Offset of its first byte in the decompressed file.")
    byte_end: Count = Field(description="Offset behind its last byte, the line end not counted.")
    lines: Ordinal = Field(description="How many lines it counts for; 1 for an item of a whole-JSON file.")


class EvidenceProvenance(Provenance):
    """Where an evidence row comes from; of several lines, the first, and the ranges of all of them."""

    group: Text | None = Field(
        default=None, description="Key of the group, where the lines of one are the row."
    )
    ranges: list[SourceRange] | None = Field(
        default=None, min_length=1, description="The row's bytes, where they are not one line."
    )


class ToolCall(Row):
    """One call that an assistant turn asks for."""

    id: Text | None = Field(description="Identity of the call, which the tool's answer refers to.")
    name: Text = Field(description="Name of the tool.")
    arguments: Text = Field(description="Arguments as the JSON text that the model wrote.")


class Message(Row):
    """One turn of a conversation."""

    role: Role = Field(description="Who speaks.")
    content: Text | None = Field(description="Text of the turn; null when it only calls tools.")
    tool_calls: list[ToolCall] | None = Field(description="Tools that the turn calls, or null.")
    tool_call_id: Text | None = Field(description="For a tool's turn: the call that it answers.")
    name: Text | None = Field(description="Name of the speaker or tool, where the log has one.")
