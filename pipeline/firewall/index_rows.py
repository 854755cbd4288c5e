"""Lines of scored runs and evidence to rows, as exactly as lines of a training file.

The same method as ``sft_row``: what msgspec read must write back as the very same bytes, else the
strict reader decides. Only the heads of runs that were not rejected are read more loosely: their
texts are not needed, and a rejected run that hides behind a repeated key is then missed by
``rejected_unseen``, not by chance.
"""

from __future__ import annotations

from typing import Any

import msgspec
from msgspec import UNSET, Raw, UnsetType

from pipeline.firewall import strict_json
from pipeline.firewall.conversation import (
    EvidenceProvenance,
    Message,
    Provenance,
    hold_texts,
    is_text,
    parsed_messages,
    raw_text,
)
from pipeline.firewall.strict_json import UnreadableError

_FAULTS = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)


class ScoredRow(msgspec.Struct, gc=False):
    schema_version: int | UnsetType = UNSET
    run_id: str | UnsetType = UNSET
    task_id: str | UnsetType = UNSET
    stream: str | UnsetType = UNSET
    category: str | UnsetType = UNSET
    score: int | float | UnsetType | None = UNSET
    reasons: list[str] | UnsetType = UNSET
    sub_scores: dict[str, int | float | None] | UnsetType = UNSET
    scorer_version: str | UnsetType = UNSET
    provenance: Provenance | UnsetType = UNSET
    recorded_at: str | UnsetType = UNSET


class EvidenceHead(msgspec.Struct, gc=False):
    run_id: str
    task_id: str
    stream: str


class HumanOverride(msgspec.Struct, gc=False):
    decision: str | UnsetType = UNSET
    by: str | UnsetType | None = UNSET
    reason: str | UnsetType | None = UNSET
    at: str | UnsetType | None = UNSET


class EvidenceRow(msgspec.Struct, gc=False):
    """The members of evidence of either version, in the order in which they are written."""

    schema_version: int | UnsetType = UNSET
    run_id: str | UnsetType = UNSET
    task_id: str | UnsetType = UNSET
    stream: str | UnsetType = UNSET
    timestamp: str | UnsetType | None = UNSET
    model_name: str | UnsetType | None = UNSET
    model_provider: str | UnsetType | None = UNSET
    instruction: Raw | UnsetType = UNSET
    context: Raw | UnsetType = UNSET
    response: Raw | UnsetType = UNSET
    goal: Raw | UnsetType = UNSET
    messages: list[Message] | UnsetType | None = UNSET
    tools: Raw | UnsetType = UNSET
    finish_reason: str | UnsetType | None = UNSET
    success_markers: list[str] | UnsetType = UNSET
    failure_markers: list[str] | UnsetType = UNSET
    reward: int | float | UnsetType | None = UNSET
    verdict: str | UnsetType | None = UNSET
    human_override: HumanOverride | UnsetType | None = UNSET
    validation: dict[str, bool] | UnsetType = UNSET
    tokens: int | UnsetType | None = UNSET
    cost_usd: int | float | UnsetType | None = UNSET
    latency_ms: int | float | UnsetType | None = UNSET
    tags: list[str] | UnsetType = UNSET
    flags: list[str] | UnsetType = UNSET
    provenance: EvidenceProvenance | UnsetType = UNSET
    recorded_at: str | UnsetType = UNSET


_scored = msgspec.json.Decoder(ScoredRow)
_heads = msgspec.json.Decoder(EvidenceHead)
_decode_evidence = msgspec.json.Decoder(EvidenceRow).decode
_encoder = msgspec.json.Encoder()
_AS_VERSION_1_IS_WRITTEN = b'{"schema_version":1,'


def read_scored_block(block: bytes) -> list[ScoredRow] | None:
    """The scored runs of a block of whole lines; None when any line is in doubt.

    A member that is missing is UNSET.
    """
    try:
        rows = _scored.decode_lines(block)
    except _FAULTS:
        return None
    return rows if _encoder.encode_lines(rows) == block else None


def read_scored(line: bytes) -> ScoredRow:
    """One scored run, with all that the index needs. Raises UnreadableError."""
    run_id, task_id, stream, category = _texts(line, "run_id", "task_id", "stream", "category")
    return ScoredRow(run_id=run_id, task_id=task_id, stream=stream, category=category)


def read_head_block(block: bytes) -> list[EvidenceHead] | None:
    """Identity and task of the evidence rows of a block; None when any line is in doubt."""
    try:
        return _heads.decode_lines(block)
    except _FAULTS:
        return None


def read_head(line: bytes) -> EvidenceHead:
    """Identity and task of an evidence row. Raises UnreadableError."""
    return EvidenceHead(*_texts(line, "run_id", "task_id", "stream"))


def is_newer(line: bytes) -> bool:
    """Whether evidence does not say that it is of version 1, when rows of exports had no shape."""
    if line.startswith(_AS_VERSION_1_IS_WRITTEN):
        return False
    try:
        return _object(line).get("schema_version") != 1
    except UnreadableError:
        return True


def read_evidence(line: bytes) -> EvidenceRow:
    """What a run was asked and answered. Raises UnreadableError."""
    try:
        row = _decode_evidence(line)
        texts = (row.instruction, row.context, row.response, row.goal, row.tools)
        line.decode()
        if _encoder.encode(row) == line and all(map(is_text, texts)) and hold_texts(row.messages):
            return row
    except _FAULTS:
        pass
    value = _object(line)
    return EvidenceRow(
        run_id=value.get("run_id", UNSET),
        task_id=value.get("task_id", UNSET),
        stream=value.get("stream", UNSET),
        model_name=value.get("model_name", UNSET),
        flags=_labels(value, "flags"),
        instruction=raw_text(value, "instruction"),
        context=raw_text(value, "context"),
        response=raw_text(value, "response"),
        messages=parsed_messages(value.get("messages")),
        tools=raw_text(value, "tools"),
    )


def _object(line: bytes) -> dict[str, Any]:
    value = strict_json.read(line)
    if not isinstance(value, dict):
        raise UnreadableError("not an object")
    return value


def _labels(value: dict[str, Any], name: str) -> list[str] | UnsetType:
    labels = value.get(name, [])
    if not isinstance(labels, list) or not all(isinstance(label, str) for label in labels):
        raise UnreadableError(f"{name} is no list of labels")
    return labels if name in value else UNSET


def _texts(line: bytes, *names: str) -> list[str]:
    value = _object(line)
    texts = []
    for name in names:
        text = value.get(name)
        if not isinstance(text, str):
            raise UnreadableError(f"{name} is not a text")
        texts.append(text)
    return texts
