"""What the reduce and the writer of pairs know of one run that may stand in a pair, packed.

A worker has read the run's texts once and left facts in the chunk's index; here they travel as bytes,
since there is one such record for most rows of a log.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator
from itertools import accumulate
from typing import Any, NamedTuple

from pipeline.contracts.categories import CATEGORIES
from pipeline.engine.chunk_entries import EVIDENCE, NOT_SCORED, unpack_refusal
from pipeline.engine.chunk_index import KEY_BYTES, ChunkIndex, cut, numbers
from pipeline.stages.pairing import PreferenceCandidate
from pipeline.stages.refusals import QuarantineReason

# The members of ``Candidate`` up to ``tokens``, why it may not be chosen (0: it may), bytes of run id and
# of turn keys; then both of them.
_HEAD = struct.Struct("<16sIIQIBBBd16s16s16s16sQBHI")
RECORD_BYTES = _HEAD.size
_PLACE = struct.Struct("<II")
_NAME_SIZES = struct.Struct("<HI")
_MAY_NOT_CHOOSE = (None, QuarantineReason.CATEGORY_LEFT_OUT, QuarantineReason.BELOW_PARTIAL_AT)


class Candidate(NamedTuple):
    """``chunk`` and ``row`` name it; its evidence row is at ``offset`` of the chunk's rows. Keys are those
    of the index, all zero where it has none."""

    task_key: bytes
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
    task_question_key: bytes
    tokens: int
    choose_refusal: QuarantineReason | None
    run_id: str
    turn_keys: bytes

    @property
    def place(self) -> tuple[int, int]:
        return self.chunk, self.row

    def for_pairing(self) -> PreferenceCandidate:
        """The run as pairing sees it."""
        loose = self.loose_response_key
        return PreferenceCandidate(
            run_id=self.run_id,
            task_key=self.task_key,
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


def packed(chunk: int, index: ChunkIndex, rows: Iterable[int]) -> Iterator[bytes]:
    """The record of each of ``rows`` that may stand in a pair; it begins with the task's key."""
    refused = numbers("I", index.preference_refusals)
    lengths = numbers("I", index.lengths[EVIDENCE])
    offsets = list(accumulate(lengths, initial=index.section_start(EVIDENCE)))
    categories, scores = numbers("b", index.categories), numbers("d", index.scores)
    tasks, run_ids, turn_keys = cut(index.task_keys), index.run_ids, index.turn_keys
    may_not_choose = [_may_not_choose(refusal) for refusal in index.refusals]
    not_chosen = numbers("I", index.choose_refusals)
    tokens = numbers("Q", index.tokens)
    keys = (
        cut(index.response_keys),
        cut(index.loose_response_keys),
        cut(index.prompt_keys),
        cut(index.task_question_keys),
    )
    for row in rows:
        if refused[row] or categories[row] == NOT_SCORED:
            continue
        run_id, turns = run_ids[row].encode(), turn_keys.get(row, b"")
        head = _HEAD.pack(
            tasks[row],
            chunk,
            row,
            offsets[row],
            lengths[row],
            categories[row],
            bool(turns),
            index.validation[row],
            scores[row],
            *(key[row] for key in keys),
            tokens[row],
            may_not_choose[not_chosen[row]],
            len(run_id),
            len(turns),
        )
        yield head + run_id + turns


def by_task(records: bytes) -> dict[bytes, bytearray]:
    """The records of each task, tasks in the order of their first ones."""
    tasks: dict[bytes, bytearray] = {}
    at = 0
    while at < len(records):
        end = at + _HEAD.size + sum(_NAME_SIZES.unpack_from(records, at + _HEAD.size - _NAME_SIZES.size))
        tasks.setdefault(records[at : at + KEY_BYTES], bytearray()).extend(records[at:end])
        at = end
    return tasks


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
    chunk, row = _PLACE.unpack_from(record, KEY_BYTES)
    return chunk, row


def _may_not_choose(refusal: str) -> int:
    """Of refusals that are none of a choice, 0."""
    reason = unpack_refusal(refusal)[0]
    return _MAY_NOT_CHOOSE.index(reason) if reason in _MAY_NOT_CHOOSE else 0
