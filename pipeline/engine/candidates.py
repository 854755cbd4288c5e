"""What the reduce and the writer of pairs know of one run that may stand in a pair, packed.

A worker has read the run's texts once and left facts in the chunk's index; here they travel as bytes,
since there is one such record for most rows of a log.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import Any, NamedTuple

from pipeline.contracts.categories import CATEGORIES
from pipeline.engine.chunk_index import RowEntry, unpack_refusal
from pipeline.stages.pairing import PreferenceCandidate
from pipeline.stages.refusals import QuarantineReason

# The members of ``Candidate`` up to ``tokens``, why it may not be chosen (0: it may), bytes of run id and
# of turn keys; then both of them.
_HEAD = struct.Struct("<IIQIBBBd16s16s16s16s16sQBHI")
_PLACE = struct.Struct("<II")
_MAY_NOT_CHOOSE = (None, QuarantineReason.CATEGORY_LEFT_OUT, QuarantineReason.BELOW_PARTIAL_AT)


class Candidate(NamedTuple):
    """``chunk`` and ``row`` name it; its evidence row is at ``offset`` of the chunk's rows. Keys are those
    of ``RowEntry``, all zero where it has none."""

    chunk: int
    row: int
    offset: int
    length: int
    category: int
    is_conversation: bool
    is_validation: bool
    score: float
    response_key: bytes
    loose_response_key: bytes
    prompt_key: bytes
    question_key: bytes
    task_question_key: bytes
    tokens: int
    choose_refusal: QuarantineReason | None
    run_id: str
    turn_keys: bytes

    @property
    def place(self) -> tuple[int, int]:
        return self.chunk, self.row

    def in_task(self, task_key: bytes) -> PreferenceCandidate:
        """The run as pairing sees it."""
        loose = self.loose_response_key
        return PreferenceCandidate(
            run_id=self.run_id,
            task_key=task_key,
            category=CATEGORIES[self.category],
            score=self.score,
            response_key=self.response_key,
            loose_response_key=loose if any(loose) else b"",
            task_question_key=self.task_question_key,
            prompt_key=self.prompt_key,
            turn_keys=self.turn_keys if self.is_conversation else None,
            tokens=self.tokens,
            choose_refusal=self.choose_refusal,
        )


def packed(chunk: int, row: int, offset: int, length: int, entry: RowEntry) -> bytes:
    """The record of the run whose evidence row is at ``offset`` of the chunk's rows."""
    run_id = entry.run_id.encode()
    head = _HEAD.pack(
        chunk,
        row,
        offset,
        length,
        entry.category,
        entry.is_conversation,
        entry.is_validation,
        entry.score,
        entry.response_key,
        entry.loose_response_key,
        entry.prompt_key,
        entry.question_key,
        entry.task_question_key,
        entry.tokens,
        _may_not_choose(entry.choose_refusal),
        len(run_id),
        len(entry.turn_keys),
    )
    return head + run_id + entry.turn_keys


def unpacked(records: bytes) -> Iterator[tuple[Candidate, bytes]]:
    """Each record of ``records``, which stand one behind the other, and its own bytes."""
    at = 0
    while at < len(records):
        *head, may_not_choose, run_id_bytes, turn_bytes = _HEAD.unpack_from(records, at)
        names = at + _HEAD.size
        turns = names + run_id_bytes
        end = turns + turn_bytes
        facts: list[Any] = [*head, _MAY_NOT_CHOOSE[may_not_choose]]
        facts += (records[names:turns].decode(), records[turns:end])
        yield Candidate._make(facts), records[at:end]
        at = end


def place_of(record: bytes) -> tuple[int, int]:
    """Chunk and row of a record."""
    chunk, row = _PLACE.unpack_from(record)
    return chunk, row


def _may_not_choose(refusal: str) -> int:
    return _MAY_NOT_CHOOSE.index(QuarantineReason(unpack_refusal(refusal)[0])) if refusal else 0
