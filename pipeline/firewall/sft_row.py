"""One line of a training file to a row: fast where that is provably exact, else slowly.

msgspec cuts the line into members and leaves long texts as raw bytes. If writing the members
again gives the very same bytes, the line held nothing else: no repeated key, no unknown member,
no spelling with escapes. (msgspec alone keeps the last of a repeated key, and does not look at
the UTF-8 of a text it skips; the caller vouches for the UTF-8 of the line.) Every other line goes
to ``strict_json``, which settles it. Correctness never depends on the exporter's order of keys;
only speed does.
"""

from __future__ import annotations

import msgspec
from msgspec import UNSET, Raw, UnsetType

from pipeline.firewall import strict_json
from pipeline.firewall.conversation import (
    Message,
    Provenance,
    hold_texts,
    is_text,
    parsed_messages,
    raw_text,
)
from pipeline.firewall.strict_json import UnreadableError


class SftRow(msgspec.Struct, gc=False):
    """The members of an SFT row in the order in which they are written.

    A row that took the slow path may hold a value of any type as its label, ids and task:
    the walls look before they believe.
    """

    id: str | UnsetType = UNSET
    instruction: Raw | UnsetType = UNSET
    context: Raw | UnsetType = UNSET
    response: Raw | UnsetType = UNSET
    messages: list[Message] | UnsetType | None = UNSET
    source_run_id: str | UnsetType = UNSET
    quality_score: str | UnsetType = UNSET
    stream: str | UnsetType = UNSET
    task_id: str | UnsetType = UNSET
    model_name: str | UnsetType | None = UNSET
    score: int | float | UnsetType | None = UNSET
    turns: int | UnsetType = UNSET
    estimated_tokens: int | UnsetType = UNSET
    split: str | UnsetType = UNSET
    provenance: Provenance | UnsetType = UNSET
    recorded_at: str | UnsetType = UNSET


class LabelOnly(msgspec.Struct, gc=False):
    quality_score: str | UnsetType = UNSET


_decode = msgspec.json.Decoder(SftRow).decode
_encode = msgspec.json.Encoder().encode
decode_label = msgspec.json.Decoder(LabelOnly).decode


def read(line: bytes) -> SftRow:
    """The row in a line whose bytes are known to be UTF-8. Raises UnreadableError."""
    row = read_fast(line)
    return read_slowly(line) if row is None else row


def read_fast(line: bytes) -> SftRow | None:
    """The row in a line whose bytes are known to be UTF-8; None for a line in doubt."""
    try:
        row = _decode(line)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None
    if (
        _encode(row) == line
        and is_text(row.instruction)
        and is_text(row.context)
        and is_text(row.response)
        and (not row.messages or hold_texts(row.messages))
    ):
        return row
    return None


def read_slowly(line: bytes) -> SftRow:
    """The row in any line, by the strict reader. Raises UnreadableError."""
    value = strict_json.read(line)
    if not isinstance(value, dict):
        raise UnreadableError("not an object")
    return SftRow(
        id=value.get("id", UNSET),
        instruction=raw_text(value, "instruction"),
        response=raw_text(value, "response"),
        messages=parsed_messages(value.get("messages")),
        source_run_id=value.get("source_run_id", UNSET),
        quality_score=value.get("quality_score", UNSET),
        stream=value.get("stream", UNSET),
        task_id=value.get("task_id", UNSET),
    )
