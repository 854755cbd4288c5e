"""One line of a training file to a row: fast where that is provably exact, else slowly.

msgspec cuts a block of lines into rows and their members, and leaves long texts as raw bytes. If
writing the members again gives the very same bytes, the lines held nothing else: no repeated key,
no unknown member, no spelling with escapes, and one row a line. (msgspec alone keeps the last of
a repeated key, and does not look at the UTF-8 of a text it skips.) Any other block is read line by
line, and a line in doubt by ``strict_json``, which settles it. Correctness never depends on the
exporter's order of keys; only speed does.
"""

from __future__ import annotations

from typing import Any

import msgspec
from msgspec import UNSET, Raw, UnsetType

from pipeline.firewall import strict_json
from pipeline.firewall.conversation import (
    TURN_MEMBERS,
    Message,
    Provenance,
    hold_texts,
    is_text,
    parsed_messages,
    raw_text,
)
from pipeline.firewall.strict_json import UnreadableError


class SftRow(msgspec.Struct, gc=False):
    """The members of an SFT row of either version, in the order in which they are written.

    Version 1 has fewer of them, and nulls; what it has stands in the same order.
    A row that took the slow path may hold a value of any type as its label, ids and task:
    the walls look before they believe.
    """

    id: str | UnsetType = UNSET
    shape: str | UnsetType = UNSET
    instruction: Raw | UnsetType = UNSET
    context: Raw | UnsetType = UNSET
    response: Raw | UnsetType = UNSET
    messages: list[Message] | UnsetType | None = UNSET
    tools: Raw | UnsetType = UNSET
    source_run_id: str | UnsetType = UNSET
    quality_score: str | UnsetType = UNSET
    stream: str | UnsetType = UNSET
    task_id: str | UnsetType = UNSET
    model_name: str | UnsetType | None = UNSET
    score: int | float | UnsetType | None = UNSET
    turns: int | UnsetType = UNSET
    estimated_tokens: int | UnsetType = UNSET
    flags: str | UnsetType = UNSET
    split: str | UnsetType = UNSET
    provenance: Provenance | UnsetType = UNSET
    attempts: int | UnsetType = UNSET
    passed: int | UnsetType = UNSET
    recorded_at: str | UnsetType = UNSET


_MEMBERS = frozenset(SftRow.__struct_fields__)


class LabelOnly(msgspec.Struct, gc=False):
    quality_score: str | UnsetType = UNSET


_rows = msgspec.json.Decoder(SftRow)
_labels = msgspec.json.Decoder(LabelOnly)
_encoder = msgspec.json.Encoder()
_PIECE_BYTES = 4096
_FAULTS = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)


def read_block(block: bytes) -> list[SftRow] | None:
    """The rows of a block of whole lines, one a line; None when any line is in doubt.

    What is left to be looked at is whether raw members are texts (``holds_texts``).
    """
    try:
        rows = _rows.decode_lines(block)
        _check_utf8(block)
    except _FAULTS:
        return None
    return rows if _encoder.encode_lines(rows) == block else None


def labels_of(block: bytes) -> list[str | UnsetType] | None:
    """The label of each line of a block, the last one where it is repeated; None in doubt."""
    try:
        labels = [row.quality_score for row in _labels.decode_lines(block)]
    except _FAULTS:
        return None
    # A value over several lines, or several on one, would make a line and its label disagree.
    return labels if len(labels) == _count_lines(block) else None


def read(line: bytes) -> SftRow:
    """The row in one line without its line end. Raises UnreadableError."""
    return read_with_rest(line)[0]


def read_with_rest(line: bytes) -> tuple[SftRow, str | None]:
    """The row in one line, and a member of it that no exporter writes. Raises UnreadableError."""
    rows = read_block(line + b"\n")
    if rows and holds_texts(rows[0]):
        return rows[0], None  # it was written again without loss
    value = _object_in(line)
    return _row_of(value), _unknown_member(value)


def read_slowly(line: bytes) -> SftRow:
    """The row in any line, by the strict reader. Raises UnreadableError."""
    return _row_of(_object_in(line))


def _object_in(line: bytes) -> dict[str, Any]:
    value = strict_json.read(line)
    if not isinstance(value, dict):
        raise UnreadableError("not an object")
    return value


def _unknown_member(value: dict[str, Any]) -> str | None:
    messages = value.get("messages")
    turns = [turn for turn in messages if isinstance(turn, dict)] if isinstance(messages, list) else []
    others = value.keys() - _MEMBERS or {name for turn in turns for name in turn.keys() - TURN_MEMBERS}
    return min(others, default=None)


def _row_of(value: dict[str, Any]) -> SftRow:
    return SftRow(
        id=value.get("id", UNSET),
        instruction=raw_text(value, "instruction"),
        context=raw_text(value, "context"),
        response=raw_text(value, "response"),
        messages=parsed_messages(value.get("messages")),
        tools=raw_text(value, "tools"),
        source_run_id=value.get("source_run_id", UNSET),
        quality_score=value.get("quality_score", UNSET),
        stream=value.get("stream", UNSET),
        task_id=value.get("task_id", UNSET),
        model_name=value.get("model_name", UNSET),
        flags=value.get("flags", UNSET),
        split=value.get("split", UNSET),
    )


def holds_texts(row: SftRow) -> bool:
    """Whether every raw member is a text or null: anything else could hide a repeated key."""
    texts = (row.instruction, row.context, row.response, row.tools)
    return all(map(is_text, texts)) and (not row.messages or hold_texts(row.messages))


def _check_utf8(block: bytes) -> None:
    """Raise UnicodeDecodeError unless the block is UTF-8. Decodes only the pieces that are not ASCII."""
    if block.isascii():
        return
    start = 0
    while start < len(block):
        end = block.find(b'"', start + _PIECE_BYTES) + 1 or len(block)
        piece = block[start:end]
        if not piece.isascii():
            piece.decode()
        start = end


def _count_lines(block: bytes) -> int:
    """Faster than ``bytes.count``, which does not use memchr."""
    count, at = 0, block.find(b"\n")
    while at >= 0:
        count += 1
        at = block.find(b"\n", at + 1)
    return count
